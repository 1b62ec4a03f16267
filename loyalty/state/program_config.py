"""The program that a database belongs to, and every version of its rules."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.errors import Conflict
from loyalty.core.times import duration_text, time_text


class ConfigVersion(NamedTuple):
    """A version of the rules (`rules`: canonical JSON), in force from epoch `effective_from_epoch` on."""

    version: int
    name: str
    start: int
    epoch_seconds: int
    chains: tuple[int, ...]
    rules: str
    effective_from_epoch: int
    created_time: int


_SELECT = (
    "SELECT version, name, start, epoch_seconds, chains, rules, effective_from_epoch, created_time FROM program_config"
)


def latest(connection: Connection) -> ConfigVersion | None:
    """The newest version; None in a database without a program."""
    row = connection.execute(text(f"{_SELECT} ORDER BY version DESC LIMIT 1")).first()
    return None if row is None else _version(row)


def get(connection: Connection, version: int) -> ConfigVersion | None:
    row = connection.execute(text(f"{_SELECT} WHERE version = :version"), {"version": version}).first()
    return None if row is None else _version(row)


def all_versions(connection: Connection) -> list[ConfigVersion]:
    """Every version, oldest first."""
    return [_version(row) for row in connection.execute(text(f"{_SELECT} ORDER BY version"))]


def add(connection: Connection, config: ConfigVersion) -> None:
    """Store the next version, numbered one above the latest. Conflict where it is not, or of another program."""
    newest = bind(connection, config.name, config.start, config.epoch_seconds, config.chains)
    expected = 1 if newest is None else newest.version + 1
    if config.version != expected:
        raise Conflict(f"program {config.name!r}: version {config.version} cannot be added, the next one is {expected}")
    statement = text(
        "INSERT INTO program_config VALUES (:version, :name, :start, :epoch_seconds, :chains, :rules, "
        ":effective_from_epoch, :created_time)"
    )
    connection.execute(statement, config._asdict() | {"chains": json.dumps(sorted(config.chains))})


def bind(
    connection: Connection, name: str, start: int, epoch_seconds: int, chain_ids: Iterable[int]
) -> ConfigVersion | None:
    """The latest version of this very program; None in a database without a program.

    Conflict, naming both, where the database belongs to another program (name, start, epoch length, chains).
    """
    stored = latest(connection)
    if stored is None:
        return None
    ours = _identity(name, start, epoch_seconds, chain_ids)
    theirs = _identity(stored.name, stored.start, stored.epoch_seconds, stored.chains)
    if ours != theirs:
        raise Conflict(
            f"the database belongs to {theirs}; the program file says {ours}. "
            "Use another database (LOYALTY_DATABASE) or the right program file. Nothing was changed"
        )
    return stored


def _identity(name: str, start: int, epoch_seconds: int, chain_ids: Iterable[int]) -> str:
    chains = ", ".join(str(chain_id) for chain_id in sorted(chain_ids))
    return f"program {name!r} from {time_text(start)} in epochs of {duration_text(epoch_seconds)} on chains {chains}"


def _version(row: Any) -> ConfigVersion:
    version, name, start, epoch_seconds, chains, rules, effective_from_epoch, created_time = row
    chain_ids = tuple(json.loads(chains))
    return ConfigVersion(version, name, start, epoch_seconds, chain_ids, rules, effective_from_epoch, created_time)
