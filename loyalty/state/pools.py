"""Pools: what each one is, and up to where it is indexed (cursors.py moves that)."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound


class PoolRow(NamedTuple):
    """A pool as stored; `next_block` is the cursor: everything below it is indexed."""

    id: int
    chain_id: int
    address: Address
    protocol: str
    token0_id: int
    token1_id: int
    fee_pips: int | None
    tick_spacing: int | None
    start_block: int
    next_block: int
    token0: str
    token1: str


_SELECT = (
    "SELECT pools.id, pools.chain_id, pools.address, protocol, token0_id, token1_id, fee_pips, tick_spacing, "
    "start_block, next_block, token0.symbol AS token0, token1.symbol AS token1 FROM pools "
    "JOIN tokens AS token0 ON token0.id = token0_id JOIN tokens AS token1 ON token1.id = token1_id"
)


def ensure(
    connection: Connection,
    chain_id: int,
    address: Address,
    protocol: str,
    token0_id: int,
    token1_id: int,
    start_block: int,
    fee_pips: int | None = None,
    tick_spacing: int | None = None,
) -> int:
    """The id of the pool, stored where it is new, with its cursor at `start_block`.

    `fee_pips` and `tick_spacing` may become known later. Conflict, naming both, where anything contradicts the stored.
    """
    stored = find(connection, chain_id, address)
    if stored is None:
        return _add(
            connection, (chain_id, address, protocol, token0_id, token1_id, fee_pips, tick_spacing, start_block)
        )
    wanted: dict[str, str | int | None] = {
        "protocol": protocol,
        "token0_id": token0_id,
        "token1_id": token1_id,
        "start_block": start_block,
        "fee_pips": fee_pips if fee_pips is not None else stored.fee_pips,
        "tick_spacing": tick_spacing if tick_spacing is not None else stored.tick_spacing,
    }
    _check_same(stored, wanted)
    statement = text("UPDATE pools SET fee_pips = :fee_pips, tick_spacing = :tick_spacing WHERE id = :id")
    bound = {"id": stored.id, "fee_pips": wanted["fee_pips"], "tick_spacing": wanted["tick_spacing"]}
    connection.execute(statement, bound)
    return stored.id


def _check_same(stored: PoolRow, wanted: dict[str, str | int | None]) -> None:
    for name, value in wanted.items():
        known = getattr(stored, name)
        if known is not None and known != value:
            raise Conflict(
                f"pool {stored.address} on chain {stored.chain_id}: {name} is {value} here, but {known} in the "
                "database, whose facts hang on it. Correct the program file, or use a new database"
            )


def _add(connection: Connection, values: tuple[int, Address, str, int, int, int | None, int | None, int]) -> int:
    statement = text(
        "INSERT INTO pools (chain_id, address, protocol, token0_id, token1_id, fee_pips, tick_spacing, start_block, "
        "next_block) VALUES (:chain_id, :address, :protocol, :token0_id, :token1_id, :fee_pips, :tick_spacing, "
        ":start_block, :start_block) RETURNING id"
    )
    return int(connection.execute(statement, dict(zip(PoolRow._fields[1:9], values, strict=True))).scalar_one())


def find(connection: Connection, chain_id: int, address: Address) -> PoolRow | None:
    """The pool at an address; None where there is none."""
    statement = text(f"{_SELECT} WHERE pools.chain_id = :chain_id AND pools.address = :address")
    row = connection.execute(statement, {"chain_id": chain_id, "address": address}).first()
    return None if row is None else PoolRow(*row)


def get(connection: Connection, pool_id: int) -> PoolRow:
    """The pool of an id; NotFound where there is none."""
    row = connection.execute(text(f"{_SELECT} WHERE pools.id = :id"), {"id": pool_id}).first()
    if row is None:
        raise NotFound(f"pool {pool_id} is not in the database")
    return PoolRow(*row)


def all_pools(connection: Connection, chain_id: int | None = None) -> list[PoolRow]:
    """Every pool (of a chain), by id."""
    where = "" if chain_id is None else " WHERE pools.chain_id = :chain_id"
    rows = connection.execute(
        text(f"{_SELECT}{where} ORDER BY pools.id"), {} if chain_id is None else {"chain_id": chain_id}
    )
    return [PoolRow(*row) for row in rows]
