"""A token's price by a Uniswap V3 pool's own trades: time-weighted over 30 minutes or more, against a priced token.

The mean is the geometric one, of ticks, as the pool's own oracle gives it: whoever asks the contract's `observe` for
the same two times gets the same sum of ticks times seconds (v3-core `Oracle`, v3-periphery `OracleLibrary.consult`). An
arithmetic mean of prices would be worth nothing: who drives the price up a million times for the two seconds of a block
lifts a mean over 30 minutes about a thousand times, the geometric mean by 1.5%. Only the oracle's rounding to a whole
tick is left out: between two ticks the square-root price is taken in proportion. A tick is the floor of a price, so the
result is at most 0.01% low for token0, and high for token1.

The quote token's price is its point of that very hour, or, from a source without a grid, the one in force: taking an
older one while the hour's is not there yet would give another price live than later.

Nobody is paid for moving a price that pays him: a pool that is rewarded is refused as a source unless the operator says
so, and its price belongs within a deviation limit of another source (deviation.py).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from loyalty.accrual.day import TokenScale
from loyalty.accrual.series import points_in_force
from loyalty.accrual.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PoolPrice, PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, time_text
from loyalty.prices.grid import grid_hours
from loyalty.prices.refusal import Reason, Refusal, Refuse, log_refusal
from loyalty.prices.scale import price_at_scale

SHORTEST_WINDOW = 1_800
OFF_GRID = frozenset({"fixed", "file", "operator"})
"""Sources whose points stand at any time; all others have one each full hour."""
_TIME = attrgetter("time")
_DIGITS = Context(prec=60)
"""A price goes through 60 decimal digits on its way to its scale of 18 or fewer: that rounding moves nothing."""


class PoolHistory(NamedTuple):
    """A pool's prices in (block, log index) order: the last one at or before the span's start, and all within it.

    Every price before `known_until` (unix seconds) is among them: the time of the last final block that was indexed.
    """

    prices: Sequence[PoolPrice]
    known_until: int


class QuoteToken(NamedTuple):
    """The pool's other token, which has a price: its points in a span after the last one before it, and their limit."""

    read: Callable[[Span], Sequence[PricePoint]]
    scale: TokenScale
    max_age: int | None


class PoolTwapSource:
    """The pool whose stored prices `read` gives; it prices `symbol`, its token0 where `is_token0`, by `quote`.

    `window` is the seconds of the mean; `rewarded` whether the program pays for liquidity in the pool.
    """

    name = "pool"

    def __init__(
        self,
        read: Callable[[Span], PoolHistory],
        quote: QuoteToken,
        scale: TokenScale,
        symbol: str,
        *,
        is_token0: bool,
        rewarded: bool,
        allow_rewarded: bool = False,
        window: int = SHORTEST_WINDOW,
        refuse: Refuse = log_refusal,
    ) -> None:
        if window < SHORTEST_WINDOW:
            raise Invalid(f"{symbol}: a pool's price over {window} s can be bought: take {SHORTEST_WINDOW} s or more")
        if rewarded and not allow_rewarded:
            raise Invalid(
                f"{symbol}: its price would come from a pool that the program rewards, and who moves that price is "
                "paid by it. Take another source or another pool, or allow it explicitly with a deviation limit"
            )
        self._read = read
        self._quote = quote
        self._scale = scale
        self._symbol = symbol
        self._is_token0 = is_token0
        self._window = window
        self._refuse = refuse

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The points of the full hours in `span` that the chain has passed: each the mean over the window before it.

        An hour is left out, and told, where the pool had no price at its window's start or the quote token none at the
        hour. Raises Inconsistent for times that go back, Invalid for a price that price_decimals cannot hold.
        """
        hours = grid_hours(span)
        if not hours:
            return []
        history = self._read(Span(hours.start - self._window, hours.end))
        _check_order(history.prices, self._symbol)
        quotes = self._quote.read(hours)
        found: list[PricePoint] = []
        for hour in range(hours.start, min(hours.end, history.known_until), HOUR_SECONDS):
            price = self._price(history.prices, quotes, hour)
            if price is not None:
                found.append(PricePoint(hour, price, self.name, now))
        return found

    def _price(self, prices: Sequence[PoolPrice], quotes: Sequence[PricePoint], hour: int) -> int | None:
        window = Span(hour - self._window, hour)
        sum_of_ticks = tick_seconds(prices, window)
        if sum_of_ticks is None:
            self._tell(hour, Reason.NO_PRICE, f"the pool had no price at {time_text(window.start)}")
            return None
        quote = quote_at(quotes, hour, self._quote.max_age)
        if quote is None:
            self._tell(hour, Reason.STALE, "the quote token has no price of this hour")
            return None
        sqrt_price_x96 = sqrt_price_of(sum_of_ticks, self._window)
        usd = usd_price(sqrt_price_x96, quote.price, self._scale, self._quote.scale, is_token0=self._is_token0)
        place = f"{self._symbol}: the pool's price at {time_text(hour)}"
        return price_at_scale(usd, self._scale.price_decimals, place)

    def _tell(self, hour: int, reason: Reason, detail: str) -> None:
        self._refuse(Refusal(self.name, self._symbol, hour, reason, detail))


def quote_at(quotes: Sequence[PricePoint], hour: int, max_age: int | None) -> PricePoint | None:
    """The point in force at `hour`, if it is of that hour or from a source without a grid."""
    force = points_in_force(quotes, Span(hour, hour), max_age)
    if not force or (force[0].valid_time != hour and force[0].source not in OFF_GRID):
        return None
    return force[0]


def tick_seconds(prices: Sequence[PoolPrice], window: Span) -> int | None:
    """∫ tick dt over `window`, as the difference of the oracle's two `tickCumulatives`.

    `prices` ascend by time; None where the pool had no price at the window's start.
    """
    first = bisect_right(prices, window.start, key=_TIME)
    if not first:
        return None
    total, time, tick = 0, window.start, prices[first - 1].tick
    for price in prices[first : bisect_left(prices, window.end, key=_TIME)]:
        total += tick * (price.time - time)
        time, tick = price.time, price.tick
    return total + tick * (window.end - time)


def _check_order(prices: Sequence[PoolPrice], symbol: str) -> None:
    for price, later in pairwise(prices):
        if later.time < price.time:
            raise Inconsistent(
                f"{symbol}: the prices of its pool go back from {time_text(price.time)} to {time_text(later.time)}: "
                "they must come in (block, log index) order"
            )


def sqrt_price_of(sum_of_ticks: int, seconds: int) -> int:
    """The square-root price (Q96) at the mean tick; between two ticks in proportion, rounded down."""
    tick, rest = divmod(sum_of_ticks, seconds)
    if not MIN_TICK <= tick < MAX_TICK:
        raise Invalid(f"a mean tick of {tick} is none: Uniswap V3 has {MIN_TICK} to {MAX_TICK - 1}")
    lower = sqrt_ratio_at_tick(tick)
    return lower + (sqrt_ratio_at_tick(tick + 1) - lower) * rest // seconds


def usd_price(
    sqrt_price_x96: int, quote_price: int, scale: TokenScale, quote_scale: TokenScale, *, is_token0: bool
) -> Decimal:
    """Dollars per whole token at a pool price, the quote token being at `quote_price` (at its own price scale).

    (sqrt_price / 2**96)**2 is token1 per token0, both in smallest units; 60 significant digits.
    """
    token1, token0 = sqrt_price_x96**2, 1 << 192
    ratio = (token1, token0) if is_token0 else (token0, token1)
    numerator = ratio[0] * 10**scale.decimals * quote_price
    denominator = ratio[1] * 10 ** (quote_scale.decimals + quote_scale.price_decimals)
    return _DIGITS.divide(_DIGITS.create_decimal(numerator), _DIGITS.create_decimal(denominator))
