"""A log left out or altered does not pass: the step fails with pool, block and log index."""

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.spans import Span
from loyalty.protocols.uniswap_v3 import topics
from loyalty.protocols.uniswap_v3.adapter import read_span

POOL = Address("0x" + "99" * 20)
OTHER_POOL = Address("0x" + "98" * 20)
MANAGER = Address("0x" + "77" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)


@pytest.fixture
def world(new_world):
    """0 Initialize · block 2: 0 Mint 1 Transfer 2 Increase · 3: Swap · 4: Mint, Increase · 5: Transfer to Bob
    · 6: Burn, Decrease · 7: direct Mint · 8: Swap."""
    world = new_world(MANAGER).at(1)
    world.initialize(POOL, 0)
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(3).swap(POOL, 5)
    world.at(4).increase(token, 500)
    world.at(5).transfer(token, BOB)
    world.at(6).decrease(token, 1200)
    world.at(7).pool_mint(POOL, ALICE, -10, 10, 40)
    world.at(8).swap(POOL, 6)
    return world


def without(world, block, index):
    world.logs = [log for log in world.logs if (log.block, log.log_index) != (block, index)]
    return world


def altered(world, block, index, **change):
    world.logs = [log._replace(**change) if (log.block, log.log_index) == (block, index) else log for log in world.logs]
    return world


def data_of(world, block, index):
    return next(log.data for log in world.logs if (log.block, log.log_index) == (block, index))


def with_word(data, place, value):
    return data[: 32 * place] + value.to_bytes(32) + data[32 * place + 32 :]


def test_untouched_logs_pass(world):
    facts, _ = world.read(world.ledger(), POOL)
    assert [swap.liquidity for swap in facts.swaps] == [None, 1000, 340]


def test_a_mint_left_out_shows_at_the_next_swap_with_both_numbers(world):
    with pytest.raises(
        Inconsistent,
        match=f"pool {POOL}, block 8, log 0: the swap says 340 .* add up to 300: a Mint or Burn is missing",
    ):
        without(world, 7, 0).read(world.ledger(), POOL)


def test_an_altered_swap_liquidity_is_told_with_both_numbers(world):
    data = with_word(data_of(world, 8, 0), 3, 341)
    with pytest.raises(Inconsistent, match=r"block 8, log 0: the swap says 341 .* add up to 340"):
        altered(world, 8, 0, data=data).read(world.ledger(), POOL)


@pytest.mark.parametrize(
    ("block", "index", "told"),
    [
        (2, 2, "Mint of pool .*, block 2, log 0: .* has no IncreaseLiquidity that belongs to it"),
        (4, 0, r"block 6, log 0: -1200 would leave -200 liquidity to 0x7+ on -60\.\.60: a Mint is missing"),
        (6, 1, "Burn of pool .*, block 6, log 0: .* has no DecreaseLiquidity that belongs to it"),
        (2, 1, "block 4, log 0: token 1 of position manager .* changed, but its minting was never seen"),
        (4, 1, "block 6, log 0: -1200 would leave -200 liquidity to token 1 of .*: an IncreaseLiquidity is missing"),
        (6, 0, "block 8, log 0: the swap says 340 .* add up to 1540"),
    ],
)
def test_a_log_left_out_stops_the_step(world, block, index, told):
    with pytest.raises(Inconsistent, match=told):
        without(world, block, index).read(world.ledger(), POOL)


def test_a_managers_log_without_its_pools_log_stops_the_step(world):
    token = next(iter(world.place))
    world.at(9)
    world.increase(token, 3)
    world.increase(token, 4)
    with pytest.raises(
        Inconsistent, match="block 9, log 1: the liquidity of token 1 changed by 3, but its pool has no"
    ):
        without(world, 9, 0).read(world.ledger(), POOL)


def test_a_transfer_left_out_shows_at_the_next_one(world):
    token = next(iter(world.place))
    world.at(9).transfer(token, ALICE)
    with pytest.raises(Inconsistent, match=f"token 1 .* goes from {BOB} to {ALICE}, but it belongs to {ALICE}"):
        without(world, 5, 0).read(world.ledger(), POOL)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_numbers_that_differ_between_pool_and_manager_stop_the_step(world, place):
    data = with_word(data_of(world, 4, 1), place, 11)
    with pytest.raises(Inconsistent, match=r"Mint of pool .*, block 4, log 0: the pool says liquidity 500, .* log 1"):
        altered(world, 4, 1, data=data).read(world.ledger(), POOL)


def test_neighbours_from_two_transactions_do_not_belong_together(world):
    with pytest.raises(Inconsistent, match="stands in another transaction"):
        altered(world, 4, 1, transaction_hash=bytes(32)).read(world.ledger(), POOL)


def test_a_token_that_comes_back_with_another_range_is_refused(world):
    world.at(9)
    world.place[next(iter(world.place))] = (POOL, -120, 120)
    world.increase(next(iter(world.place)), 10)
    with pytest.raises(Inconsistent, match=r"block 9, log 0: token 1 .* is bound to -60\.\.60 .* -120\.\.120"):
        world.read(world.ledger(), POOL)


def test_a_token_that_comes_back_with_another_pool_is_refused(world):
    world.at(9)
    world.place[next(iter(world.place))] = (OTHER_POOL, -60, 60)
    world.increase(next(iter(world.place)), 10)
    with pytest.raises(Inconsistent, match=f"pool {OTHER_POOL}, block 9, log 0: token 1 .* is bound to pool {POOL}"):
        world.read(world.ledger(), POOL, OTHER_POOL)


def test_a_token_minted_twice_is_refused(world):
    world.next_id = 1
    world.at(9)
    world.mint(MANAGER, BOB, POOL, -60, 60, 10)
    with pytest.raises(Inconsistent, match=f"goes from 0x0+ to {BOB}, but it belongs to {BOB}"):
        world.read(world.ledger(), POOL)


def test_a_log_that_was_not_asked_for_is_refused(world):
    conversation = read_span([POOL], {MANAGER: 0}, world.ledger(), Span(0, 9), with_swaps=True)
    next(conversation)
    stray = world.logs[0]._replace(topics=(topics.POOL_COLLECT,))
    with pytest.raises(Inconsistent, match=f"of {POOL}, block 1, log 0: it was not asked for"):
        conversation.send([stray])


def test_two_answers_that_tell_one_log_differently_are_refused(world, driver):
    conversation = read_span([POOL], {MANAGER: 0}, world.ledger(), Span(0, 9), with_swaps=True)
    queries = next(conversation)
    for _ in range(2):
        found = {log for query in queries for log in driver.answer(world.logs, query)}
        queries = conversation.send(sorted(found, key=lambda log: (log.block, log.log_index)))
    moved = next(log for log in world.logs if (log.block, log.log_index) == (2, 1))
    with pytest.raises(Inconsistent, match="block 2, log 1: two answers differ"):
        conversation.send([moved._replace(block_hash="0x" + "0e" * 32)])
