from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import LoyaltyError, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.choose import ask, whole_hours
from loyalty.prices.fixed import FixedSource
from loyalty.prices.plan import BeyondPlan

HOUR = 3_600


class Table:
    """A source with the given prices by time, which fails as told for spans that begin before `fails_before`."""

    def __init__(self, name: str, prices: dict[int, int], error: LoyaltyError | None = None, fails_before: int = 0):
        self.name = name
        self.asked: list[Span] = []
        self._prices = prices
        self._error = error
        self._fails_before = fails_before

    def points(self, span: Span, now: int) -> list[PricePoint]:
        self.asked.append(span)
        if self._error and span.start < self._fails_before:
            raise self._error
        return [
            PricePoint(time, price, self.name, now)
            for time, price in sorted(self._prices.items())
            if span.contains(time)
        ]


def chosen(asked):
    return [(point.valid_time, point.price, point.source) for point in asked.points]


def test_each_hour_takes_the_first_source_that_has_a_point():
    first = Table("coingecko", {0: 10, 2 * HOUR: 12})
    second = Table("file", {0: 20, HOUR: 21, 2 * HOUR: 22})
    asked = ask([first, second], Span(0, 4 * HOUR), now=9)
    assert chosen(asked) == [(0, 10, "coingecko"), (HOUR, 21, "file"), (2 * HOUR, 12, "coingecko")]
    assert asked.missing == [Span(3 * HOUR, 4 * HOUR)]
    assert asked.faults == []


def test_a_later_source_is_asked_only_for_hours_that_are_missing():
    second = Table("file", {})
    ask([Table("coingecko", {HOUR: 1}), second], Span(0, 3 * HOUR), now=0)
    assert second.asked == [Span(0, HOUR), Span(2 * HOUR, 3 * HOUR)]
    third = Table("file", {})
    ask([Table("coingecko", {0: 1, HOUR: 1}), third], Span(0, 2 * HOUR), now=0)
    assert third.asked == []


def test_all_points_of_the_chosen_source_in_an_hour_are_taken():
    first = Table("file", {10: 1, 1_800: 2})
    assert chosen(ask([first, Table("coingecko", {0: 9})], Span(0, HOUR), now=0)) == [
        (10, 1, "file"),
        (1_800, 2, "file"),
    ]


def test_a_source_that_fails_is_told_and_the_next_one_asked():
    failure = Unavailable("CoinGecko could not be reached")
    asked = ask([Table("coingecko", {0: 1}, failure, HOUR), Table("file", {0: 2})], Span(0, HOUR), now=0)
    assert chosen(asked) == [(0, 2, "file")]
    assert [(fault.source, fault.span, fault.error) for fault in asked.faults] == [
        ("coingecko", Span(0, HOUR), failure)
    ]


def test_when_all_sources_fail_nothing_is_priced_and_every_reason_is_told():
    sources = [Table(name, {}, Unavailable(name), HOUR) for name in ("coingecko", "file")]
    asked = ask(sources, Span(0, HOUR), now=0)
    assert (asked.points, asked.missing) == ([], [Span(0, HOUR)])
    assert [fault.source for fault in asked.faults] == ["coingecko", "file"]


def test_what_lies_before_a_plan_comes_from_the_next_source_and_the_rest_from_the_first():
    first = Table("coingecko", {0: 1, HOUR: 1, 2 * HOUR: 1}, BeyondPlan("too old", 2 * HOUR), 2 * HOUR)
    asked = ask([first, Table("file", {0: 5, HOUR: 6, 2 * HOUR: 7})], Span(0, 3 * HOUR), now=0)
    assert chosen(asked) == [(0, 5, "file"), (HOUR, 6, "file"), (2 * HOUR, 1, "coingecko")]
    assert [fault.span for fault in asked.faults] == [Span(0, 2 * HOUR)]


def test_a_fixed_price_alone_or_first_is_one_point_at_time_zero():
    asked = ask([FixedSource(5), Table("file", {HOUR: 1})], Span(HOUR, 3 * HOUR), now=0)
    assert chosen(asked) == [(0, 5, "fixed")]
    assert asked.missing == []


def test_a_fixed_price_after_others_stands_in_for_the_hours_that_they_left_out():
    asked = ask([Table("coingecko", {HOUR: 7}), FixedSource(5)], Span(0, 3 * HOUR), now=0)
    assert chosen(asked) == [(0, 5, "fixed"), (HOUR, 7, "coingecko"), (2 * HOUR, 5, "fixed")]


def test_a_span_is_widened_to_full_hours():
    assert whole_hours(Span(3_700, 7_201)) == Span(3_600, 10_800)
    assert whole_hours(Span(3_600, 7_200)) == Span(3_600, 7_200)


PRICES = st.dictionaries(st.integers(0, 10 * HOUR - 1), st.integers(1, 9), max_size=12)


@given(PRICES, PRICES, st.integers(0, 10))
def test_a_span_cut_at_a_full_hour_gives_the_points_of_the_whole(first, second, cut):
    sources = [Table("file", first), Table("coingecko", second)]
    parts = [ask(sources, span, 0).points for span in (Span(0, cut * HOUR), Span(cut * HOUR, 10 * HOUR))]
    assert parts[0] + parts[1] == ask(sources, Span(0, 10 * HOUR), 0).points
