"""Day points: a pool-day's cells at a rate a dollar-day."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from loyalty.core.amounts import format_decimal
from loyalty.jobs.accrue import EMPTY
from loyalty.jobs.scoring.counted import Counted
from loyalty.jobs.scoring.score_rules import Term
from loyalty.program.cells import Cell
from loyalty.program.in_force import contracts_looked_through
from loyalty.program.points import points_of_days
from loyalty.program.rules import PoolKey
from loyalty.state import days, points
from loyalty.state.days import PoolDay
from loyalty.state.points import PeriodRow, PointLine
from loyalty.state.pools import PoolRow


def days_to_count(connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[tuple[Term, PoolDay]]:
    """The computed days of the program without points yet: a day that is computed again has lost those it had."""
    key = PoolKey(pool.chain_id, pool.address)
    counted = points.periods(connection, pool.id, "day")
    states = days.states(connection, pool.id)
    for term in pool_terms:
        for day in range(term.days.start, term.days.end) if key in term.rule.per_usd_day else ():
            if day in states and (term.rule.name, day) not in counted:
                yield term, states[day]


def counted_day(connection: Connection, pool: PoolRow, term: Term, day: PoolDay) -> Counted:
    """The points of one pool-day, with the status of the day.

    What a contract that is looked through has left is nobody's, and has none.
    """
    nobodys = contracts_looked_through(term.rules)
    stored = (Cell(*cell) for cell in days.pool_cells(connection, pool.id, day.day))
    cells = [cell for cell in stored if (cell.chain, cell.provider) not in nobodys]
    lines = [
        PointLine(line.address, line.usd_micro_days, line.points_micro, line.reason)
        for line in points_of_days(term.rule, cells, term.rules.exclusions)
    ]
    rate = format_decimal(term.rule.per_usd_day[PoolKey(pool.chain_id, pool.address)])
    status = "closed" if day.status == EMPTY else day.status
    row = PeriodRow(
        term.rule.name, pool.id, "day", day.day, status, day.reason, None, rate, day.as_of_block, day.as_of_time
    )
    return Counted(row, lines, lambda now: days.states(now, pool.id).get(day.day) != day)
