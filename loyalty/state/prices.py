"""Price points: every price that was ever used, with its source. Stored once; the first one of a time stays.

A correction is a later version of the point at its time. What is read is the newest one; the older ones stay.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import price_points as table

_COLUMNS = ("token_id", "valid_time", "version", "price", "source", "asked_time", "reason")


class PriceVersion(NamedTuple):
    """A point as stored; `reason` is the operator's."""

    valid_time: int
    version: int
    price: int
    source: str
    asked_time: int
    reason: str | None


_SELECT = "SELECT valid_time, price, source, asked_time FROM price_points WHERE token_id = :token_id"


def insert(connection: Connection, token_id: int, points: Iterable[PricePoint], reason: str | None = None) -> int:
    """Store the points whose time has none yet; returns how many those were. `reason` is the operator's.

    Whether a new point may come between older ones is the caller's to decide: used prices must not change.
    """
    wanted = {point.valid_time: point for point in reversed(list(points))}
    if not wanted:
        return 0
    taken = _times(connection, token_id, Span(min(wanted), max(wanted) + 1))
    rows = (
        (token_id, point.valid_time, 1, str(point.price), point.source, point.asked_time, reason)
        for time, point in sorted(wanted.items())
        if time not in taken
    )
    return insert_rows(connection, table, rows, _COLUMNS)


def correct(connection: Connection, token_id: int, points: Iterable[PricePoint], reason: str) -> None:
    """Store each as the next version of the point at its time, which must have one.

    That nothing settled has used the older version is the caller's to know.
    """
    wanted = sorted(points)
    if not wanted:
        return
    newest = {each.valid_time: each.version for each in versions(connection, token_id, _around(wanted))}
    rows = (
        (
            token_id,
            point.valid_time,
            newest[point.valid_time] + 1,
            str(point.price),
            point.source,
            point.asked_time,
            reason,
        )
        for point in wanted
    )
    insert_rows(connection, table, rows, _COLUMNS)


def versions(connection: Connection, token_id: int, span: Span) -> list[PriceVersion]:
    """Every version of a token's points with times within `span`, by time and version."""
    statement = text(
        "SELECT valid_time, version, price, source, asked_time, reason FROM price_points "
        "WHERE token_id = :token_id AND valid_time >= :start AND valid_time < :end ORDER BY valid_time, version"
    )
    bound = {"token_id": token_id, "start": span.start, "end": span.end}
    return [
        PriceVersion(row.valid_time, row.version, int(row.price), row.source, row.asked_time, row.reason)
        for row in connection.execute(statement, bound)
    ]


def _around(points: Sequence[PricePoint]) -> Span:
    return Span(points[0].valid_time, points[-1].valid_time + 1)


def _times(connection: Connection, token_id: int, span: Span) -> set[int]:
    statement = text(
        "SELECT valid_time FROM price_points WHERE token_id = :token_id AND valid_time >= :start AND valid_time < :end"
    )
    bound = {"token_id": token_id, "start": span.start, "end": span.end}
    return set(connection.execute(statement, bound).scalars())


def points(connection: Connection, token_id: int, span: Span | None = None) -> list[PricePoint]:
    """A token's points in time order, each in its newest version: all, or those within `span` after the last one before
    its start.
    """
    bound = {"token_id": token_id}
    if span is None:
        return _newest(connection.execute(text(f"{_SELECT} ORDER BY valid_time, version"), bound))
    before = text(f"{_SELECT} AND valid_time < :start ORDER BY valid_time DESC, version DESC LIMIT 1")
    within = text(f"{_SELECT} AND valid_time >= :start AND valid_time < :end ORDER BY valid_time, version")
    bound |= {"start": span.start}
    rows_before = connection.execute(before, bound).all()
    return _newest([*rows_before, *connection.execute(within, bound | {"end": span.end})])


def latest(connection: Connection, token_id: int) -> PricePoint | None:
    """A token's newest point."""
    row = connection.execute(
        text(f"{_SELECT} ORDER BY valid_time DESC, version DESC LIMIT 1"), {"token_id": token_id}
    ).first()
    return None if row is None else _point(row)


def reasons(connection: Connection, token_id: int) -> dict[int, str]:
    """Why the operator set points, by their time."""
    statement = text(
        "SELECT valid_time, reason FROM price_points WHERE token_id = :token_id AND reason IS NOT NULL "
        "ORDER BY valid_time, version"
    )
    return {row.valid_time: row.reason for row in connection.execute(statement, {"token_id": token_id})}


def _newest(rows: Iterable[Row[Any]]) -> list[PricePoint]:
    """Of each time the last of `rows`, which come by time and version."""
    return [_point(row) for row in {row.valid_time: row for row in rows}.values()]


def _point(row: Row[Any]) -> PricePoint:
    return PricePoint(row.valid_time, int(row.price), row.source, row.asked_time)
