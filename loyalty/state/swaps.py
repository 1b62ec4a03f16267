"""Swaps: a pool's price over time. Reading one for accrual takes only its time, price and tick."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice, Swap
from loyalty.core.spans import Span
from loyalty.state.bulk import collector_paused, insert_rows
from loyalty.state.schema import swaps as table


def insert(connection: Connection, chain_id: int, pool_ids: Mapping[Address, int], swaps: Iterable[Swap]) -> int:
    """Store swaps of known pools; returns how many."""
    rows = (
        (
            chain_id,
            block,
            log_index,
            pool_ids[pool],
            time,
            str(sqrt_price_x96),
            tick,
            None if liquidity is None else str(liquidity),
            str(amount0),
            str(amount1),
            bytearray(transaction_hash),
        )
        for (
            pool,
            block,
            log_index,
            time,
            sqrt_price_x96,
            tick,
            liquidity,
            amount0,
            amount1,
            transaction_hash,
        ) in swaps
    )
    return insert_rows(connection, table, rows)


def has(connection: Connection, chain_id: int, block: int, log_index: int) -> bool:
    """Whether the swap of this key is stored."""
    statement = text("SELECT 1 FROM swaps WHERE chain_id = :chain_id AND block = :block AND log_index = :log_index")
    keys = {"chain_id": chain_id, "block": block, "log_index": log_index}
    return connection.execute(statement, keys).first() is not None


def swap_prices(connection: Connection, pool_id: int, span: Span) -> list[PoolPrice]:
    """The pool's prices at the swaps within `span` (seconds), in (block, log index) order.

    A chain's time never goes back, so the index by time has them in that order.
    """
    statement = text(
        "SELECT time, sqrt_price_x96, tick FROM swaps WHERE pool_id = :pool_id AND time >= :start AND time < :end "
        "ORDER BY time, chain_id, block, log_index"
    )
    rows = connection.execute(statement, {"pool_id": pool_id, "start": span.start, "end": span.end})
    with collector_paused():
        return [PoolPrice(time, int(sqrt_price_x96), tick) for time, sqrt_price_x96, tick in rows]


def price_before(connection: Connection, pool_id: int, time: int) -> PoolPrice | None:
    """The pool's price in force just before the second `time`; None before its Initialize."""
    return _newest(connection, pool_id, "AND time < :time", time)


def last_price(connection: Connection, pool_id: int) -> PoolPrice | None:
    """The pool's newest price; None before its Initialize."""
    return _newest(connection, pool_id, "", 0)


def _newest(connection: Connection, pool_id: int, condition: str, time: int) -> PoolPrice | None:
    statement = text(
        f"SELECT time, sqrt_price_x96, tick FROM swaps WHERE pool_id = :pool_id {condition} "
        "ORDER BY time DESC, chain_id DESC, block DESC, log_index DESC LIMIT 1"
    )
    row = connection.execute(
        statement, {"pool_id": pool_id, "time": time} if condition else {"pool_id": pool_id}
    ).first()
    return None if row is None else PoolPrice(row[0], int(row[1]), row[2])


def swaps(connection: Connection, pool_id: int, span: Span, limit: int | None = None) -> list[Swap]:
    """The pool's swaps within `span` (seconds), whole, in (block, log index) order; at most `limit` of them."""
    statement = text(
        "SELECT pools.address, block, log_index, time, sqrt_price_x96, tick, liquidity, amount0, amount1, "
        "transaction_hash FROM swaps JOIN pools ON pools.id = pool_id "
        "WHERE pool_id = :pool_id AND time >= :start AND time < :end "
        "ORDER BY time, swaps.chain_id, block, log_index" + ("" if limit is None else " LIMIT :limit")
    )
    bounds = {"pool_id": pool_id, "start": span.start, "end": span.end}
    rows = connection.execute(statement, bounds if limit is None else bounds | {"limit": limit})
    with collector_paused():
        return [_swap(*row) for row in rows]


def _swap(
    pool: str,
    block: int,
    log_index: int,
    time: int,
    sqrt_price_x96: Any,
    tick: int,
    liquidity: Any,
    amount0: Any,
    amount1: Any,
    transaction_hash: Any,
) -> Swap:
    return Swap(
        Address(pool),
        block,
        log_index,
        time,
        int(sqrt_price_x96),
        tick,
        None if liquidity is None else int(liquidity),
        int(amount0),
        int(amount1),
        bytes(transaction_hash),
    )
