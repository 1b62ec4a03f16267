"""Price refusals: answers of sources that were not believed, the last word about each source and hour."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.spans import Span


class StoredRefusal(NamedTuple):
    """The answer of `source` for the moment `valid_time` was refused when it was last asked."""

    token_id: int
    valid_time: int
    source: str
    reason: str
    detail: str
    asked_time: int


_SELECT = (
    "SELECT token_id, valid_time, source, reason, detail, asked_time FROM price_refusals WHERE token_id = :token_id"
)


def note(connection: Connection, refusals: Sequence[StoredRefusal]) -> list[StoredRefusal]:
    """Store what is new or has another reason than before, in its place; returns those."""
    known = {
        (each.token_id, each.valid_time, each.source): each
        for token_id in {each.token_id for each in refusals}
        for each in of_token(connection, token_id)
    }
    latest = {(each.token_id, each.valid_time, each.source): each for each in refusals}
    new = [each for key, each in sorted(latest.items()) if _told(known.get(key)) != _told(each)]
    _delete(connection, [each for each in new if each[:3] in known])
    statement = text(
        "INSERT INTO price_refusals (token_id, valid_time, source, reason, detail, asked_time) "
        "VALUES (:token_id, :valid_time, :source, :reason, :detail, :asked_time)"
    )
    if new:
        connection.execute(statement, [each._asdict() for each in new])
    return new


def of_token(connection: Connection, token_id: int, span: Span | None = None) -> list[StoredRefusal]:
    """A token's refusals by time and source: all, or those for moments within `span`."""
    within = "" if span is None else " AND valid_time >= :start AND valid_time < :end"
    bound = {"token_id": token_id} | ({} if span is None else {"start": span.start, "end": span.end})
    rows = connection.execute(text(f"{_SELECT}{within} ORDER BY valid_time, source"), bound)
    return [StoredRefusal(*row) for row in rows]


def _told(refusal: StoredRefusal | None) -> tuple[str, str] | None:
    return None if refusal is None else (refusal.reason, refusal.detail)


def _delete(connection: Connection, refusals: Sequence[StoredRefusal]) -> None:
    statement = text(
        "DELETE FROM price_refusals WHERE token_id = :token_id AND valid_time = :valid_time AND source = :source"
    )
    if refusals:
        bound = [{"token_id": r.token_id, "valid_time": r.valid_time, "source": r.source} for r in refusals]
        connection.execute(statement, bound)
