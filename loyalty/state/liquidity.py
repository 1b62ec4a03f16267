"""Liquidity changes: what came to and left the ranges of a pool, with the position token behind it."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import LiquidityChange, PositionToken
from loyalty.state.bulk import insert_rows
from loyalty.state.reading import FactSelection, stream
from loyalty.state.schema import liquidity_changes as table


def insert(
    connection: Connection,
    chain_id: int,
    pool_ids: Mapping[Address, int],
    provider_ids: Mapping[Address, int],
    changes: Iterable[LiquidityChange],
) -> int:
    """Store changes of known pools and owners; returns how many."""
    rows = (
        (
            chain_id,
            change.block,
            change.log_index,
            pool_ids[change.pool],
            change.time,
            provider_ids[change.owner],
            change.lower,
            change.upper,
            str(change.liquidity_delta),
            str(change.amount0),
            str(change.amount1),
            _token_id(change),
            bytearray(change.transaction_hash),
        )
        for change in changes
    )
    return insert_rows(connection, table, rows)


def _token_id(change: LiquidityChange) -> str | None:
    """Only the id is stored: the token's manager is the owner that the pool knows."""
    if change.token is None:
        return None
    if change.token.manager != change.owner:
        raise Inconsistent(
            f"pool {change.pool}, block {change.block}, log {change.log_index}: the position token is of manager "
            f"{change.token.manager}, but the pool's owner is {change.owner}"
        )
    return str(change.token.token_id)


def changes(connection: Connection, selection: FactSelection) -> Iterator[LiquidityChange]:
    """The selected changes in (block, log index) order, read as they are taken."""
    rows = stream(
        connection,
        "SELECT pools.address, block, log_index, time, owners.address, lower_tick, upper_tick, liquidity_delta, "
        "amount0, amount1, token_id, transaction_hash FROM liquidity_changes AS facts "
        "JOIN pools ON pools.id = facts.pool_id JOIN providers AS owners ON owners.id = facts.owner_id",
        selection,
    )
    for pool, block, log_index, time, owner, lower, upper, delta, amount0, amount1, token_id, transaction_hash in rows:
        yield LiquidityChange(
            Address(pool),
            block,
            log_index,
            time,
            Address(owner),
            lower,
            upper,
            int(delta),
            int(amount0),
            int(amount1),
            None if token_id is None else PositionToken(Address(owner), int(token_id)),
            bytes(transaction_hash),
        )
