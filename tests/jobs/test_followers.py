"""Curve pools in the index: whatever the spans, restarts, late pools and reorgs, what is stored folds to the truth."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid, NotFound
from loyalty.core.facts import TokenTransfer
from loyalty.jobs.followers.curve import curve_pool, fold
from loyalty.jobs.index import Indexer, Step
from loyalty.jobs.rewind import Rewound
from loyalty.program.rules import Token
from loyalty.protocols.curve.pool import CurvePool
from loyalty.protocols.uniswap_v3 import topics as uniswap_topics
from loyalty.state import State, StateTransaction, blocks, chains, facts, pools, share_pools, token_transfers, tokens
from tests.jobs.played_chain import CHAIN, PlayedEndpoint
from tests.protocols.curve.conftest import CurveWorld

POOL, OTHER, LP, GAUGE, PAIR = (Address("0x" + digits * 20) for digits in ("99", "98", "97", "6a", "55"))
C0, C1, C2 = (Address("0x" + digits * 20) for digits in ("c0", "c1", "c2"))
ALICE, BOB, CARL = (Address("0x" + digits * 20) for digits in ("a1", "b0", "ca"))
NG = CurvePool(POOL, POOL, (C0, C1), (GAUGE,))
OLD = CurvePool(OTHER, LP, (C1, C2))
NEVER = 10**12
"""A program's start that the chain does not reach: a Curve pool's history is read whatever it is."""


def played() -> CurveWorld:
    """NG from block 10 on, OLD from block 20 on, which share the coin C1; at block 35 NG pays C1 to OLD itself."""
    world = CurveWorld()
    world.at(10).ng_add(NG, ALICE, [5_000, 7_000], 11_000)
    world.at(15).stake(GAUGE, POOL, ALICE, 4_000)
    world.transaction().exchange(NG, BOB, 0, 100, 1, 99)
    world.at(20).old_add(OLD, BOB, [900, 800], 1_600)
    world.at(30).transfer(LP, BOB, CARL, 600)
    world.transaction().ng_add(NG, CARL, [10, 20], 25)
    world.at(35).transfer(C1, POOL, OTHER, 3)
    world.at(40).unstake(GAUGE, POOL, ALICE, 1_500)
    world.transaction().old_remove(OLD, CARL, [30, 20], 50)
    return world


def store_curve(state: State, pool: CurvePool, start_block: int) -> int:
    with StateTransaction(state) as connection:
        chains.ensure(connection, CHAIN, "river")
        ids = [tokens.ensure(connection, Token(coin[-2:].upper(), CHAIN, coin, 18, 8, 7_200)) for coin in pool.coins]
        pool_id = pools.ensure(connection, CHAIN, pool.pool, "curve", ids[0], ids[1], start_block)
        share_pools.ensure(connection, pool_id, pool.lp_token, list(zip(pool.coins, ids, strict=True)), pool.gauges)
    return pool_id


def indexer(state: State, endpoint: PlayedEndpoint) -> Indexer:
    return Indexer(state, Chain("river", CHAIN, [endpoint]), {}, NEVER)


def run(index: Indexer, until: int | None = None) -> list[Step | Rewound]:
    """Steps until nothing is left."""
    done: list[Step | Rewound] = []
    while (step := asyncio.run(index.step(1, until))) is not None:
        done.append(step)
    return done


def stored_transfers(state: State) -> list[TokenTransfer]:
    with state.read() as connection:
        followed = [number for each in share_pools.all_on(connection, CHAIN) for number in each.followed]
        return list(token_transfers.of_tokens(connection, followed))


def check_truth(state: State, world: CurveWorld, *followed: CurvePool) -> None:
    with state.read() as connection:
        stored = share_pools.all_on(connection, CHAIN)
        ledger = fold(connection, stored)
    assert [curve_pool(each) for each in stored] == list(followed)
    for pool in followed:
        assert ledger.holdings(pool.pool) == {coin: world.balances[coin][pool.pool] for coin in pool.coins}
        for token in (pool.lp_token, *pool.gauges):
            assert ledger.shares(token).balances() == world.held(token)
            assert ledger.shares(token).supply == world.supply[token]


@pytest.mark.parametrize("cuts", [(), (9,), (14, 15, 19), (29, 35), tuple(range(10, 45))])
@pytest.mark.parametrize("restarted", [False, True])
def test_shares_and_holdings_are_the_truth_wherever_the_spans_are_cut(
    state: State, cuts: Sequence[int], restarted: bool
) -> None:
    world = played()
    store_curve(state, NG, 10)
    store_curve(state, OLD, 20)
    endpoint = PlayedEndpoint(world.logs, 50)
    index = indexer(state, endpoint)
    for cut in (*cuts, 50):
        run(index, cut)
        index = indexer(state, endpoint) if restarted else index
    check_truth(state, world, NG, OLD)
    with state.read() as connection:
        assert {row.next_block for row in pools.all_pools(connection)} == {51}
        assert [each.generation for each in share_pools.all_on(connection, CHAIN)] == ["stableswap_ng", "stableswap"]


def test_every_cut_and_a_pool_that_joins_late_store_the_very_same_facts(new_state: Callable[[], State]) -> None:
    world = played()
    endpoint = PlayedEndpoint(world.logs, 50)
    straight, cut, late = (new_state() for _ in range(3))
    for state in (straight, cut, late):
        store_curve(state, NG, 10)
    run(indexer(late, endpoint))  # OLD is not known yet
    for state in (straight, cut, late):
        store_curve(state, OLD, 20)
    for last in range(10, 50):
        run(indexer(cut, endpoint), last)
    for state in (straight, cut, late):
        run(indexer(state, endpoint))
    assert stored_transfers(straight) == stored_transfers(cut) == stored_transfers(late)
    check_truth(late, world, NG, OLD)
    with late.read() as connection:  # the transfer between the two pools is one event, told by both
        assert blocks.event_count(connection, CHAIN, 35) == 1


def test_an_event_that_says_another_supply_stores_nothing_and_the_step_is_done_again(state: State) -> None:
    world = played()
    store_curve(state, NG, 10)
    left_out = [log for log in world.logs if not (log.block == 30 and log.address == POOL and len(log.topics) == 3)]
    assert len(left_out) == len(world.logs) - 1
    endpoint = PlayedEndpoint(left_out, 50)
    index = indexer(state, endpoint)
    run(index, 29)
    before = stored_transfers(state)
    with pytest.raises(Inconsistent, match=f"AddLiquidity of pool {POOL}, block 30"):
        run(index)
    assert stored_transfers(state) == before
    with state.read() as connection:
        assert {row.next_block for row in pools.all_pools(connection)} == {30}
    endpoint.told = world.logs
    run(index)
    check_truth(state, world, NG)


def test_a_reorg_takes_transfers_back_and_the_other_branch_is_indexed(state: State) -> None:
    store_curve(state, NG, 10)
    store_curve(state, OLD, 20)
    lost = played()
    lost.at(45).ng_add(NG, CARL, [70, 80], 140)
    endpoint = PlayedEndpoint(lost.logs, 50, final=25)
    index = indexer(state, endpoint)
    run(index)
    world = played()
    world.at(46).ng_add(NG, CARL, [7, 8], 14)
    endpoint.told, endpoint.fork, endpoint.last = world.logs, 36, 52
    done = run(index)
    assert isinstance(done[0], Rewound)
    assert (done[0].ancestor.number, done[0].facts) == (35, 5 + 3)
    check_truth(state, world, NG, OLD)


def test_a_pool_of_which_nothing_is_left_has_no_generation_either(state: State) -> None:
    store_curve(state, NG, 2)
    index = indexer(state, endpoint := PlayedEndpoint(played().logs, 50, final=5))
    run(index)
    with state.read() as connection:
        assert [each.generation for each in share_pools.all_on(connection, CHAIN)] == ["stableswap_ng"]
    endpoint.told, endpoint.fork, endpoint.last = [], 8, 60
    asyncio.run(index.step(1))
    with state.read() as connection:
        assert [each.generation for each in share_pools.all_on(connection, CHAIN)] == [None]
    assert stored_transfers(state) == []


def test_pools_of_both_protocols_are_read_in_one_step_over_the_same_blocks(state: State) -> None:
    world = played()
    curve_id = store_curve(state, NG, 10)
    with StateTransaction(state) as connection:
        row = pools.get(connection, curve_id)
        pools.ensure(connection, CHAIN, PAIR, "uniswap_v3", row.token0_id, row.token1_id, 10, 500, 10)
    world.at(11).emit(PAIR, uniswap_topics.INITIALIZE, [], [1 << 96, 0])
    (step,) = run(indexer(state, PlayedEndpoint(sorted(world.logs, key=lambda log: log.block), 50)))
    assert isinstance(step, Step)
    assert step.events == len(stored_transfers(state)) + 1
    with state.read() as connection:
        pair = pools.find(connection, CHAIN, PAIR)
        assert pair is not None
        assert facts.last_price(connection, pair.id) == (12 * 11, 1 << 96, 0)
        assert pair.next_block == 51
        assert blocks.event_count(connection, CHAIN, 10) == 3
    check_truth(state, world, NG)


def test_a_stored_pool_of_an_unknown_protocol_is_refused_by_name(state: State) -> None:
    curve_id = store_curve(state, NG, 10)
    with StateTransaction(state) as connection:
        row = pools.get(connection, curve_id)
        pools.ensure(connection, CHAIN, PAIR, "sushi", row.token0_id, row.token1_id, 10)
    with pytest.raises(Invalid, match="is stored as sushi, which this release cannot index"):
        run(indexer(state, PlayedEndpoint([], 50)))


def test_a_curve_pool_without_its_shares_is_refused_and_its_cursor_stays(state: State) -> None:
    curve_id = store_curve(state, NG, 10)
    with StateTransaction(state) as connection:
        row = pools.get(connection, curve_id)
        bare = pools.ensure(connection, CHAIN, PAIR, "curve", row.token0_id, row.token1_id, 10)
    with pytest.raises(NotFound, match=f"pool {bare} has no shares in the database"):
        run(indexer(state, PlayedEndpoint(played().logs, 50)))
    with state.read() as connection:
        assert {row.next_block for row in pools.all_pools(connection)} == {10}
