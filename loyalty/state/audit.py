"""The audit log: who did what, when. Lines are only ever added."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, text


class AuditLine(NamedTuple):
    """One act; `detail` are JSON values."""

    id: int
    time: int
    actor: str
    action: str
    detail: dict[str, Any]


def write(connection: Connection, now: int, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    """Add a line, in the transaction of the act itself."""
    statement = text("INSERT INTO audit_log (time, actor, action, detail) VALUES (:time, :actor, :action, :detail)")
    written = json.dumps(dict(detail), ensure_ascii=False, sort_keys=True)
    connection.execute(statement, {"time": now, "actor": actor, "action": action, "detail": written})


def newest(connection: Connection, limit: int, before_id: int | None = None) -> list[AuditLine]:
    """At most `limit` lines (older than the line `before_id`), newest first."""
    where = "" if before_id is None else "WHERE id < :before_id "
    statement = text(f"SELECT id, time, actor, action, detail FROM audit_log {where}ORDER BY id DESC LIMIT :limit")
    bound = {"limit": limit} if before_id is None else {"limit": limit, "before_id": before_id}
    rows = connection.execute(statement, bound)
    return [AuditLine(number, time, actor, action, json.loads(detail)) for number, time, actor, action, detail in rows]
