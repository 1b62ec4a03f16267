"""What is asked of the chain for Curve pools, the facts that follow, and what they fold to."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.adapter import POOL_TOPICS, queries, read_span
from loyalty.protocols.curve.gauges import GAUGE_TOPICS
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import NATIVE_COIN, CurvePool
from loyalty.protocols.erc20 import TRANSFER

POOL, OTHER, LP = (Address("0x" + digits * 20) for digits in ("99", "98", "97"))
GAUGE = Address("0x" + "6a" * 20)
C0, C1, C2 = (Address("0x" + digits * 20) for digits in ("c0", "c1", "c2"))
ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
NG = CurvePool(POOL, POOL, (C0, C1), (GAUGE,))
OLD = CurvePool(OTHER, LP, (C1, C2))


def padded(address):
    return bytes(12) + bytes.fromhex(address[2:])


def test_all_is_asked_in_one_turn_and_a_coin_of_two_pools_once(world, driver):
    span = Span(5, 9)
    drive = driver([])
    asked = queries([NG, OLD], span)
    drive(read_span(CurveLedger([NG, OLD]), span))
    assert drive.turns == [asked]
    out = (TRANSFER, topics.COIN_WITHDRAWAL)
    assert asked == [
        LogQuery((POOL, OTHER), (POOL_TOPICS,), span),
        LogQuery((POOL, LP), ((TRANSFER,),), span),
        LogQuery((GAUGE,), (GAUGE_TOPICS,), span),
        LogQuery((C0,), (out, (padded(POOL),)), span),
        LogQuery((C0,), ((TRANSFER,), (), (padded(POOL),)), span),
        LogQuery((C1,), (out, (padded(POOL), padded(OTHER))), span),
        LogQuery((C1,), ((TRANSFER,), (), (padded(POOL), padded(OTHER))), span),
        LogQuery((C2,), (out, (padded(OTHER),)), span),
        LogQuery((C2,), ((TRANSFER,), (), (padded(OTHER),)), span),
    ]


def test_coins_of_the_same_pools_are_asked_for_together():
    assert [query.addresses for query in queries([CurvePool(POOL, POOL, (C0, C1))], Span(0, 9))[2:]] == [(C0, C1)] * 2


def test_an_empty_span_asks_nothing(world, driver):
    drive = driver([])
    assert drive(read_span(CurveLedger([NG]), Span(5, 5))).transfers == []
    assert drive.turns == []


def test_holdings_follow_the_coins_in_and_out_donations_and_fees_included(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).exchange(NG, BOB, 0, 30, 1, 29)
    world.at(3).transfer(C1, BOB, POOL, 7)
    world.at(4).transfer(C0, POOL, BOB, 2)
    ledger = CurveLedger([NG])
    span = world.read(driver, ledger)
    assert ledger.holdings(POOL) == {C0: 128, C1: 78}
    assert span.logs_read == len(world.logs) - 1  # the exchange itself tells nothing that the transfers do not
    assert [(fact.block, fact.log_index) for fact in span.transfers] == sorted(
        (log.block, log.log_index) for log in world.logs if log.topics[0] == TRANSFER
    )


def test_a_coin_from_pool_to_pool_is_one_fact_and_changes_both(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.old_add(OLD, ALICE, [100, 100], 200)
    world.at(2).transfer(C1, POOL, OTHER, 9)
    ledger = CurveLedger([NG, OLD])
    span = world.read(driver, ledger)
    assert [fact.units for fact in span.transfers if fact.block == 2] == [9]
    assert (ledger.holdings(POOL)[C1], ledger.holdings(OTHER)[C1]) == (91, 109)


def test_the_lp_token_of_one_pool_can_be_the_coin_of_another(world, driver):
    meta = CurvePool(OTHER, OTHER, (C2, POOL))
    base = CurvePool(POOL, POOL, (C0, C1))
    world.ng_add(base, ALICE, [100, 100], 200)
    world.at(2).ng_add(meta, ALICE, [50, 60], 110)
    world.at(3).ng_remove_one(base, OTHER, 0, 20, 21)
    ledger = CurveLedger([meta, base])
    world.read(driver, ledger)
    assert ledger.holdings(OTHER) == {C2: 50, POOL: 39}
    assert ledger.shares(POOL).balances() == {ALICE: 140, OTHER: 39}


def test_what_a_pool_says_of_its_lp_token_holds_for_the_pool_that_has_it_as_a_coin(world, driver):
    meta = CurvePool(OTHER, OTHER, (C2, POOL))
    base = CurvePool(POOL, POOL, (C0, C1))
    world.ng_add(base, ALICE, [100, 100], 200)
    world.at(2).ng_add(meta, ALICE, [50, 60], 110)
    world.at(3).transfer(POOL, OTHER, ZERO_ADDRESS, 3)
    ledger = CurveLedger([meta, base])
    world.read(driver, ledger)
    assert ledger.shares(POOL).balances() == {ALICE: 140, OTHER: 57, POOL: 3}
    assert (ledger.shares(POOL).supply, ledger.holdings(OTHER)[POOL]) == (200, 57)


# What is refused ------------------------------------------------------------------------------------------------------


def test_holdings_below_zero_are_told(world, driver):
    world.transfer(C0, POOL, BOB, 2)
    told = f"Transfer of token {C0}, block 1, log 0: pool {POOL} holds 0 units and sends 2.*start_block"
    with pytest.raises(Inconsistent, match=told):
        world.read(driver, CurveLedger([NG]))


def test_a_pool_of_the_native_coin_is_refused():
    with pytest.raises(Invalid, match=f"pool {POOL} holds the chain's native coin, which moves without logs"):
        CurveLedger([CurvePool(POOL, POOL, (NATIVE_COIN, C1))])


def test_a_pool_that_unwraps_its_coin_is_refused(world, driver):
    world.crypto_add(OLD, ALICE, [100, 100], 200)
    world.at(2).emit(C1, topics.COIN_WITHDRAWAL, [OTHER], [5])
    with pytest.raises(Invalid, match=f"pool {OTHER}, block 2, log 0: the pool turns its coin {C1} into"):
        world.read(driver, CurveLedger([OLD]))


def test_a_crypto_pool_that_burns_its_coin_unwraps_it_and_is_refused_but_sending_one_in_is_not(world, driver):
    world.crypto_add(OLD, ALICE, [100, 100], 200)
    world.at(2).mint(C1, OTHER, 5)
    world.read(driver, CurveLedger([OLD]))
    world.at(3).burn(C1, OTHER, 5)
    with pytest.raises(Invalid, match=f"pool {OTHER}, block 3, log 0: the pool turns its coin"):
        world.read(driver, CurveLedger([OLD]))


def test_somebody_else_s_unwrapping_is_not_the_pool_s(world, driver):
    world.crypto_add(OLD, ALICE, [100, 100], 200)
    world.at(2).emit(C1, topics.COIN_WITHDRAWAL, [BOB], [5])
    world.read(driver, CurveLedger([OLD]))


@pytest.mark.parametrize(
    ("pools", "told"),
    [
        ([CurvePool(POOL, POOL, (C0,))], "has 1 coins"),
        ([CurvePool(POOL, POOL, (C0, C0))], "has 2 coins, two or more different"),
        ([NG, NG], f"{GAUGE}, {POOL}: named as LP token or gauge more than once"),
    ],
)
def test_pools_that_contradict_themselves_are_refused(pools, told):
    with pytest.raises(Invalid, match=told):
        CurveLedger(pools)


def test_a_transfer_of_a_token_that_nobody_follows_is_refused(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    (fact, *_) = world.read(driver, CurveLedger([NG])).transfers
    with pytest.raises(Invalid, match="no pool of this ledger has such a token"):
        CurveLedger([NG]).apply(fact._replace(token=C2))


def test_two_answers_that_differ_are_refused(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.logs.append(world.logs[0]._replace(data=(5).to_bytes(32)))
    with pytest.raises(Inconsistent, match="block 1, log 0: two answers differ"):
        world.read(driver, CurveLedger([NG]))


# Any history ----------------------------------------------------------------------------------------------------------


def play(world, seed, steps):
    """A random life of an NG pool with a gauge and of an older pool that shares a coin with it."""
    dice = random.Random(seed)
    world.ng_add(NG, ALICE, [1000, 1000], 2000)
    world.transaction().old_add(OLD, BOB, [1000, 1000], 2000)
    for block in range(2, steps):
        world.at(block)
        who, units = dice.choice([ALICE, BOB]), dice.randint(1, 40)
        lp = world.balances[POOL][who]
        staked = world.balances[GAUGE][who]
        verb = dice.randrange(8)
        if verb == 0:
            world.ng_add(NG, who, [units, 2], units)
        elif verb == 1 and lp >= units:
            world.ng_remove_one(NG, who, 0, units // 2, units)
        elif verb == 2 and lp >= units:
            world.stake(GAUGE, POOL, who, units)
        elif verb == 3 and staked >= units:
            world.unstake(GAUGE, POOL, who, units)
        elif verb == 4 and lp >= units:
            world.transfer(POOL, who, dice.choice([ALICE, BOB, POOL, GAUGE, ZERO_ADDRESS]), units)
        elif verb == 5:
            world.old_add(OLD, who, [units, 1], units)
        elif verb == 6 and world.balances[LP][who] >= units:
            world.old_remove(OLD, who, [1, 1], units)
        else:
            world.exchange(NG, who, 1, units, 0, 1)
    return world


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 40), max_size=4))
def test_any_history_in_any_spans_folds_to_the_truth(new_curve_world, driver, seed, cuts):
    world = play(new_curve_world().at(1), seed, 40)
    ledger, facts = CurveLedger([NG, OLD]), []
    edges = sorted({0, *cuts, 41})
    for start, end in pairwise(edges):
        facts += world.read(driver, ledger, Span(start, end)).transfers
    for token in (POOL, LP, GAUGE):
        assert ledger.shares(token).balances() == world.held(token)
        assert ledger.shares(token).supply == world.supply[token]
    for pool in (NG, OLD):
        assert ledger.holdings(pool.pool) == {coin: world.balances[coin][pool.pool] for coin in pool.coins}
    again = CurveLedger([NG, OLD])
    for fact in facts:
        again.apply(fact)
    assert [again.shares(token).balances() for token in (POOL, LP, GAUGE)] == [
        ledger.shares(token).balances() for token in (POOL, LP, GAUGE)
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_a_mint_or_burn_left_out_is_noticed(new_curve_world, driver, seed, data):
    world = play(new_curve_world().at(1), seed, 15)
    zero = padded(ZERO_ADDRESS)
    told = [
        log
        for log, after in zip(world.logs, world.logs[1:], strict=False)
        if log.address in (POOL, LP)
        and log.topics[0] == TRANSFER
        and zero in log.topics[1:]
        and after.block == log.block
        and after.address in (POOL, OTHER, C0)
    ]
    world.logs.remove(data.draw(st.sampled_from(told)))
    with pytest.raises(Inconsistent):
        world.read(driver, CurveLedger([NG, OLD]))


def test_a_copied_ledger_goes_its_own_way(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    ledger = CurveLedger([NG])
    world.read(driver, ledger)
    twin = ledger.copy()
    world.at(2).ng_add(NG, BOB, [10, 10], 20)
    world.read(driver, twin, Span(2, 3))
    assert (ledger.shares(POOL).supply, twin.shares(POOL).supply) == (200, 220)
    assert (ledger.holdings(POOL)[C0], twin.holdings(POOL)[C0]) == (100, 110)
    assert twin.generations == ledger.generations
