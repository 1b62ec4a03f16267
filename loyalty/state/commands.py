"""Commands: what API and CLI ask of the worker, the only one that writes facts and derived rows."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.errors import Conflict, NotFound


class Command(NamedTuple):
    """A command; `succeeded` and `result` (JSON values, or the error told) once `finished_time` is set."""

    id: int
    kind: str
    arguments: dict[str, Any]
    requested_by: str
    requested_time: int
    finished_time: int | None
    succeeded: bool | None
    result: Any


_SELECT = "SELECT id, kind, arguments, requested_by, requested_time, finished_time, succeeded, result FROM commands"


def append(connection: Connection, kind: str, arguments: Mapping[str, Any], requested_by: str, now: int) -> int:
    """Ask for a command; returns its id."""
    statement = text(
        "INSERT INTO commands (kind, arguments, requested_by, requested_time) "
        "VALUES (:kind, :arguments, :requested_by, :now) RETURNING id"
    )
    bound = {"kind": kind, "arguments": _json(arguments), "requested_by": requested_by, "now": now}
    return int(connection.execute(statement, bound).scalar_one())


def pending(connection: Connection) -> list[Command]:
    """The commands that are not finished, in the order they were asked for."""
    return [_command(row) for row in connection.execute(text(f"{_SELECT} WHERE finished_time IS NULL ORDER BY id"))]


def get(connection: Connection, command_id: int) -> Command:
    """A command; NotFound where there is none."""
    row = connection.execute(text(f"{_SELECT} WHERE id = :id"), {"id": command_id}).first()
    if row is None:
        raise NotFound(f"command {command_id} does not exist")
    return _command(row)


def finish(connection: Connection, command_id: int, succeeded: bool, result: Any, now: int) -> None:
    """Keep a command's outcome. Conflict where it has one already, NotFound where there is no such command."""
    statement = text(
        "UPDATE commands SET finished_time = :now, succeeded = :succeeded, result = :result "
        "WHERE id = :id AND finished_time IS NULL"
    )
    bound = {"id": command_id, "now": now, "succeeded": succeeded, "result": _json(result)}
    if connection.execute(statement, bound).rowcount != 1:
        known = get(connection, command_id)
        raise Conflict(f"command {command_id} ({known.kind}) is finished already: it is not executed twice")


def _command(row: Any) -> Command:
    number, kind, arguments, requested_by, requested_time, finished_time, succeeded, result = row
    outcome = None if succeeded is None else bool(succeeded)
    told = None if result is None else json.loads(result)
    return Command(number, kind, json.loads(arguments), requested_by, requested_time, finished_time, outcome, told)


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False, sort_keys=True)
