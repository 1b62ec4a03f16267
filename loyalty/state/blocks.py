"""Processed blocks: the hashes by which a reorg is seen, and the times of what is indexed.

Above the finalized block every one with events and every span's end; below, one a day. A parent's hash is not stored:
the headers given back have it empty.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, text

from loyalty.core.checkpoint import Header
from loyalty.core.errors import Inconsistent

_SELECT = "SELECT block, hash, time FROM processed_blocks WHERE chain_id = :chain_id"


def add(connection: Connection, chain_id: int, rows: Iterable[tuple[Header, int]]) -> None:
    """Store blocks with the number of events in each; of a block that is stored (by another pool) the events add up.

    Inconsistent where a block is stored with another hash: the chain changed meanwhile.
    """
    statement = text(
        "INSERT INTO processed_blocks VALUES (:chain_id, :block, :hash, :time, :events) "
        "ON CONFLICT (chain_id, block) DO UPDATE SET event_count = processed_blocks.event_count + excluded.event_count "
        "WHERE processed_blocks.hash = excluded.hash"
    )
    bound = [
        {"chain_id": chain_id, "block": header.number, "hash": header.hash, "time": header.time, "events": events}
        for header, events in rows
    ]
    if bound and connection.execute(statement, bound).rowcount != len(bound):
        _refuse(connection, chain_id, bound)


def _refuse(connection: Connection, chain_id: int, bound: list[dict[str, Any]]) -> None:
    for row in bound:
        if not has(connection, chain_id, row["block"], row["hash"]):
            raise Inconsistent(
                f"chain {chain_id}: block {row['block']} has hash {row['hash']} now, but is stored with another one: "
                "the chain was reorganized. Nothing of the step was kept"
            )
    raise Inconsistent(f"chain {chain_id}: {len(bound)} blocks were to be stored, but the database took fewer")


def has(connection: Connection, chain_id: int, block: int, block_hash: str) -> bool:
    """Whether this block is stored, with this hash."""
    statement = text("SELECT 1 FROM processed_blocks WHERE chain_id = :chain_id AND block = :block AND hash = :hash")
    return connection.execute(statement, {"chain_id": chain_id, "block": block, "hash": block_hash}).first() is not None


def event_count(connection: Connection, chain_id: int, block: int) -> int | None:
    """The number of events in a stored block; None where the block is not stored."""
    statement = text("SELECT event_count FROM processed_blocks WHERE chain_id = :chain_id AND block = :block")
    row = connection.execute(statement, {"chain_id": chain_id, "block": block}).first()
    return None if row is None else int(row.event_count)


def last(connection: Connection, chain_id: int) -> Header | None:
    """The newest stored block."""
    return _first(connection, "ORDER BY block DESC", {"chain_id": chain_id})


def above(connection: Connection, chain_id: int, number: int) -> list[Header]:
    """The stored blocks above `number`, newest first."""
    statement = text(f"{_SELECT} AND block > :number ORDER BY block DESC")
    return [_header(row) for row in connection.execute(statement, {"chain_id": chain_id, "number": number})]


def at_or_before(connection: Connection, chain_id: int, number: int) -> Header | None:
    """The newest stored block with at most this number."""
    return _first(connection, "AND block <= :number ORDER BY block DESC", {"chain_id": chain_id, "number": number})


def at_or_before_time(connection: Connection, chain_id: int, time: int) -> Header | None:
    """The newest stored block up to a second."""
    return _first(connection, "AND time <= :time ORDER BY block DESC", {"chain_id": chain_id, "time": time})


def first_at_or_after_time(connection: Connection, chain_id: int, time: int) -> Header | None:
    """The first stored block at or after a second."""
    return _first(connection, "AND time >= :time ORDER BY block", {"chain_id": chain_id, "time": time})


def delete_above(connection: Connection, chain_id: int, number: int) -> int:
    """Forget the blocks above `number`; returns how many."""
    statement = text("DELETE FROM processed_blocks WHERE chain_id = :chain_id AND block > :number")
    return connection.execute(statement, {"chain_id": chain_id, "number": number}).rowcount


def thin(connection: Connection, chain_id: int, below_block: int) -> int:
    """Of the blocks below `below_block` keep the newest of each UTC day, and those that a pool-day was computed up to.

    Returns how many went.
    """
    statement = text(
        "DELETE FROM processed_blocks WHERE chain_id = :chain_id AND block < :below AND block NOT IN ("
        "SELECT max(block) FROM processed_blocks WHERE chain_id = :chain_id AND block < :below GROUP BY time / 86400) "
        "AND block NOT IN ("
        "SELECT as_of_block FROM pool_days JOIN pools ON pools.id = pool_id WHERE pools.chain_id = :chain_id)"
    )
    return connection.execute(statement, {"chain_id": chain_id, "below": below_block}).rowcount


def _first(connection: Connection, rest: str, bound: dict[str, int]) -> Header | None:
    row = connection.execute(text(f"{_SELECT} {rest} LIMIT 1"), bound).first()
    return None if row is None else _header(row)


def _header(row: Row[Any]) -> Header:
    return Header(row.block, row.hash, "", row.time)
