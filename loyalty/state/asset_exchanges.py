"""Asset exchanges: deposits into and withdrawals from ERC-4626 vaults, as they logged them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.facts import AssetExchange
from loyalty.state import providers
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import asset_exchanges as table


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
