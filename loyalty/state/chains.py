"""Chains: where the program starts on each, and how far its endpoints have come."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict, NotFound


class ChainState(NamedTuple):
    """A chain as last seen. `program_start_block` is its first block at or after the program's start, once known."""

    id: int
    name: str
    program_start_block: int | None
    head_block: int | None
    head_time: int | None
    finalized_block: int | None
    finalized_time: int | None


_SELECT = "SELECT id, name, program_start_block, head_block, head_time, finalized_block, finalized_time FROM chains"


def ensure(connection: Connection, chain_id: int, name: str) -> None:
    """Store the chain where it is new. Conflict where its id has another name, or its name another id."""
    keys = {"id": chain_id, "name": name}
    stored = connection.execute(text("SELECT id, name FROM chains WHERE id = :id OR name = :name"), keys).all()
    for row in stored:
        if tuple(row) != (chain_id, name):
            raise Conflict(
                f"chain {name!r} with id {chain_id} contradicts the database, where chain {row.name!r} has id {row.id}"
            )
    if not stored:
        connection.execute(text("INSERT INTO chains (id, name) VALUES (:id, :name)"), keys)


def get(connection: Connection, chain_id: int) -> ChainState:
    """The chain's state; NotFound where the database does not know it."""
    row = connection.execute(text(f"{_SELECT} WHERE id = :id"), {"id": chain_id}).first()
    if row is None:
        raise NotFound(f"chain {chain_id} is not in the database")
    return ChainState(*row)


def all_chains(connection: Connection) -> list[ChainState]:
    """Every chain, by id."""
    return [ChainState(*row) for row in connection.execute(text(f"{_SELECT} ORDER BY id"))]


def position_managers(connection: Connection, chain_id: int) -> list[Address] | None:
    """The position managers that the chain's facts were read with, ascending; None before that is known."""
    statement = text("SELECT position_managers FROM chains WHERE id = :id")
    stored = connection.execute(statement, {"id": chain_id}).scalar_one_or_none()
    return None if stored is None else [Address(address) for address in json.loads(stored)]


def set_position_managers(connection: Connection, chain_id: int, managers: Iterable[Address]) -> None:
    """Keep the position managers that the chain's facts are read with."""
    statement = text("UPDATE chains SET position_managers = :managers WHERE id = :id")
    bound = {"id": chain_id, "managers": json.dumps(sorted(managers))}
    _one(chain_id, connection.execute(statement, bound).rowcount)


def set_program_start_block(connection: Connection, chain_id: int, block: int | None) -> None:
    """Keep the first block of the program; None forgets it, after a reorg below it."""
    statement = text("UPDATE chains SET program_start_block = :block WHERE id = :id")
    _one(chain_id, connection.execute(statement, {"id": chain_id, "block": block}).rowcount)


def set_tips(connection: Connection, chain_id: int, head: Header, finalized: Header | None) -> None:
    """Keep where the chain is. A finalized block never goes back: an endpoint that lags does not take it away."""
    statement = text("UPDATE chains SET head_block = :block, head_time = :time WHERE id = :id")
    bound = {"id": chain_id, "block": head.number, "time": head.time}
    _one(chain_id, connection.execute(statement, bound).rowcount)
    if finalized is not None:
        statement = text(
            "UPDATE chains SET finalized_block = :block, finalized_time = :time "
            "WHERE id = :id AND (finalized_block IS NULL OR finalized_block < :block)"
        )
        connection.execute(statement, {"id": chain_id, "block": finalized.number, "time": finalized.time})


def _one(chain_id: int, rows: int) -> None:
    if rows != 1:
        raise NotFound(f"chain {chain_id} is not in the database")
