"""The next plan: whose turn it is among the cursors of a chain, and how far a step may go."""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.checkpoint import Header
from loyalty.jobs.followers.turn import Plan
from loyalty.state.backfills import Backfill
from loyalty.state.cursors import Cursor

LIVE_BLOCKS = 5_000
"""Cursors this close to the foremost one go together with it. Endpoints give at least about as many blocks in one
question, so such a gap is closed by one short step; what is further behind would keep the head waiting."""


class Sight(NamedTuple):
    """What is known before a step: up to which block it may go, where the program starts and what is final."""

    last: int
    start_block: int | None
    finalized: Header | None


def next_plan(rows: Sequence[Cursor], sight: Sight, backfill: Backfill | None, *, catching_up: bool) -> Plan | None:
    """Those at the front, and by turns (`catching_up`, or with the front where it can be) those furthest behind.

    Of either, those that are furthest behind, up to where the next ones stand. None where nothing is left.
    """
    due = [row for row in rows if row.next_block <= sight.last and not _halted(row, backfill)]
    front = _front(rows)
    leading = [row for row in due if row.next_block + LIVE_BLOCKS > front]
    behind = [row for row in due if row not in leading]
    if behind and (catching_up or not leading):
        return _planned(rows, behind, sight, is_behind=True)
    return _planned(rows, leading, sight, is_behind=False) if leading else None


def _halted(row: Cursor, backfill: Backfill | None) -> bool:
    return backfill is not None and backfill.stopped and row.next_block < backfill.until_block


def _front(rows: Sequence[Cursor]) -> int:
    """Where the foremost cursor stands that has begun; 0 where none has."""
    return max((row.next_block for row in rows if row.next_block > row.start_block), default=0)


def _planned(rows: Sequence[Cursor], chosen: Sequence[Cursor], sight: Sight, *, is_behind: bool) -> Plan:
    """A span never crosses the program's start block, where swaps begin to count, nor the finalized block: what is
    final is then never rewound with what is not.
    """
    start = min(row.next_block for row in chosen)
    group = tuple(row for row in chosen if row.next_block == start)
    limits = [sight.last + 1, *(row.next_block for row in rows if row.next_block > start)]
    start_block, finalized = sight.start_block, sight.finalized
    with_swaps = start_block is not None and start >= start_block
    if start_block is not None and start < start_block:
        limits.append(start_block)
    if finalized is not None and start <= finalized.number:
        limits.append(finalized.number + 1)
    return Plan(group, start, min(limits), start_block, with_swaps, is_behind)
