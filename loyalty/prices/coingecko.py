"""CoinGecko's history of a coin, read on the hourly grid.

market_chart/range answers with 5-minute points for a day, hourly ones for 2 to 90 days and daily ones beyond, so it is
asked in windows of 2 to 89 days, whatever the span. An hour is read once it is SETTLING_SECONDS old: CoinGecko
publishes a point minutes after its time, and an hour read too early would differ from the same hour read later.
The database is the cache: the caller asks only for the hours that it does not have.
"""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx

from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, time_text
from loyalty.prices.coingecko_api import CoinGeckoApi, CoinGeckoKey, OlderThanPlan, Plan
from loyalty.prices.grid import Quote, grid_hours, on_grid
from loyalty.prices.pace import Pace
from loyalty.prices.plan import BeyondPlan
from loyalty.prices.refusal import Reason, Refusal, Refuse, log_refusal
from loyalty.prices.scale import is_price, price_at_scale

SETTLING_SECONDS = 600
HISTORY_DAYS: dict[Plan, int | None] = {"public": 365, "demo": 365, "pro": None}
_SHORTEST_WINDOW = 2 * DAY_SECONDS
_LONGEST_WINDOW = 89 * DAY_SECONDS
_PLAN_MARGIN = 2 * HOUR_SECONDS
"""An hour reaches one hour back, and the plan's border moves while we ask."""


class CoinGeckoSource:
    """The coin `coin_id`, which prices the token `symbol`. `pace` is shared by the sources of one program."""

    name = "coingecko"

    def __init__(
        self,
        coin_id: str,
        price_decimals: int,
        symbol: str,
        client: httpx.Client,
        key: CoinGeckoKey | None = None,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
        refuse: Refuse = log_refusal,
    ) -> None:
        self._refuse = refuse
        self._coin_id = coin_id
        self._price_decimals = price_decimals
        self._symbol = symbol
        self._api = CoinGeckoApi(client, key, sleep, pace)

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The points of the full hours in `span` that are settled at `now`.

        Raises BeyondPlan before asking where the span begins before the plan's history; otherwise see CoinGeckoApi.
        """
        hours = grid_hours(Span(span.start, min(span.end, now - SETTLING_SECONDS + 1)))
        if not hours:
            return []
        self._check_plan(hours, now)
        prices: dict[int, Decimal] = {}
        for part in hours.pieces(_LONGEST_WINDOW):
            prices |= on_grid(self._believable(self._quotes(part, now)), part)
        return [self._point(hour, usd, now) for hour, usd in prices.items()]

    def _quotes(self, hours: Span, now: int) -> list[Quote]:
        try:
            return self._api.quotes(self._coin_id, window(hours, now))
        except OlderThanPlan as error:
            raise BeyondPlan(f"{self._symbol}: {error}; {_OTHER_SOURCE}", hours.end) from None
        except (Invalid, Unavailable) as error:
            raise type(error)(f"{self._symbol}: {error}") from None

    def _check_plan(self, hours: Span, now: int) -> None:
        days = HISTORY_DAYS[self._api.plan]
        if days is None:
            return
        since = grid_hours(Span(now - days * DAY_SECONDS + _PLAN_MARGIN, now)).start
        if hours.start < since:
            raise BeyondPlan(
                f"{self._symbol}: CoinGecko's {self._api.plan} plan has {days} days of history, "
                f"{time_text(hours.start)} is older; {_OTHER_SOURCE}",
                since,
            )

    def _believable(self, quotes: list[Quote]) -> Iterator[Quote]:
        for quote in quotes:
            if is_price(quote.usd):
                yield quote
            else:
                hour = -(-quote.time_ms // (HOUR_SECONDS * 1_000)) * HOUR_SECONDS
                detail = f"it answered {quote.usd} for {quote.time_ms} ms"
                self._refuse(Refusal(self.name, self._symbol, hour, Reason.NO_PRICE, detail))

    def _point(self, hour: int, usd: Decimal, now: int) -> PricePoint:
        price = price_at_scale(usd, self._price_decimals, f"{self._symbol}: CoinGecko's price at {time_text(hour)}")
        return PricePoint(hour, price, self.name, now)


_OTHER_SOURCE = "name a second source (a file) for older prices, or use a pro key"


def window(hours: Span, now: int) -> Span:
    """The seconds to ask for, to learn the full hours `hours`: at least two days long, so that the points are hourly.

    A short one is lengthened towards `now` first: its other side may lie before the plan's history.
    """
    start, end = hours.start - HOUR_SECONDS, hours.end - HOUR_SECONDS
    end = min(max(end, start + _SHORTEST_WINDOW), max(end, now))
    return Span(min(start, end - _SHORTEST_WINDOW), end)
