"""Holds: while one is placed, no epoch settles."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.errors import Conflict


class Hold(NamedTuple):
    """A hold, in force until it is released."""

    id: int
    reason: str
    placed_time: int
    released_time: int | None


_SELECT = "SELECT id, reason, placed_time, released_time FROM holds"


def place(connection: Connection, reason: str, now: int) -> int:
    """Place a hold; returns its id."""
    statement = text("INSERT INTO holds (reason, placed_time) VALUES (:reason, :now) RETURNING id")
    return int(connection.execute(statement, {"reason": reason, "now": now}).scalar_one())


def release(connection: Connection, hold_id: int, now: int) -> None:
    """Release a hold. Conflict where it is not in force."""
    statement = text("UPDATE holds SET released_time = :now WHERE id = :id AND released_time IS NULL")
    if connection.execute(statement, {"id": hold_id, "now": now}).rowcount != 1:
        raise Conflict(f"hold {hold_id} is not in force: it was released before, or never placed")


def active(connection: Connection) -> list[Hold]:
    """The holds in force, oldest first."""
    return [Hold(*row) for row in connection.execute(text(f"{_SELECT} WHERE released_time IS NULL ORDER BY id"))]


def all_holds(connection: Connection) -> list[Hold]:
    """Every hold ever placed, oldest first."""
    return [Hold(*row) for row in connection.execute(text(f"{_SELECT} ORDER BY id"))]
