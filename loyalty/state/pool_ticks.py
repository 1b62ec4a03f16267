"""Pool ticks: the prices of Uniswap V3 pools that price a token, rewarded or not."""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from loyalty.core.facts import PoolPrice, Swap
from loyalty.core.spans import Span
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import pool_ticks as table

_SELECT = "SELECT time, sqrt_price_x96, tick FROM pool_ticks WHERE contract_id = :contract_id"


def insert(connection: Connection, chain_id: int, contract_id: int, swaps: Sequence[Swap]) -> list[Swap]:
    """Store the prices at `swaps` of one pool; returns those that were not stored already."""
    if not swaps:
        return []
    statement = text(
        "SELECT block, log_index FROM pool_ticks "
        "WHERE contract_id = :contract_id AND block >= :first AND block <= :last"
    )
    blocks = [swap.block for swap in swaps]
    bound = {"contract_id": contract_id, "first": min(blocks), "last": max(blocks)}
    stored = {(row.block, row.log_index) for row in connection.execute(statement, bound)}
    new = [swap for swap in swaps if (swap.block, swap.log_index) not in stored]
    rows = (
        (contract_id, swap.block, swap.log_index, chain_id, swap.time, str(swap.sqrt_price_x96), swap.tick)
        for swap in new
    )
    insert_rows(connection, table, rows)
    return new


def prices(connection: Connection, contract_id: int, span: Span) -> list[PoolPrice]:
    """The last price at or before the span's start, and all within it, in (block, log index) order."""
    bound = {"contract_id": contract_id, "start": span.start, "end": span.end}
    before = text(f"{_SELECT} AND time <= :start ORDER BY time DESC, block DESC, log_index DESC LIMIT 1")
    within = text(f"{_SELECT} AND time > :start AND time < :end ORDER BY block, log_index")
    rows = [*connection.execute(before, bound), *connection.execute(within, bound)]
    return [PoolPrice(row.time, int(row.sqrt_price_x96), row.tick) for row in rows]
