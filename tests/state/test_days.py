"""Pool-days, their cells, and current balances: replaced at once, never added to."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.amounts import INT63_MAX, Overflow
from loyalty.core.spans import Span
from loyalty.state import State, StateTransaction, balances, days, providers
from loyalty.state.balances import ProviderBalance
from loyalty.state.days import DailyCell, PoolDay

ON_EACH_ENGINE = True

ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)


@pytest.fixture
def ids(state: State) -> dict[Address, int]:
    with StateTransaction(state) as connection:
        return providers.ids_of(connection, [ALICE, BOB])


def test_a_days_cells_take_the_place_of_those_before(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        days.write(connection, pool.id, 5, "open", "WBTC: no price", 10, 100, {ids[ALICE]: (7, 6), ids[BOB]: (5, 0)})
        days.write(connection, pool.id, 6, "open", None, 10, 100, {ids[BOB]: (1, 1)})
        days.write(connection, pool.id, 5, "closed", None, 20, 200, {ids[ALICE]: (9, 8)})
    with state.read() as connection:
        assert days.states(connection, pool.id) == {
            5: PoolDay(pool.id, 5, "closed", None, 20, 200),
            6: PoolDay(pool.id, 6, "open", None, 10, 100),
        }
        assert days.cells(connection, Span(5, 7)) == [
            DailyCell(42161, pool.address, ALICE, 5, 9, 8),
            DailyCell(42161, pool.address, BOB, 6, 1, 1),
        ]
        assert days.cells(connection, Span(5, 6)) == [DailyCell(42161, pool.address, ALICE, 5, 9, 8)]
        assert days.cells(connection, Span(0, 99), ids[BOB]) == [DailyCell(42161, pool.address, BOB, 6, 1, 1)]


def test_a_days_work_leaves_other_pools_alone(
    state: State, pool: Any, other_pool: Any, ids: dict[Address, int]
) -> None:
    with StateTransaction(state) as connection:
        for place in (pool, other_pool):
            days.write(connection, place.id, 5, "closed", None, 1, 1, {ids[ALICE]: (7, 7)})
        days.write(connection, pool.id, 5, "unpriced", "tBTC: no price", 2, 2, {})
        assert [cell.pool for cell in days.cells(connection, Span(5, 6))] == [other_pool.address]
        assert [state.status for state in days.all_states(connection, Span(5, 6))] == ["unpriced", "closed"]


def test_days_are_forgotten_from_one_on(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        for day in (5, 6, 7):
            days.write(connection, pool.id, day, "closed", None, 1, 1, {ids[ALICE]: (day, 0)})
        assert days.delete_from(connection, pool.id, 6) == 2
        assert list(days.states(connection, pool.id)) == [5]
        assert [cell.usd_micro_days for cell in days.cells(connection, Span(0, 99))] == [5]


def test_the_largest_dollar_value_fits_and_one_more_is_an_error(
    state: State, pool: Any, ids: dict[Address, int]
) -> None:
    def write(usd: int) -> None:
        with StateTransaction(state) as connection:
            days.write(connection, pool.id, 5, "closed", None, 1, 1, {ids[ALICE]: (usd, usd)})

    def replace(usd: int) -> None:
        with StateTransaction(state) as connection:
            balances.replace(connection, pool.id, {ids[ALICE]: (0, usd)}, 1, 1)

    for store in (write, replace):
        store(INT63_MAX)
        with pytest.raises(Overflow, match="does not fit 63 bits"):
            store(INT63_MAX + 1)
    with state.read() as connection:
        assert days.cells(connection, Span(5, 6))[0].usd_micro_days == INT63_MAX
        assert balances.balances(connection)[0].usd_micro_in_range == INT63_MAX


def test_current_balances_take_the_place_of_those_before(
    state: State, pool: Any, other_pool: Any, ids: dict[Address, int]
) -> None:
    with StateTransaction(state) as connection:
        balances.replace(connection, pool.id, {ids[ALICE]: (7, 6), ids[BOB]: (5, 0)}, 10, 100)
        balances.replace(connection, other_pool.id, {ids[BOB]: (1, 1)}, 10, 100)
        balances.replace(connection, pool.id, {ids[BOB]: (4, 3)}, 20, 200)
        bob_here = ProviderBalance(42161, pool.address, BOB, 4, 3, 20, 200)
        bob_there = ProviderBalance(42161, other_pool.address, BOB, 1, 1, 10, 100)
        assert balances.balances(connection) == [bob_here, bob_there]
        assert balances.balances(connection, ids[ALICE]) == []
