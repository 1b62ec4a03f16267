"""Backfills: how far the catching up of a chain is; a chain of which nothing is behind has no row."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text


class Backfill(NamedTuple):
    """Blocks [from_block, until_block), of which those below `next_block` are indexed.

    `logs` were read for it; from `began_time` to `updated_time` it was at work, pauses left out. While it is `stopped`
    no pool or contract below `until_block` is indexed.
    """

    chain_id: int
    from_block: int
    until_block: int
    next_block: int
    logs: int
    began_time: int
    updated_time: int
    stopped: bool

    @property
    def blocks_left(self) -> int:
        return max(0, self.until_block - self.next_block)

    @property
    def blocks_done(self) -> int:
        return max(0, self.next_block - self.from_block)

    @property
    def blocks_per_second(self) -> float | None:
        """None before it has run for a second."""
        seconds = self.updated_time - self.began_time
        return self.blocks_done / seconds if seconds > 0 else None

    @property
    def seconds_left(self) -> int | None:
        """At the rate so far; None where that is not known."""
        rate = self.blocks_per_second
        return int(self.blocks_left / rate) if rate else None


_COLUMNS = ", ".join(Backfill._fields)


def get(connection: Connection, chain_id: int) -> Backfill | None:
    """The chain's backfill; None where nothing is behind."""
    statement = text(f"SELECT {_COLUMNS} FROM backfills WHERE chain_id = :chain_id")
    row = connection.execute(statement, {"chain_id": chain_id}).first()
    return None if row is None else _backfill(row)


def put(connection: Connection, backfill: Backfill) -> None:
    """Store it, in the place of the chain's earlier one."""
    delete(connection, backfill.chain_id)
    bound = ", ".join(f":{name}" for name in Backfill._fields)
    connection.execute(text(f"INSERT INTO backfills ({_COLUMNS}) VALUES ({bound})"), backfill._asdict())


def delete(connection: Connection, chain_id: int) -> None:
    """Nothing is behind any more."""
    connection.execute(text("DELETE FROM backfills WHERE chain_id = :chain_id"), {"chain_id": chain_id})


def set_back(connection: Connection, chain_id: int, block: int) -> None:
    """For a rewind: no cursor is above `block` + 1, so nothing is until or next there."""
    statement = text(
        "UPDATE backfills SET until_block = CASE WHEN until_block > :next THEN :next ELSE until_block END, "
        "next_block = CASE WHEN next_block > :next THEN :next ELSE next_block END WHERE chain_id = :chain_id"
    )
    connection.execute(statement, {"chain_id": chain_id, "next": block + 1})


def _backfill(row: Row[Any]) -> Backfill:
    found = Backfill._make(row)
    return found._replace(stopped=bool(found.stopped))
