"""Hold: while one is placed, no epoch is settled. For an operator who has seen something that no check sees."""

from sqlalchemy import Connection

from loyalty.core.errors import Invalid, NotFound
from loyalty.state import audit, holds


def hold(connection: Connection, reason: str, actor: str, now: int) -> int:
    """Place a hold, with an audit line; returns its number. Raises Invalid without a reason."""
    if not reason.strip():
        raise Invalid("a hold needs a --reason: it is shown to everyone who asks why an epoch is not settled")
    number = holds.place(connection, reason.strip(), now)
    audit.write(connection, now, actor, "hold", {"hold": number, "reason": reason.strip()})
    return number


def release(connection: Connection, actor: str, now: int) -> int:
    """Release every hold, with an audit line; returns how many there were. Raises NotFound when there was none."""
    placed = holds.active(connection)
    if not placed:
        raise NotFound("no hold is placed: there is nothing to release")
    for each in placed:
        holds.release(connection, each.id, now)
    audit.write(connection, now, actor, "release", {"holds": [each.id for each in placed]})
    return len(placed)
