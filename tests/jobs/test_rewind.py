"""Rewind: what hung on forgotten blocks is forgotten with them, and computed again to the last unit."""

from collections.abc import Callable

from sqlalchemy import text

from loyalty.core.facts import Swap
from loyalty.core.spans import Span
from loyalty.jobs.rewind import forget_above
from loyalty.state import State, StateTransaction, blocks, facts, pools
from tests.jobs.stage import CHAIN, ONE, START_BLOCK, Stage, at, block_of, cell, header

BEFORE = """
    0d 00:00  mint  alice  100
    1d 00:30  seen
"""
LOST = """
    1d 06:00  mint  bob  500
    2d 03:00  head
"""
AFTER = """
    1d 07:00  mint  bob  300
    2d 04:00  head
"""


def forget(stage: Stage, text: str) -> int:
    with StateTransaction(stage.state) as connection:
        return forget_above(connection, CHAIN, header(block_of(at(text))))


def test_days_that_counted_a_forgotten_block_are_forgotten_and_no_others(stage: Stage) -> None:
    stage.set_up().play(BEFORE + LOST)
    stage.accrue()
    assert stage.statuses() == {0: "closed", 1: "closed", 2: "open"}
    assert forget(stage, "1d 00:30") == 1
    assert stage.statuses() == {0: "closed"}
    assert set(stage.cells()) == {("one", "alice", 0)}


def test_the_cursor_goes_back_to_the_block_after_the_ancestor(stage: Stage) -> None:
    stage.set_up().play(BEFORE + LOST)
    forget(stage, "1d 00:30")
    with stage.state.read() as connection:
        assert {row.next_block for row in pools.all_pools(connection)} == {block_of(at("1d 00:30")) + 1}
        assert blocks.last(connection, CHAIN) == header(block_of(at("1d 00:30")))


def test_a_pool_that_has_not_come_that_far_keeps_its_cursor(stage: Stage) -> None:
    stage.set_up().play(BEFORE + LOST)
    with StateTransaction(stage.state) as connection:
        row = pools.find(connection, CHAIN, ONE)
        assert row is not None
        connection.execute(text("UPDATE pools SET next_block = :b WHERE id = :i"), {"b": START_BLOCK + 5, "i": row.id})
    forget(stage, "1d 00:30")
    with stage.state.read() as connection:
        assert sorted(row.next_block for row in pools.all_pools(connection)) == [
            START_BLOCK + 5,
            block_of(at("1d 00:30")) + 1,
        ]


def test_after_a_rewind_everything_is_as_if_the_lost_branch_had_never_been(
    stage: Stage, new_state: Callable[[], State]
) -> None:
    stage.set_up().play(BEFORE + LOST)
    stage.accrue()
    stage.settle()
    forget(stage, "1d 00:30")
    stage.fork = "b"
    straight = Stage(new_state()).set_up().play(BEFORE)
    straight.fork = "b"
    for each in (stage, straight):
        each.play(AFTER)
        each.accrue()
        each.settle()
    assert stage.cells() == straight.cells()
    assert stage.cells()["one", "bob", 1][0] == cell(300, 17 * 3_600)
    kept = ("pool_days", "daily_balances", "rewards", "epoch_budgets")
    assert {table: stage.dump()[table] for table in kept} == {table: straight.dump()[table] for table in kept}


def test_a_day_closed_by_the_last_block_that_stays_is_kept(stage: Stage) -> None:
    stage.set_up().play(BEFORE + LOST)
    stage.accrue()
    forget(stage, "2d 03:00")
    assert stage.statuses() == {0: "closed", 1: "closed", 2: "open"}


def test_facts_at_the_ancestor_itself_stay(stage: Stage) -> None:
    stage.set_up().play(BEFORE + LOST)
    assert forget(stage, "1d 06:00") == 0
    with stage.state.read() as connection:
        row = pools.find(connection, CHAIN, ONE)
        assert row is not None
        kept: list[Swap] = facts.swaps(connection, row.id, Span(0, 1 << 62))
    assert len(kept) == 1
