"""Price points: every price that was ever used, with its source. Stored once; the first one of a time stays."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import price_points as table

_COLUMNS = ("token_id", "valid_time", "price", "source", "asked_time", "reason")
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
        (token_id, point.valid_time, str(point.price), point.source, point.asked_time, reason)
        for time, point in sorted(wanted.items())
        if time not in taken
    )
    return insert_rows(connection, table, rows, _COLUMNS)


def delete(connection: Connection, token_id: int, valid_times: Sequence[int]) -> int:
    """Take points back, to set others in their place; that none was used is the caller's to know. Returns how many."""
    statement = text("DELETE FROM price_points WHERE token_id = :token_id AND valid_time = :valid_time")
    bound = [{"token_id": token_id, "valid_time": time} for time in valid_times]
    return connection.execute(statement, bound).rowcount if bound else 0


def _times(connection: Connection, token_id: int, span: Span) -> set[int]:
    statement = text(
        "SELECT valid_time FROM price_points WHERE token_id = :token_id AND valid_time >= :start AND valid_time < :end"
    )
    bound = {"token_id": token_id, "start": span.start, "end": span.end}
    return set(connection.execute(statement, bound).scalars())


def points(connection: Connection, token_id: int, span: Span | None = None) -> list[PricePoint]:
    """A token's points in time order: all, or those within `span` after the last one before its start."""
    bound = {"token_id": token_id}
    if span is None:
        rows = connection.execute(text(f"{_SELECT} ORDER BY valid_time"), bound)
        return [_point(row) for row in rows]
    before = text(f"{_SELECT} AND valid_time < :start ORDER BY valid_time DESC LIMIT 1")
    within = text(f"{_SELECT} AND valid_time >= :start AND valid_time < :end ORDER BY valid_time")
    bound |= {"start": span.start}
    rows_before = connection.execute(before, bound).all()
    return [_point(row) for row in [*rows_before, *connection.execute(within, bound | {"end": span.end})]]


def latest(connection: Connection, token_id: int) -> PricePoint | None:
    """A token's newest point."""
    row = connection.execute(text(f"{_SELECT} ORDER BY valid_time DESC LIMIT 1"), {"token_id": token_id}).first()
    return None if row is None else _point(row)


def reasons(connection: Connection, token_id: int) -> dict[int, str]:
    """Why the operator set points, by their time."""
    statement = text(
        "SELECT valid_time, reason FROM price_points WHERE token_id = :token_id AND reason IS NOT NULL "
        "ORDER BY valid_time"
    )
    return {row.valid_time: row.reason for row in connection.execute(statement, {"token_id": token_id})}


def _point(row: Row[Any]) -> PricePoint:
    return PricePoint(row.valid_time, int(row.price), row.source, row.asked_time)
