"""Pool-days and their cells: what each provider had in a pool on a day, in micro-dollar-days."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.amounts import usd_micro
from loyalty.core.spans import Span
from loyalty.state import points
from loyalty.state.bulk import collector_paused, insert_rows
from loyalty.state.schema import daily_balances as table


class PoolDay(NamedTuple):
    """How far a pool's day is computed: its cells count it up to block `as_of_block`, of `as_of_time`.

    `reason` says what is missing where its price is.
    """

    pool_id: int
    day: int
    status: str
    reason: str | None
    as_of_block: int
    as_of_time: int


class DailyCell(NamedTuple):
    """A provider's micro-dollar-days in a pool on a day, in all and in range, in the order of the program's cells."""

    chain: int
    pool: Address
    provider: Address
    day: int
    usd_micro_days: int
    usd_micro_days_in_range: int


_SELECT = "SELECT pool_id, day, status, reason, as_of_block, as_of_time FROM pool_days"


def write(
    connection: Connection,
    pool_id: int,
    day: int,
    status: str,
    reason: str | None,
    as_of_block: int,
    as_of_time: int,
    cells: Mapping[int, tuple[int, int]],
) -> None:
    """Put the day's cells, (micro-dollar-days, in range) by provider id, in the place of what was there.

    The day's points followed from those cells: they go, and are counted again.
    """
    bound = {"pool_id": pool_id, "day": day}
    points.delete_day(connection, pool_id, day)
    connection.execute(text("DELETE FROM daily_balances WHERE pool_id = :pool_id AND day = :day"), bound)
    statement = text(
        "INSERT INTO pool_days VALUES (:pool_id, :day, :status, :reason, :as_of_block, :as_of_time) "
        "ON CONFLICT (pool_id, day) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
        "as_of_block = excluded.as_of_block, as_of_time = excluded.as_of_time"
    )
    connection.execute(statement, PoolDay(pool_id, day, status, reason, as_of_block, as_of_time)._asdict())
    rows = (
        (provider_id, pool_id, day, usd_micro(usd), usd_micro(usd_in_range))
        for provider_id, (usd, usd_in_range) in sorted(cells.items())
    )
    insert_rows(connection, table, rows)


def states(connection: Connection, pool_id: int) -> dict[int, PoolDay]:
    """The pool's days that were computed, by day."""
    rows = connection.execute(text(f"{_SELECT} WHERE pool_id = :pool_id ORDER BY day"), {"pool_id": pool_id})
    return {row.day: PoolDay(*row) for row in rows}


def all_states(connection: Connection, days: Span) -> list[PoolDay]:
    """Every pool's computed days among `days`, by pool and day."""
    statement = text(f"{_SELECT} WHERE day >= :start AND day < :end ORDER BY pool_id, day")
    return [PoolDay(*row) for row in connection.execute(statement, {"start": days.start, "end": days.end})]


def delete_from(connection: Connection, pool_id: int, day: int) -> int:
    """Forget the pool's days from `day` on, to be computed again, and their points with them; returns how many."""
    bound = {"pool_id": pool_id, "day": day}
    points.delete_days_from(connection, pool_id, day)
    connection.execute(text("DELETE FROM daily_balances WHERE pool_id = :pool_id AND day >= :day"), bound)
    return connection.execute(text("DELETE FROM pool_days WHERE pool_id = :pool_id AND day >= :day"), bound).rowcount


def pool_cells(connection: Connection, pool_id: int, day: int) -> list[DailyCell]:
    """The cells of one pool-day, by provider id."""
    statement = text(
        "SELECT pools.chain_id, pools.address, providers.address, day, usd_micro_days, usd_micro_days_in_range "
        "FROM daily_balances JOIN pools ON pools.id = pool_id JOIN providers ON providers.id = provider_id "
        "WHERE pool_id = :pool_id AND day = :day ORDER BY provider_id"
    )
    return [DailyCell(*row) for row in connection.execute(statement, {"pool_id": pool_id, "day": day})]


def cells(connection: Connection, days: Span, provider_id: int | None = None) -> list[DailyCell]:
    """The cells of `days` (of one provider), by day, pool and provider id.

    Naming the pools makes the index on (pool, day) usable, so other days cost nothing.
    """
    whose = "" if provider_id is None else "AND provider_id = :provider_id "
    statement = text(
        "SELECT pools.chain_id, pools.address, providers.address, day, usd_micro_days, usd_micro_days_in_range "
        "FROM daily_balances JOIN pools ON pools.id = pool_id JOIN providers ON providers.id = provider_id "
        f"WHERE pool_id IN (SELECT id FROM pools) AND day >= :start AND day < :end {whose}"
        "ORDER BY day, pool_id, provider_id"
    )
    bound = {"start": days.start, "end": days.end}
    rows = connection.execute(statement, bound if provider_id is None else bound | {"provider_id": provider_id})
    with collector_paused():
        return [DailyCell(*row) for row in rows]
