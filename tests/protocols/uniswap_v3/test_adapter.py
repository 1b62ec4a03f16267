"""What is asked of the chain, and no more than that."""

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PositionKey
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.abi import unsigned_word
from loyalty.protocols.uniswap_v3 import topics
from loyalty.protocols.uniswap_v3.adapter import first_query, read_last_price, read_span

POOL = Address("0x" + "99" * 20)
OTHER_POOL = Address("0x" + "98" * 20)
MANAGER = Address("0x" + "77" * 20)
SECOND_MANAGER = Address("0x" + "78" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
MANAGER_TOPICS = ((topics.INCREASE_LIQUIDITY, topics.DECREASE_LIQUIDITY, topics.TRANSFER),)


@pytest.fixture
def world(new_world):
    world = new_world(MANAGER, SECOND_MANAGER).at(1)
    world.initialize(POOL, 0)
    return world


def test_the_first_question_is_known_in_advance(world):
    world.at(9).swap(POOL, 0)
    _, driver = world.read(world.ledger(), POOL, OTHER_POOL, span=Span(0, 10))
    assert driver.turns == [[first_query([POOL, OTHER_POOL], Span(0, 10), True)]]
    assert driver.turns[0][0] == LogQuery(
        (POOL, OTHER_POOL), ((topics.INITIALIZE, topics.MINT, topics.BURN, topics.SWAP),), Span(0, 10)
    )


def test_without_swaps_only_liquidity_and_owners_are_asked_for(world):
    world.at(2).pool_mint(POOL, ALICE, -60, 60, 1000)
    world.at(3).swap(POOL, 50)
    ledger = world.ledger()
    facts, driver = world.read(ledger, POOL, with_swaps=False)
    assert driver.turns[0][0].topics == ((topics.INITIALIZE, topics.MINT, topics.BURN),)
    assert [swap.block for swap in facts.swaps] == [1]
    assert ledger.positions(POOL) == {PositionKey(ALICE, -60, 60, None): 1000}
    assert facts.logs_read == 2


def test_the_manager_is_asked_only_for_blocks_in_which_a_pool_names_it(world):
    world.at(4)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(5).increase(token, 1)
    world.at(6).pool_mint(POOL, ALICE, -60, 60, 5)
    world.at(7).decrease(token, 1)
    world.at(8).collect(token)
    _, driver = world.read(world.ledger(), POOL)
    assert driver.turns[1] == [
        LogQuery((MANAGER,), MANAGER_TOPICS, Span(4, 6)),
        LogQuery((MANAGER,), MANAGER_TOPICS, Span(7, 8)),
    ]


def test_transfers_are_asked_for_the_tokens_known_before_and_the_new_ones(world):
    world.at(2)
    known = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    emptied = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.decrease(emptied, 1000)
    burned = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.decrease(burned, 1000)
    world.burn(burned)
    theirs = world.mint(MANAGER, ALICE, OTHER_POOL, -60, 60, 1000)
    ledger = world.ledger()
    world.read(ledger, POOL)
    world.at(5)
    new = world.mint(SECOND_MANAGER, ALICE, POOL, -60, 60, 1000)
    world.at(6).transfer(theirs, BOB)
    _, driver = world.read(ledger, POOL, span=Span(3, 9))
    assert [query.addresses for query in driver.turns[1]] == [(SECOND_MANAGER,)]
    assert driver.turns[2] == [
        LogQuery((MANAGER,), transfers_of(known, emptied), Span(3, 9)),
        LogQuery((SECOND_MANAGER,), transfers_of(new), Span(3, 9)),
    ]


def test_tokens_are_asked_for_in_lists_of_three_hundred(world):
    world.at(2)
    tokens = [world.mint(MANAGER, ALICE, POOL, -60, 60, 1) for _ in range(601)]
    world.at(3).transfer(tokens[600], BOB)
    ledger = world.ledger()
    facts, driver = world.read(ledger, POOL)
    assert [query.topics for query in driver.turns[2]] == [
        transfers_of(*tokens[:300]),
        transfers_of(*tokens[300:600]),
        transfers_of(tokens[600]),
    ]
    assert len(facts.transfers) == 602
    assert PositionKey(BOB, -60, 60, tokens[600]) in ledger.positions(POOL)


def test_only_the_tokens_of_the_pools_that_are_read_are_followed(world):
    world.at(2)
    world.initialize(OTHER_POOL, 0)
    ours = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    theirs = world.mint(MANAGER, ALICE, OTHER_POOL, -60, 60, 1000)
    ledger = world.ledger()
    world.read(ledger, POOL, OTHER_POOL)
    world.at(3).transfer(theirs, BOB)
    world.transfer(ours, BOB)
    facts, driver = world.read(ledger, POOL, span=Span(3, 4))
    assert driver.turns[1] == [LogQuery((MANAGER,), transfers_of(ours), Span(3, 4))]
    assert [move.token for move in facts.transfers] == [ours]
    facts, _ = world.read(ledger, OTHER_POOL, span=Span(3, 4))
    assert [move.token for move in facts.transfers] == [theirs]


def test_a_log_that_answers_two_questions_counts_once(world):
    world.at(2)
    token = world.mint(MANAGER, ALICE, POOL, -60, 60, 1000)
    world.transfer(token, BOB)
    facts, _ = world.read(world.ledger(), POOL)
    assert len(facts.transfers) == 2
    assert facts.logs_read == len(world.logs) == 5


def test_nothing_is_asked_for_an_empty_span_or_no_pools(world):
    facts, driver = world.read(world.ledger(), POOL, span=Span(3, 3))
    assert (facts, driver.turns) == (([], [], [], 0), [])
    facts, driver = world.read(world.ledger(), span=Span(0, 3))
    assert (facts, driver.turns) == (([], [], [], 0), [])


def test_a_ledger_of_other_managers_is_refused(world):
    with pytest.raises(Invalid, match="built for other position managers"):
        next(read_span([POOL], {MANAGER: 0}, world.ledger(), Span(0, 9), with_swaps=True))


def test_the_last_price_is_looked_for_backwards_in_growing_spans(world, driver):
    chain = driver(world.logs)
    found = chain(read_last_price(POOL, 1_000_000, 0))
    assert (found.block, found.liquidity) == (1, None)
    assert [turn[0].span for turn in chain.turns] == [
        Span(995_000, 1_000_000),
        Span(975_000, 995_000),
        Span(895_000, 975_000),
        Span(575_000, 895_000),
        Span(0, 575_000),
    ]
    assert chain.turns[0][0] == LogQuery((POOL,), ((topics.SWAP, topics.INITIALIZE),), Span(995_000, 1_000_000))


def test_the_last_price_is_the_last_one_before_the_block(world, driver):
    world.at(5)
    world.swap(POOL, 7)
    world.swap(POOL, 8)
    world.at(6).swap(POOL, 9)
    assert driver(world.logs)(read_last_price(POOL, 6, 0)).tick == 8
    assert driver(world.logs)(read_last_price(POOL, 7, 0)).tick == 9
    assert driver(world.logs)(read_last_price(POOL, 5, 0)).tick == 0


def test_a_pool_without_a_price_is_known_to_have_none(world, driver):
    chain = driver(world.logs)
    assert chain(read_last_price(OTHER_POOL, 7_000, 0)) is None
    assert [turn[0].span for turn in chain.turns] == [Span(2_000, 7_000), Span(0, 2_000)]
    assert driver(world.logs)(read_last_price(POOL, 6, 6)) is None
    assert driver(world.logs)(read_last_price(POOL, 1, 0)) is None


def test_a_damaged_price_is_refused(world, driver):
    world.logs[0] = world.logs[0]._replace(data=b"")
    with pytest.raises(Inconsistent, match=f"Initialize of {POOL}, block 1, log 0"):
        driver(world.logs)(read_last_price(POOL, 6, 0))


def transfers_of(*tokens):
    return (topics.TRANSFER,), (), (), tuple(unsigned_word(token.token_id) for token in tokens)
