"""Queries that run often find their rows by an index (SQLite)."""

from typing import Any

from loyalty.core.spans import Span
from loyalty.state import State, days


def test_reading_prices_needs_no_sorting(state: State) -> None:
    with state.read() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT time, sqrt_price_x96, tick FROM swaps "
            "WHERE pool_id = 1 AND time >= 1 AND time < 9 ORDER BY time, chain_id, block, log_index"
        ).all()
    assert [row[3] for row in plan] == [
        "SEARCH swaps USING INDEX ix_swaps_pool_id_time (pool_id=? AND time>? AND time<?)"
    ]


def test_reading_an_epochs_cells_does_not_look_at_other_days(state: State, pool: Any) -> None:
    """By the index on (pool, day), although neither pool nor provider is asked for."""
    seen: list[str] = []
    with state.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(seen.append)
        days.cells(connection, Span(5, 6))
        driver.set_trace_callback(None)
        (query,) = (statement for statement in seen if "daily_balances" in statement)
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert any("USING INDEX ix_daily_balances_pool_id_day (pool_id=? AND day>? AND day<?)" in line for line in plan), (
        plan
    )
