"""Price points: the first one of a time stays, with its source."""

from typing import Any

import pytest

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.state import State, StateTransaction, prices

ON_EACH_ENGINE = True


def point(time: int, price: int = 100, source: str = "coingecko") -> PricePoint:
    return PricePoint(time, price, source, time + 7)


@pytest.fixture
def token(pool: Any) -> int:
    return int(pool.token_ids[0])


def test_points_come_back_in_order_of_time(state: State, pool: Any, token: int) -> None:
    largest = point(30, 10**77)
    with StateTransaction(state) as connection:
        assert prices.insert(connection, token, [largest, point(10), point(20)]) == 3
        assert prices.insert(connection, pool.token_ids[1], [point(15)]) == 1
        assert prices.points(connection, token) == [point(10), point(20), largest]
        assert prices.latest(connection, token) == largest


def test_a_span_has_the_last_point_before_it_as_well(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(time) for time in (10, 20, 30, 40)])
        times = {
            span: [found.valid_time for found in prices.points(connection, token, Span(*span))]
            for span in [(25, 40), (20, 41), (5, 11), (0, 10), (50, 60)]
        }
    assert times == {(25, 40): [20, 30], (20, 41): [10, 20, 30, 40], (5, 11): [10], (0, 10): [], (50, 60): [40]}


def test_a_point_of_a_time_that_has_one_does_not_replace_it(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(10, 100)])
        assert prices.insert(connection, token, [point(10, 999), point(20, 5), point(20, 6), point(30, 7)]) == 2
        assert [found.price for found in prices.points(connection, token)] == [100, 5, 7]
        assert prices.insert(connection, token, []) == 0


def test_points_are_taken_back_by_time(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(10), point(20), point(30)])
        assert prices.delete(connection, token, [10, 30, 99]) == 2
        assert prices.delete(connection, token, []) == 0
        assert prices.points(connection, token) == [point(20)]


def test_the_operators_reason_is_kept(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(10)])
        prices.insert(connection, token, [point(20, 5, "operator")], "the source was down")
        assert prices.reasons(connection, token) == {20: "the source was down"}


def test_a_token_without_points_has_none(state: State, token: int) -> None:
    with state.read() as connection:
        assert prices.latest(connection, token) is None
        assert prices.points(connection, token) == []
