"""Points: each score's rounds and days, how far they are counted, and the lines of each provider in them."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import points as table

Period = Literal["round", "day"]


class PeriodRow(NamedTuple):
    """A round or a day of a pool in a score: `rate` as an exact decimal, `price` the asset's at the round's start.

    `reason` says what is missing. Facts up to `as_of_time` are counted.
    """

    score: str
    pool_id: int
    period: Period
    number: int
    status: str
    reason: str | None
    price: int | None
    rate: str
    as_of_block: int
    as_of_time: int


class PointLine(NamedTuple):
    """A provider's points in a period, and why there are none. `usd_micro`: held at a round's start; dollar-days."""

    provider: Address
    usd_micro: int
    points_micro: int
    reason: str | None


_SELECT = (
    "SELECT score, pool_id, period, number, status, reason, price, rate, as_of_block, as_of_time FROM point_periods"
)
_KEY = "score = :score AND pool_id = :pool_id AND period = :period AND number = :number"
_BOTH = ("points", "point_periods")


def write(connection: Connection, row: PeriodRow, lines: Iterable[tuple[int, PointLine]]) -> None:
    """Put a period and its lines, with the ids of their providers, in the place of what was there."""
    connection.execute(text(f"DELETE FROM points WHERE {_KEY}"), row._asdict())
    write_period(connection, row)
    rows = (
        (provider_id, *row[:4], line.usd_micro, line.points_micro, line.reason) for provider_id, line in sorted(lines)
    )
    insert_rows(connection, table, rows)


def write_period(connection: Connection, row: PeriodRow) -> None:
    """Put a period in the place of the one that was there; its lines stay."""
    statement = text(
        "INSERT INTO point_periods VALUES (:score, :pool_id, :period, :number, :status, :reason, :price, :rate, "
        ":as_of_block, :as_of_time) ON CONFLICT (score, pool_id, period, number) DO UPDATE SET "
        "status = excluded.status, reason = excluded.reason, price = excluded.price, rate = excluded.rate, "
        "as_of_block = excluded.as_of_block, as_of_time = excluded.as_of_time"
    )
    price = None if row.price is None else str(row.price)
    connection.execute(statement, row._replace(price=None)._asdict() | {"price": price})


def periods(connection: Connection, pool_id: int, period: Period) -> dict[tuple[str, int], PeriodRow]:
    """What is counted of a pool, by score and number."""
    statement = text(f"{_SELECT} WHERE pool_id = :pool_id AND period = :period ORDER BY score, number")
    rows = connection.execute(statement, {"pool_id": pool_id, "period": period})
    found = (_period(tuple(row)) for row in rows)
    return {(row.score, row.number): row for row in found}


def lines(connection: Connection, row: PeriodRow) -> list[PointLine]:
    """The lines of a period, by ascending address."""
    statement = text(
        "SELECT address, usd_micro, points_micro, reason FROM points JOIN providers ON providers.id = provider_id "
        f"WHERE {_KEY}"
    )
    return sorted(PointLine(Address(address), *rest) for address, *rest in connection.execute(statement, row._asdict()))


class ProviderLine(NamedTuple):
    """A provider's line with what it follows from; of a day without a round's start, price per share and shares."""

    score: str
    pool_id: int
    period: Period
    number: int
    status: str
    rate: str
    price: int | None
    usd_micro: int
    points_micro: int
    reason: str | None
    start_time: int | None
    price_per_share: int | None
    shares: int | None


def of_provider(connection: Connection, provider_id: int) -> list[ProviderLine]:
    """All lines of a provider."""
    statement = text(
        "SELECT points.score, points.pool_id, points.period, points.number, status, rate, price, usd_micro, "
        "points_micro, points.reason, start_time, price_per_share, shares FROM points "
        "JOIN point_periods AS periods ON periods.score = points.score AND periods.pool_id = points.pool_id "
        "AND periods.period = points.period AND periods.number = points.number "
        "LEFT JOIN rounds ON points.period = 'round' AND rounds.pool_id = points.pool_id "
        "AND rounds.round = points.number "
        "LEFT JOIN round_shares AS held ON held.pool_id = rounds.pool_id AND held.round = rounds.round "
        "AND held.provider_id = points.provider_id WHERE points.provider_id = :provider_id"
    )
    found = (ProviderLine(*row) for row in connection.execute(statement, {"provider_id": provider_id}))
    return [
        line._replace(
            price=_whole(line.price), price_per_share=_whole(line.price_per_share), shares=_whole(line.shares)
        )
        for line in found
    ]


def totals(connection: Connection, score: str) -> dict[Address, int]:
    """Every provider's micro-points in a score, of those that have any line."""
    statement = text(
        "SELECT address, total FROM (SELECT provider_id, sum(points_micro) AS total FROM points WHERE score = :score "
        "GROUP BY provider_id) AS sums JOIN providers ON providers.id = provider_id"
    )
    return {Address(row.address): int(row.total) for row in connection.execute(statement, {"score": score})}


def any_open(connection: Connection, score: str) -> bool:
    """Whether a round or day of a score is not counted for good."""
    statement = text("SELECT 1 FROM point_periods WHERE score = :score AND status <> 'closed' LIMIT 1")
    return connection.execute(statement, {"score": score}).first() is not None


def period_totals(connection: Connection, pool_id: int, period: Period) -> dict[tuple[str, int], int]:
    """The micro-points of each round or day of a pool, by score and number."""
    statement = text(
        "SELECT score, number, sum(points_micro) AS total FROM points WHERE pool_id = :pool_id AND period = :period "
        "GROUP BY score, number"
    )
    rows = connection.execute(statement, {"pool_id": pool_id, "period": period})
    return {(row.score, row.number): int(row.total) for row in rows}


def delete_day(connection: Connection, pool_id: int, day: int) -> None:
    """Forget the points of a pool-day: its cells are other ones from now on."""
    for name in _BOTH:
        statement = text(f"DELETE FROM {name} WHERE pool_id = :pool_id AND period = 'day' AND number = :day")
        connection.execute(statement, {"pool_id": pool_id, "day": day})


def delete_days_from(connection: Connection, pool_id: int, day: int) -> None:
    """Forget the points of a pool's days from `day` on."""
    for name in _BOTH:
        statement = text(f"DELETE FROM {name} WHERE pool_id = :pool_id AND period = 'day' AND number >= :day")
        connection.execute(statement, {"pool_id": pool_id, "day": day})


def delete_counted_since(connection: Connection, time: int) -> None:
    """Forget every period that counts a fact of `time` or later, of any pool."""
    connection.execute(
        text(
            "DELETE FROM points WHERE EXISTS (SELECT 1 FROM point_periods AS periods "
            "WHERE periods.score = points.score AND periods.pool_id = points.pool_id "
            "AND periods.period = points.period AND periods.number = points.number AND as_of_time >= :time)"
        ),
        {"time": time},
    )
    connection.execute(text("DELETE FROM point_periods WHERE as_of_time >= :time"), {"time": time})


def delete_begun_since(connection: Connection, time: int, day: int) -> None:
    """Forget the points of days from `day` on and of rounds that began at `time` or later."""
    for name in _BOTH:
        connection.execute(
            text(
                f"DELETE FROM {name} WHERE (period = 'day' AND number >= :day) OR (period = 'round' AND NOT EXISTS ("
                f"SELECT 1 FROM rounds WHERE rounds.pool_id = {name}.pool_id AND rounds.round = {name}.number "
                "AND start_time < :time))"
            ),
            {"time": time, "day": day},
        )


def _period(row: tuple[object, ...]) -> PeriodRow:
    found = PeriodRow(*row)  # type: ignore[arg-type]
    return found._replace(price=_whole(found.price))


def _whole(stored: int | None) -> int | None:
    """Exact integers of any size come as text, or as numerics."""
    return None if stored is None else int(stored)
