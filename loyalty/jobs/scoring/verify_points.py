"""Verify points: rounds and points are counted again from the stored facts, prices and cells, and compared."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from loyalty.core.address import checksum
from loyalty.core.times import day_of, day_text
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.scoring.counted import Counted
from loyalty.jobs.scoring.day_points import counted_day
from loyalty.jobs.scoring.round_points import count_round
from loyalty.jobs.scoring.round_starts import group_of, round_starts, stored_start
from loyalty.jobs.scoring.score_rules import Term, terms
from loyalty.program.rules import PoolKey
from loyalty.state import days, points, pools, round_rolls, rounds, vaults
from loyalty.state.points import Period, PeriodRow
from loyalty.state.pools import PoolRow


def verify_points(connection: Connection, faults: list[str]) -> int:
    """How many lines of closed rounds and days were counted again; where they differ is told in `faults`."""
    by_pool, lines = terms(connection), 0
    for pool in pools.all_pools(connection):
        pool_terms = by_pool.get(PoolKey(pool.chain_id, pool.address), [])
        if pool_terms and pool.protocol == "stream_vault":
            faults += _start_faults(connection, pool, pool_terms)
        for stored, counted in _closed(connection, pool, pool_terms):
            before, after = points.lines(connection, stored), sorted((counted.lines if counted else None) or [])
            lines += len(before)
            if before != after or counted is None or counted.row[:8] != stored[:8]:
                faults.append(f"{_place(pool, stored)}: the points that are stored are not those counted")
    return lines


def _closed(
    connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]
) -> Iterator[tuple[PeriodRow, Counted | None]]:
    """Every stored closed period, and what is counted again; None for one that the program does not have."""
    again = {**_days(connection, pool, pool_terms), **_rounds(connection, pool, pool_terms)}
    kinds: tuple[Period, ...] = ("round", "day")
    for period in kinds:
        for stored in points.periods(connection, pool.id, period).values():
            if stored.status == CLOSED:
                yield stored, again.get((stored.score, stored.period, stored.number))


def _days(connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]) -> dict[tuple[str, str, int], Counted]:
    key, states = PoolKey(pool.chain_id, pool.address), days.states(connection, pool.id)
    return {
        (term.rule.name, "day", day): counted_day(connection, pool, term, states[day])
        for term in pool_terms
        if key in term.rule.per_usd_day
        for day in range(term.days.start, term.days.end)
        if day in states
    }


def _rounds(connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]) -> dict[tuple[str, str, int], Counted]:
    if pool.protocol != "stream_vault":
        return {}
    group, key = group_of(connection, vaults.get(connection, pool.id)), PoolKey(pool.chain_id, pool.address)
    ends = {roll.round: roll for roll in round_rolls.of_vault(connection, pool.id)}
    found = (
        ((term.rule.name, "round", start.round + 1), count_round(connection, group, term, start, ends.get(number + 1)))
        for number, start in ends.items()
        for term in pool_terms
        if key in term.rule.per_usd_per_round and term.on(day_of(start.time))
    )
    return {place: counted for place, counted in found if counted is not None}


def _start_faults(connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[str]:
    """Where a stored round did not begin as the facts say, or never did."""
    group = group_of(connection, vaults.get(connection, pool.id))
    stored = rounds.of_pool(connection, pool.id)
    starts = (stored_start(pool.id, start) for start in round_starts(connection, group, set(stored), pool_terms))
    again = {row.round: (row, shares) for row, shares in starts}
    for number, row in stored.items():
        if again.get(number) != (row, rounds.shares(connection, pool.id, number)):
            yield f"round {number} of {checksum(pool.address)}: how it began is not what its facts say"


def _place(pool: PoolRow, row: PeriodRow) -> str:
    when = day_text(row.number) if row.period == "day" else str(row.number)
    return f"{row.score}, {row.period} {when} of {checksum(pool.address)}"
