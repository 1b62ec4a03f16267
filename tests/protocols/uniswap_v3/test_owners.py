"""Who owned which position, from logs alone: direct owners, managers, NFTs that move, and positions of other pools."""

import pytest

from loyalty.core.address import Address
from loyalty.core.facts import PositionChange, PositionKey

POOL = Address("0x" + "99" * 20)
OTHER_POOL = Address("0x" + "98" * 20)
MANAGER = Address("0x" + "77" * 20)
SECOND_MANAGER = Address("0x" + "78" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
CAROL = Address("0x" + "ca" * 20)


@pytest.fixture
def world(new_world):
    world = new_world(MANAGER, SECOND_MANAGER).at(1)
    world.initialize(POOL, 0)
    world.initialize(OTHER_POOL, 0)
    return world


def changes_of(world, pool=POOL):
    """The position changes of a pool, as the accrual sees them: from liquidity and ownership alone."""
    facts, _ = world.read(world.ledger(), pool)
    ledger = world.ledger()
    moves = sorted([*facts.liquidity_changes, *facts.transfers], key=lambda fact: fact[1:3])
    return [change for fact in moves for change in ledger.apply(fact)]


def positions_of(world, pool=POOL):
    ledger = world.ledger()
    world.read(ledger, POOL, OTHER_POOL)
    return ledger.positions(pool)


def test_a_direct_owner_holds_the_range_itself(world):
    world.at(2).pool_mint(POOL, ALICE, -60, 60, 1000)
    world.at(3).pool_burn(POOL, ALICE, -60, 60, 400)
    alice = PositionKey(ALICE, -60, 60, None)
    assert changes_of(world) == [PositionChange(24, alice, 1000), PositionChange(36, alice, -400)]
    assert positions_of(world) == {alice: 600}


def test_a_new_token_is_its_recipients_and_not_its_payers(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    facts, _ = world.read(world.ledger(), POOL)
    assert [(change.owner, change.token) for change in facts.liquidity_changes] == [(MANAGER, token)]
    assert [(move.pool, move.token, move.recipient) for move in facts.transfers] == [(POOL, token, ALICE)]
    assert changes_of(world) == [PositionChange(24, PositionKey(ALICE, -60, 60, token), 1000)]


def test_an_increase_by_a_stranger_is_the_owners(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3).increase(token, 500)
    assert positions_of(world) == {PositionKey(ALICE, -60, 60, token): 1500}


def test_several_mints_in_one_transaction_keep_their_own_ranges(world):
    world.at(2)
    first = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    second = world.mint(MANAGER, BOB, POOL, -120, 120, 1000)
    third = world.mint(MANAGER, CAROL, OTHER_POOL, -60, 60, 1000)
    fourth = world.mint(MANAGER, BOB, POOL, -60, 60, 1000)
    assert positions_of(world) == {
        PositionKey(ALICE, -60, 60, first): 1000,
        PositionKey(BOB, -120, 120, second): 1000,
        PositionKey(BOB, -60, 60, fourth): 1000,
    }
    assert positions_of(world, OTHER_POOL) == {PositionKey(CAROL, -60, 60, third): 1000}


def test_two_managers_can_have_the_same_token_id(world):
    world.at(2)
    first = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.next_id = 1
    second = world.mint(SECOND_MANAGER, BOB, POOL, -60, 60, 30)
    world.at(3)
    world.transfer(first, CAROL)
    world.decrease(second, 10)
    assert (first.token_id, second.token_id) == (1, 1)
    assert positions_of(world) == {
        PositionKey(CAROL, -60, 60, first): 1000,
        PositionKey(BOB, -60, 60, second): 20,
    }


def test_a_transfer_moves_the_liquidity_from_the_old_to_the_new_owner(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(10).transfer(token, BOB)
    alice, bob = PositionKey(ALICE, -60, 60, token), PositionKey(BOB, -60, 60, token)
    assert changes_of(world) == [
        PositionChange(24, alice, 1000),
        PositionChange(120, alice, -1000),
        PositionChange(120, bob, 1000),
    ]


def test_a_token_can_move_in_the_block_of_its_minting_and_of_its_decrease(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.transfer(token, BOB)
    world.decrease(token, 300)
    world.transfer(token, CAROL)
    assert positions_of(world) == {PositionKey(CAROL, -60, 60, token): 700}
    assert sum(change.liquidity_delta for change in changes_of(world)) == 700


def test_a_transfer_to_oneself_changes_nothing(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3).transfer(token, ALICE)
    assert changes_of(world) == [PositionChange(24, PositionKey(ALICE, -60, 60, token), 1000)]


def test_an_emptied_token_can_be_sold_and_filled_by_its_new_owner(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3).decrease(token, 1000)
    world.at(4).transfer(token, BOB)
    assert positions_of(world) == {}
    world.at(5).increase(token, 70)
    assert positions_of(world) == {PositionKey(BOB, -60, 60, token): 70}


def test_a_poke_and_a_collect_are_no_facts(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3).collect(token)
    facts, driver = world.read(world.ledger(), POOL)
    assert [change.liquidity_delta for change in facts.liquidity_changes] == [1000]
    assert all(not query.span.contains(3) for query in driver.turns[1])


def test_a_burned_token_is_followed_no_more(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.decrease(token, 1000)
    world.at(3).burn(token)
    ledger = world.ledger()
    facts, _ = world.read(ledger, POOL)
    assert facts.transfers[-1].recipient == "0x" + "0" * 40
    assert (ledger.positions(POOL), ledger.tokens(), ledger.tokens(POOL)) == ({}, [], [])
    assert ledger.pool_of(token) == POOL


def test_positions_of_other_pools_are_ignored_even_in_the_same_block(world):
    world.at(2)
    ours = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    theirs = world.mint(MANAGER, BOB, OTHER_POOL, -60, 60, 1000)
    world.increase(theirs, 5)
    world.decrease(theirs, 1005)
    world.transfer(theirs, CAROL)
    ledger = world.ledger()
    facts, _ = world.read(ledger, POOL)
    assert ledger.tokens() == [ours]
    assert {fact.pool for fact in (*facts.swaps, *facts.liquidity_changes, *facts.transfers)} == {POOL}


def test_a_mint_that_a_stranger_made_in_the_managers_name_is_nobodys(world):
    world.at(2).pool_mint(POOL, MANAGER, -60, 60, 50)
    world.at(3)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.swap(POOL, 1)
    ledger = world.ledger()
    facts, _ = world.read(ledger, POOL)
    assert [change.token for change in facts.liquidity_changes] == [None, token]
    assert ledger.positions(POOL) == {PositionKey(ALICE, -60, 60, token): 1000}
    assert ledger.in_range_liquidity(POOL) == 1050


def test_a_swap_that_flips_the_tick_at_an_unchanged_price_crosses_the_boundary(world):
    world.at(2).pool_mint(POOL, ALICE, 0, 60, 1000)
    world.swap(POOL, 0, 1 << 96)
    world.swap(POOL, -1, 1 << 96)
    world.swap(POOL, 0, 1 << 96)
    facts, _ = world.read(world.ledger(), POOL)
    assert [swap.liquidity for swap in facts.swaps] == [None, 1000, 0, 1000]


def test_several_blocks_can_share_one_timestamp(world):
    world.at(2, time=24)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3, time=24).transfer(token, BOB)
    world.at(4, time=24).decrease(token, 400)
    world.swap(POOL, 7)
    assert positions_of(world) == {PositionKey(BOB, -60, 60, token): 600}
    assert {change.time for change in changes_of(world)} == {24}
