import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import TokenScale
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PoolPrice, PricePoint
from loyalty.core.spans import Span
from loyalty.prices.pool_twap import PoolHistory, PoolTwapSource, QuoteToken, sqrt_price_of, tick_seconds, usd_price
from loyalty.prices.refusal import Reason

HOUR = 3_600
WBTC = TokenScale(8, 8)
TBTC = TokenScale(18, 8)
USD_60_000 = 60_000 * 10**8


def at(time, tick):
    return PoolPrice(time, sqrt_ratio_at_tick(tick), tick)


class Pool:
    """WBTC/tBTC, so that tBTC is token1 and WBTC quotes it; prices and quotes by time."""

    def __init__(self, *prices, quotes=((0, USD_60_000),), quoted_by="fixed", known_until=10**9, max_age=2 * HOUR):
        self.prices = prices
        self.quotes = [PricePoint(time, price, quoted_by, 0) for time, price in quotes]
        self.known_until = known_until
        self.max_age = max_age
        self.refusals = []

    def source(self, **settings):
        given = {"is_token0": False, "rewarded": False, "refuse": self.refusals.append} | settings
        quote = QuoteToken(lambda span: self._within(self.quotes, span), WBTC, self.max_age)
        return PoolTwapSource(self._read, quote, TBTC, "tBTC", **given)

    def _read(self, span):
        return PoolHistory(self._within(self.prices, span), self.known_until)

    @staticmethod
    def _within(items, span):
        """The last one at or before the span's start and those within it."""
        before = [item for item in items if item[0] <= span.start][-1:]
        return before + [item for item in items if span.start < item[0] < span.end]


def prices(points):
    return [(point.valid_time, point.price) for point in points]


PARITY = 230_270
"""10**10 of tBTC's units to one of WBTC's, to within half a tick."""


def test_ticks_are_weighted_by_the_seconds_that_they_lasted():
    history = [at(0, 10), at(200, 30), at(900, -5), at(900, 40)]
    assert tick_seconds(history, Span(100, 1_000)) == 10 * 100 + 30 * 700 + 40 * 100
    assert tick_seconds(history, Span(200, 300)) == 30 * 100
    assert tick_seconds(history, Span(1_000, 1_100)) == 40 * 100


def test_before_its_first_price_a_pool_has_no_mean():
    assert tick_seconds([at(100, 7)], Span(99, 200)) is None
    assert tick_seconds([at(100, 7)], Span(100, 200)) == 700
    assert tick_seconds([], Span(0, 1)) is None


def test_prices_that_go_back_in_time_are_refused():
    with pytest.raises(Inconsistent, match="tBTC: the prices of its pool go back from 1970-01-01T00:33:20Z to 1970"):
        Pool(at(0, 7), at(2_000, 7), at(1_999, 8)).source().points(Span(1, HOUR + 1), 0)


@pytest.mark.parametrize("tick", [-887_272, -1, 0, 1, 230_270, 887_270])
def test_at_a_whole_tick_the_price_is_the_contracts(tick):
    assert sqrt_price_of(tick * 1_800, 1_800) == sqrt_ratio_at_tick(tick)


def test_between_two_ticks_the_price_is_taken_in_proportion():
    low, high = sqrt_ratio_at_tick(-5), sqrt_ratio_at_tick(-4)
    assert sqrt_price_of(-5 * 1_800 + 450, 1_800) == low + (high - low) // 4


def test_a_mean_off_the_grid_is_refused():
    with pytest.raises(Invalid, match="a mean tick of 887272 is none"):
        sqrt_price_of(887_272 * 1_800, 1_800)


def test_the_price_is_the_ratio_times_the_quotes_price_in_both_directions():
    square = 3 << 96  # nine smallest units of token1 for one of token0
    cheap, dear = TokenScale(2, 8), TokenScale(5, 3)
    assert usd_price(square, 7_000, cheap, dear, is_token0=True) == Decimal("0.063")
    assert usd_price(square, 7 * 10**8, dear, cheap, is_token0=False) * 9 == pytest.approx(7_000, rel=Decimal("1e-50"))


def test_the_point_of_an_hour_is_the_mean_of_the_half_hour_before_it():
    pool = Pool(at(0, PARITY), at(HOUR - 900, PARITY + 100), quotes=[(HOUR, USD_60_000)])
    (point,) = pool.source().points(Span(1, HOUR + 1), now=9)
    mean = Fraction(sqrt_ratio_at_tick(PARITY + 50), 2**96) ** 2
    assert point.price == round(60_000 * 10**8 * 10**10 / mean)
    assert (point.valid_time, point.source, point.asked_time) == (HOUR, "pool", 9)


def test_as_token0_the_price_is_the_inverse():
    pool = Pool(at(0, PARITY), quotes=[(HOUR, USD_60_000)])
    token1 = pool.source().points(Span(1, HOUR + 1), 0)[0].price
    quote = QuoteToken(lambda span: pool.quotes, TBTC, None)
    token0 = PoolTwapSource(pool._read, quote, WBTC, "WBTC", is_token0=True, rewarded=False)
    assert token0.points(Span(1, HOUR + 1), 0)[0].price * token1 == pytest.approx(USD_60_000**2, rel=1e-12)


def test_a_price_driven_to_the_end_for_a_block_moves_the_mean_little():
    calm = Pool(at(0, PARITY)).source(window=HOUR).points(Span(1, HOUR + 1), 0)
    attacked = Pool(at(0, PARITY), at(HOUR - 600, PARITY - 138_163), at(HOUR - 598, PARITY))
    (point,) = attacked.source(window=HOUR).points(Span(1, HOUR + 1), 0)
    assert Decimal(point.price) / calm[0].price == pytest.approx(Decimal("1.0077"), abs=Decimal("0.0001"))


def test_an_hour_whose_window_begins_before_the_pool_is_left_out_and_told():
    pool = Pool(at(HOUR - 1_799, PARITY))
    assert [time for time, _ in prices(pool.source().points(Span(1, 2 * HOUR + 1), 0))] == [2 * HOUR]
    assert [(each.valid_time, each.reason) for each in pool.refusals] == [(HOUR, Reason.NO_PRICE)]
    assert pool.refusals[0].detail == "the pool had no price at 1970-01-01T00:30:00Z"


def test_an_hour_of_which_the_quote_token_has_no_price_is_left_out_and_told():
    pool = Pool(at(0, PARITY), quotes=[(HOUR, USD_60_000), (3 * HOUR, USD_60_000)], quoted_by="coingecko")
    assert [time for time, _ in prices(pool.source().points(Span(1, 3 * HOUR + 1), 0))] == [HOUR, 3 * HOUR]
    assert [(each.valid_time, each.reason) for each in pool.refusals] == [(2 * HOUR, Reason.STALE)]
    assert pool.refusals[0].detail == "the quote token has no price of this hour"


def test_a_quote_from_a_file_counts_while_it_is_in_force():
    pool = Pool(at(0, PARITY), quotes=[(100, USD_60_000)], quoted_by="file", max_age=2 * HOUR)
    assert [time for time, _ in prices(pool.source().points(Span(1, 3 * HOUR + 1), 0))] == [HOUR, 2 * HOUR]


def test_an_hour_that_the_chain_has_not_passed_is_not_read():
    pool = Pool(at(0, PARITY), known_until=2 * HOUR)
    assert [time for time, _ in prices(pool.source().points(Span(1, 5 * HOUR), 10**6))] == [HOUR]


def test_a_short_window_is_refused():
    with pytest.raises(Invalid, match="tBTC: a pool's price over 1799 s can be bought: take 1800 s or more"):
        Pool().source(window=1_799)


def test_a_rewarded_pool_prices_nothing_unless_it_is_allowed():
    with pytest.raises(Invalid, match="from a pool that the program rewards"):
        Pool().source(rewarded=True)
    assert len(Pool(at(0, PARITY)).source(rewarded=True, allow_rewarded=True).points(Span(1, HOUR + 1), 0)) == 1


HISTORY = st.lists(st.tuples(st.integers(0, 8 * HOUR), st.integers(-400, 400)), max_size=25).map(sorted)


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.lists(st.integers(0, 8 * HOUR), max_size=3), st.sampled_from([1_800, 2_000, 3 * HOUR]))
def test_however_the_span_is_cut_the_points_are_the_same(history, cuts, window):
    pool = Pool(*(at(time, PARITY + tick) for time, tick in history), max_age=None)
    source = pool.source(window=window)
    whole = source.points(Span(0, 8 * HOUR), 0)
    ends = sorted({0, 8 * HOUR, *cuts})
    assert [point for a, b in itertools.pairwise(ends) for point in source.points(Span(a, b), 0)] == whole


@settings(max_examples=60, deadline=None)
@given(HISTORY, st.integers(0, 8 * HOUR), st.integers(1, 2 * HOUR))
def test_the_mean_is_the_one_of_every_single_second(history, start, seconds):
    known = [at(0, 3), *(at(time, tick) for time, tick in history)]
    ticks = iter(known)
    ahead, tick, total = next(ticks), 0, 0
    for second in range(start + seconds):
        while ahead is not None and ahead.time <= second:
            tick, ahead = ahead.tick, next(ticks, None)
        total += tick if second >= start else 0
    assert tick_seconds(known, Span(start, start + seconds)) == total
