"""Asset exchanges: deposits into and withdrawals from ERC-4626 vaults, as they logged them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.facts import AssetExchange
from loyalty.core.spans import Span
from loyalty.state import providers
from loyalty.state.bulk import insert_rows
from loyalty.state.newest import Wanted, newest
from loyalty.state.schema import asset_exchanges as table

_SELECT = (
    "SELECT pools.address, block, log_index, time, kind, providers.address, assets, shares, transaction_hash "
    "FROM asset_exchanges AS facts JOIN pools ON pools.id = pool_id JOIN providers ON providers.id = owner_id"
)


def insert(
    connection: Connection, chain_id: int, pool_ids: Mapping[Address, int], exchanges: Sequence[AssetExchange]
) -> int:
    """Store exchanges of known vaults; returns how many."""
    owners = providers.ids_of(connection, (exchange.owner for exchange in exchanges))
    rows = (
        (
            chain_id,
            exchange.block,
            exchange.log_index,
            pool_ids[exchange.vault],
            exchange.time,
            exchange.kind,
            owners[exchange.owner],
            str(exchange.assets),
            str(exchange.shares),
            bytearray(exchange.transaction_hash),
        )
        for exchange in exchanges
    )
    return insert_rows(connection, table, rows)


def latest(connection: Connection, pool_id: int, wanted: Wanted) -> list[AssetExchange]:
    """A vault's newest exchanges, the newest first."""
    rows = newest(connection, _SELECT, "pool_id", pool_id, wanted, "facts.owner_id = :account", has_kinds=True)
    return [_exchange(tuple(row)) for row in rows]


def _exchange(row: tuple[Any, ...]) -> AssetExchange:
    vault, block, log_index, time, kind, owner, assets, shares, transaction_hash = row
    return AssetExchange(
        Address(vault),
        block,
        log_index,
        time,
        kind,
        Address(owner),
        int(assets),
        int(shares),
        bytes(transaction_hash),
    )


def within(connection: Connection, pool_id: int, span: Span) -> list[AssetExchange]:
    """A vault's exchanges in `span` (unix seconds), in order."""
    where = "WHERE facts.pool_id = :pool_id AND time >= :start AND time < :end ORDER BY block, log_index"
    bound = {"pool_id": pool_id, "start": span.start, "end": span.end}
    return [_exchange(row) for row in connection.execute(text(f"{_SELECT} {where}"), bound)]
