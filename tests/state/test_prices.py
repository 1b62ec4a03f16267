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


def test_a_correction_is_a_later_version_and_the_older_ones_stay(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(10), point(20), point(30)])
        prices.correct(connection, token, [point(20, 5, "operator"), point(30, 6, "operator")], "a typing error")
        prices.correct(connection, token, [point(30, 7, "operator")], "another one")
        prices.correct(connection, token, [], "nothing")
        assert [found.price for found in prices.points(connection, token)] == [100, 5, 7]
        assert [found.price for found in prices.points(connection, token, Span(25, 40))] == [5, 7]
        latest = prices.latest(connection, token)
        assert latest is not None
        assert latest.price == 7
        assert [found[:5] for found in prices.versions(connection, token, Span(20, 31))] == [
            (20, 1, 100, "coingecko", 27),
            (20, 2, 5, "operator", 27),
            (30, 1, 100, "coingecko", 37),
            (30, 2, 6, "operator", 37),
            (30, 3, 7, "operator", 37),
        ]
        assert prices.reasons(connection, token) == {20: "a typing error", 30: "another one"}
        assert prices.insert(connection, token, [point(20, 8)]) == 0


def test_the_operators_reason_is_kept(state: State, token: int) -> None:
    with StateTransaction(state) as connection:
        prices.insert(connection, token, [point(10)])
        prices.insert(connection, token, [point(20, 5, "operator")], "the source was down")
        assert prices.reasons(connection, token) == {20: "the source was down"}


def test_a_token_without_points_has_none(state: State, token: int) -> None:
    with state.read() as connection:
        assert prices.latest(connection, token) is None
        assert prices.points(connection, token) == []
