"""Catching up: a late pool takes turns with those at the head, and the facts are those of any other order."""

import asyncio
from collections.abc import Callable

import pytest

from loyalty.core.spans import Span
from loyalty.jobs.backfill import start, stop
from loyalty.jobs.followers import curve
from loyalty.jobs.index import Indexer, Step
from loyalty.jobs.next_plan import LIVE_BLOCKS
from loyalty.jobs.rewind import Rewound
from loyalty.jobs.step_blocks import StepBlocks
from loyalty.state import State, StateTransaction, backfills, pools
from loyalty.state.backfills import Backfill
from tests.jobs.played_chain import CHAIN, PlayedEndpoint
from tests.jobs.test_followers import (
    ALICE,
    BOB,
    CARL,
    NG,
    OLD,
    check_truth,
    indexer,
    run,
    store_curve,
    stored_transfers,
)
from tests.protocols.curve.conftest import CurveWorld

HEAD = 40_000
FINAL = 39_000


def long_history(until: int = HEAD) -> CurveWorld:
    """NG from block 10 on, OLD from block 20 on, something in every thousandth block of each."""
    world = CurveWorld()
    world.at(10).ng_add(NG, ALICE, [5_000, 7_000], 11_000)
    world.at(20).old_add(OLD, BOB, [900, 800], 1_600)
    for block in range(1_000, until + 1, 1_000):
        world.at(block).ng_add(NG, CARL, [10, 20], 25)
        world.transaction().transfer(OLD.lp_token, BOB, CARL, 1)
    return world


def late(state: State, endpoint: PlayedEndpoint) -> Indexer:
    """NG is at the head, OLD is not begun."""
    store_curve(state, NG, 10)
    index = indexer(state, endpoint)
    run(index)
    store_curve(state, OLD, 20)
    return index


def step(index: Indexer, now: int = 1) -> Step | Rewound | None:
    return asyncio.run(index.step(now))


def span(done: Step | Rewound | None) -> Span:
    assert isinstance(done, Step)
    return done.span


def next_blocks(state: State) -> list[int]:
    with state.read() as connection:
        return [row.next_block for row in pools.all_pools(connection, CHAIN)]


def row(state: State) -> Backfill | None:
    with state.read() as connection:
        return backfills.get(connection, CHAIN)


def test_the_head_goes_first_and_waits_for_one_step_of_the_others_only(state: State) -> None:
    world = long_history(HEAD + 100)
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    endpoint.last = HEAD + 5
    spans = []
    for _ in range(4):
        spans.append(span(step(index)))
        endpoint.last += 1
    assert spans == [Span(HEAD + 1, HEAD + 6), Span(20, 2_020), Span(HEAD + 6, HEAD + 8), Span(2_020, 6_020)]


def test_a_step_that_the_head_waits_for_halves_when_it_took_longer_than_it_may() -> None:
    blocks = StepBlocks(2_000, 20_000, seconds_most=2.0)
    seen = []
    for seconds in (0.5, 1.5, 2.5, 0.9):
        blocks.stepped(10, seconds)
        seen.append(blocks.blocks)
    assert seen == [4_000, 4_000, 2_000, 4_000]


def test_the_late_pool_meets_the_others_and_goes_on_with_them(state: State) -> None:
    world = long_history()
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    run(index := late(state, endpoint))
    assert next_blocks(state) == [HEAD + 1, HEAD + 1]
    world.at(HEAD + 1).ng_add(NG, CARL, [1, 2], 3)
    world.transaction().transfer(OLD.lp_token, BOB, CARL, 1)
    endpoint.told, endpoint.last = world.logs, HEAD + 1
    (last,) = run(index)
    assert isinstance(last, Step)
    assert (last.span, last.events) == (Span(HEAD + 1, HEAD + 2), 4)
    check_truth(state, world, NG, OLD)


def test_no_ledger_is_folded_again_while_the_groups_take_turns(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[tuple[int, ...]] = []
    fold = curve.fold

    def counted(connection, stored, before_block=None):  # type: ignore[no-untyped-def]
        folded.append(tuple(each.pool.id for each in stored))
        return fold(connection, stored, before_block)

    monkeypatch.setattr(curve, "fold", counted)
    world = long_history(HEAD + 10)
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    while step(index) is not None:
        endpoint.last = min(endpoint.last + 1, HEAD + 10)
    first, second = folded[0], folded[1]
    assert folded == [first, second, first + second]
    check_truth(state, world, NG, OLD)


def test_facts_are_the_same_whichever_order_they_were_indexed_in(new_state: Callable[[], State]) -> None:
    world = long_history()
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    together, joined, restarted = (new_state() for _ in range(3))
    for each in (NG, OLD):
        store_curve(together, each, 10 if each is NG else 20)
    run(indexer(together, endpoint))
    run(late(joined, endpoint))
    late(restarted, endpoint)
    while step(indexer(restarted, endpoint)) is not None:  # a process of its own for each step
        pass
    assert stored_transfers(together) == stored_transfers(joined) == stored_transfers(restarted)
    check_truth(restarted, world, NG, OLD)


def test_a_reorg_while_catching_up_takes_back_what_is_above_it_and_no_block_of_the_late_pool(state: State) -> None:
    lost = long_history()
    lost.at(HEAD + 3).ng_add(NG, CARL, [70, 80], 140)
    endpoint = PlayedEndpoint(lost.logs, HEAD + 5, final=FINAL)
    index = late(state, endpoint)
    assert span(step(index)) == Span(20, 2_020)
    world = long_history()
    world.at(HEAD + 4).ng_add(NG, CARL, [7, 8], 14)
    endpoint.told, endpoint.fork, endpoint.last = world.logs, HEAD + 2, HEAD + 6
    assert isinstance(rewound := step(index), Rewound)
    assert rewound.facts == 3
    assert next_blocks(state) == [rewound.ancestor.number + 1, 2_020]
    run(index)
    assert next_blocks(state) == [HEAD + 7, HEAD + 7]
    check_truth(state, world, NG, OLD)


def test_after_a_pause_the_foremost_reach_the_head_before_the_late_pool_moves(state: State) -> None:
    world = long_history(HEAD)
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    endpoint.last = HEAD + 3 * LIVE_BLOCKS
    spans = [span(step(index)) for _ in range(2)]
    assert spans[0].start == HEAD + 1
    while spans[-1].start > HEAD:
        spans.append(span(step(index)))
    assert [each.end for each in spans[:-1]][-1] == endpoint.last + 1


# Its progress ---------------------------------------------------------------------------------------------------------


def test_the_progress_is_kept_with_every_step_and_goes_when_the_head_is_near(state: State) -> None:
    world = long_history()
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    assert row(state) is None
    step(index, now=100)
    assert row(state) == Backfill(CHAIN, 20, HEAD + 1, 2_020, 6, 100, 100, False)
    step(index, now=104)
    assert (kept := row(state)) is not None
    assert (kept.next_block, kept.blocks_left, kept.blocks_done) == (6_020, HEAD + 1 - 6_020, 6_000)
    assert (kept.blocks_per_second, kept.seconds_left) == (1_500, 22)
    run(index)
    assert row(state) is None


def test_the_first_index_of_a_chain_is_a_backfill_up_to_its_head(state: State) -> None:
    store_curve(state, NG, 10)
    step(indexer(state, PlayedEndpoint(long_history().logs, HEAD, final=FINAL)))
    assert (kept := row(state)) is not None
    assert (kept.from_block, kept.until_block, kept.next_block) == (10, HEAD + 1, 2_010)


def test_a_stopped_backfill_stays_stopped_over_restarts_while_the_head_goes_on_and_continues(state: State) -> None:

    world = long_history(HEAD + 20)
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    step(index, now=100)
    step(index, now=110)
    with StateTransaction(state) as connection:
        assert stop(connection, "river", 111).stopped
    for endpoint.last in (HEAD + 1, HEAD + 3 * LIVE_BLOCKS):
        run(indexer(state, endpoint))
        assert next_blocks(state) == [endpoint.last + 1, 6_020]
    with StateTransaction(state) as connection:
        running = start(connection, "river", 6_020, 1_000)
    assert running is not None
    assert (running.stopped, running.began_time, running.updated_time) == (False, 990, 1_000)
    run(indexer(state, endpoint))
    assert row(state) is None
    check_truth(state, world, NG, OLD)


def test_a_reorg_under_a_stopped_backfill_does_not_stop_the_head(state: State) -> None:

    world = long_history()
    endpoint = PlayedEndpoint(world.logs, HEAD, final=FINAL)
    index = late(state, endpoint)
    step(index)
    with StateTransaction(state) as connection:
        stop(connection, "river", 2)
    endpoint.fork, endpoint.last = HEAD - 10, HEAD + 2
    assert isinstance(step(index), Rewound)
    run(index)
    assert next_blocks(state) == [HEAD + 3, 2_020]
