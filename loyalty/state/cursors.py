"""Cursors: up to which block each pool and each followed contract is indexed. One moves only from the value read."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound

POOLS, CONTRACTS = "pools", "followed_contracts"

DECIDE_HOLDERS = ("shares", "nft_staker")
"""Followed contracts by which the holders behind other contracts are known: a pool counts no further than they do."""


class Cursor(NamedTuple):
    """A row of `table` that is indexed: everything below `next_block` is. `kind` is a pool's protocol, or a contract's
    kind: whose logs mean what is known by it."""

    table: str
    id: int
    kind: str
    address: Address
    start_block: int
    next_block: int


_ALL = (
    f"SELECT '{POOLS}', id, protocol AS kind, address, start_block, next_block FROM pools WHERE chain_id = :chain_id "
    f"UNION ALL SELECT '{CONTRACTS}', id, kind, address, start_block, next_block FROM followed_contracts "
    "WHERE chain_id = :chain_id ORDER BY 1 DESC, 2"
)


def all_on(connection: Connection, chain_id: int) -> list[Cursor]:
    """Every cursor of a chain: pools by id, then contracts by id."""
    return [Cursor(*row) for row in connection.execute(text(_ALL), {"chain_id": chain_id})]


def advance(connection: Connection, cursor: Cursor, next_block: int) -> None:
    """Move the cursor on, from the value that was read. Conflict where it is another one by now."""
    statement = text(f"UPDATE {cursor.table} SET next_block = :next_block WHERE id = :id AND next_block = :expected")
    bound = {"id": cursor.id, "expected": cursor.next_block, "next_block": next_block}
    if connection.execute(statement, bound).rowcount != 1:
        found = connection.execute(
            text(f"SELECT next_block FROM {cursor.table} WHERE id = :id"), {"id": cursor.id}
        ).scalar()
        if found is None:
            raise NotFound(f"{cursor.kind} {cursor.address} is not in the database")
        raise Conflict(
            f"{cursor.kind} {cursor.address}: this step began at block {cursor.next_block}, but its cursor is at "
            f"{found}: another worker has indexed it. Nothing of the step was kept"
        )


def set_back(connection: Connection, chain_id: int, block: int) -> None:
    """Every cursor of the chain that has passed `block` stands right after it, or at its own start; for a rewind."""
    for table in (POOLS, CONTRACTS):
        statement = text(
            f"UPDATE {table} SET next_block = CASE WHEN start_block > :next THEN start_block ELSE :next END "
            "WHERE chain_id = :chain_id AND next_block > :next"
        )
        connection.execute(statement, {"chain_id": chain_id, "next": block + 1})


def counted_to(connection: Connection, chain_id: int, next_block: int) -> int:
    """The block below which a pool of the chain can be counted that is indexed up to `next_block`: no further than the
    contracts are whose holders are credited."""
    kinds = ", ".join(f"'{kind}'" for kind in DECIDE_HOLDERS)
    statement = text(f"SELECT min(next_block) FROM followed_contracts WHERE chain_id = :chain_id AND kind IN ({kinds})")
    found = connection.execute(statement, {"chain_id": chain_id}).scalar()
    return next_block if found is None else min(next_block, int(found))
