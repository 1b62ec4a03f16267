from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.spans import Span
from loyalty.prices.grid import Quote, grid_hours, on_grid


def test_an_hour_takes_the_last_quote_up_to_and_including_it():
    quotes = [
        Quote(3_600_000, Decimal(1)),
        Quote(3_600_001, Decimal(2)),
        Quote(7_100_000, Decimal(3)),
        Quote(7_200_000, Decimal(4)),
        Quote(7_200_001, Decimal(5)),
    ]
    assert on_grid(quotes, Span(3_600, 10_801)) == {3_600: 1, 7_200: 4, 10_800: 5}


def test_quotes_may_come_in_any_order():
    assert on_grid([Quote(7_000_000, Decimal(2)), Quote(6_000_000, Decimal(1))], Span(0, 7_201)) == {7_200: 2}


def test_an_hour_without_a_quote_has_no_price():
    assert on_grid([Quote(3_600_000, Decimal(1))], Span(7_200, 10_801)) == {}


def test_the_full_hours_of_a_span():
    assert grid_hours(Span(3_600, 7_200)) == Span(3_600, 7_200)
    assert grid_hours(Span(3_601, 7_201)) == Span(7_200, 10_800)
    assert not grid_hours(Span(3_601, 7_200))


@given(st.lists(st.integers(0, 40_000_000), max_size=30), st.integers(0, 36_000), st.integers(0, 36_000), st.data())
def test_a_span_cut_anywhere_has_the_hours_of_the_whole(times, start, length, draw):
    quotes = [Quote(time, Decimal(time + 1)) for time in times]
    span = Span(start, start + length)
    cut = draw.draw(st.integers(span.start, span.end))
    parts = [grid_hours(Span(span.start, cut)), grid_hours(Span(cut, span.end))]
    assert on_grid(quotes, parts[0]) | on_grid(quotes, parts[1]) == on_grid(quotes, grid_hours(span))
    assert on_grid(quotes, parts[0]).keys().isdisjoint(on_grid(quotes, parts[1]))
