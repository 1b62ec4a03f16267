"""DefiLlama's history of a coin, read on the hourly grid.

DefiLlama answers with the record nearest to a time, on either side of it. Asked for the full hour it would give a
record from after the hour when it has one by then, and another price live than later. So each hour is asked for by its
two halves: at the middle of a half hour, with a search width that stays inside it. What lies in a half hour that has
settled does not change, and the later half's record counts, as everywhere on the grid.

A chart gives 250 hours in one call: 30 weeks of history cost 21. Charts happen to leave out hours that have a record:
between others these are asked for once more, in batches of 30. When nothing at all is found, DefiLlama is asked whether
it knows the coin.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import httpx

from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, time_text
from loyalty.prices.defillama_api import MOST_SAMPLES, MOST_TIMES, DefiLlamaApi, Sample
from loyalty.prices.grid import Quote, grid_hours, on_grid
from loyalty.prices.pace import Pace
from loyalty.prices.refusal import Reason, Refusal, Refuse, log_refusal
from loyalty.prices.scale import is_price, price_at_scale

SETTLING_SECONDS = 1_800
"""DefiLlama stores a record some minutes after its time."""
LOWEST_CONFIDENCE = Decimal("0.9")

_HALF_HOUR = HOUR_SECONDS // 2
_SAMPLES_AN_HOUR = 2
_SEARCH_WIDTH = _HALF_HOUR // 2 - 1
"""Half hours meet: a record on their border must not be found from both."""


class DefiLlamaSource:
    """The coin `coin` (`chain:address`), which prices the token `symbol`. `pace` is shared by a program's sources.

    An answer with a confidence below `lowest_confidence` is refused; one that states none is taken.
    """

    name = "defillama"

    def __init__(
        self,
        coin: str,
        price_decimals: int,
        symbol: str,
        client: httpx.Client,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
        lowest_confidence: Decimal = LOWEST_CONFIDENCE,
        refuse: Refuse = log_refusal,
    ) -> None:
        self._coin = coin
        self._price_decimals = price_decimals
        self._symbol = symbol
        self._api = DefiLlamaApi(client, sleep, pace)
        self._lowest_confidence = lowest_confidence
        self._refuse = refuse

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The points of the full hours in `span` that are settled at `now`; hours without a record are left out.

        Raises Invalid for a coin that DefiLlama does not know, and for a price that price_decimals cannot hold;
        otherwise see DefiLlamaApi.
        """
        hours = grid_hours(Span(span.start, min(span.end, now - SETTLING_SECONDS + 1)))
        if not hours:
            return []
        try:
            samples = self._samples(hours)
        except (Invalid, Unavailable) as error:
            raise type(error)(f"{self._symbol}: {error}") from None
        prices = on_grid(self._believable(samples, hours), hours)
        return [self._point(hour, usd, now) for hour, usd in prices.items()]

    def _samples(self, hours: Span) -> list[Sample]:
        samples = [sample for part in hours.pieces(_CHART_SECONDS) for sample in self._part(part)]
        if not samples and not self._api.knows(self._coin):
            raise Invalid(
                f"DefiLlama knows no coin {self._coin!r}: write chain:address with the chain's name as DefiLlama has "
                "it, or coingecko:id"
            )
        return samples

    def _part(self, hours: Span) -> list[Sample]:
        """The records of as many hours as a chart has; a chart without any is believed."""
        samples = self._chart(hours)
        found = {_hour_of(sample) for sample in samples}
        left_out = [hour for hour in range(*hours, HOUR_SECONDS) if hour not in found] if found else []
        times = [time for hour in left_out for time in _sample_times(hour)]
        for first in range(0, len(times), MOST_TIMES):
            samples += self._api.batch(self._coin, times[first : first + MOST_TIMES], _SEARCH_WIDTH)
        return samples

    def _chart(self, hours: Span) -> list[Sample]:
        count = hours.length // HOUR_SECONDS * _SAMPLES_AN_HOUR
        return self._api.chart(self._coin, _sample_times(hours.start)[0], count, _HALF_HOUR // 60, _SEARCH_WIDTH)

    def _believable(self, samples: Sequence[Sample], hours: Span) -> Iterator[Quote]:
        for sample in samples:
            if not hours.contains(_hour_of(sample)):
                continue  # a chart may add a sample beyond its end
            reason = self._reason_against(sample)
            if reason is None:
                yield Quote(sample.time * 1_000, sample.usd)
            else:
                detail = f"{sample.usd} USD of {time_text(sample.time)}, confidence {sample.confidence}"
                self._refuse(Refusal(self.name, self._symbol, _hour_of(sample), reason, detail))

    def _reason_against(self, sample: Sample) -> Reason | None:
        if not is_price(sample.usd):
            return Reason.NO_PRICE
        if sample.confidence is not None and sample.confidence < self._lowest_confidence:
            return Reason.UNCERTAIN
        return None

    def _point(self, hour: int, usd: Decimal, now: int) -> PricePoint:
        price = price_at_scale(usd, self._price_decimals, f"{self._symbol}: DefiLlama's price at {time_text(hour)}")
        return PricePoint(hour, price, self.name, now)


_CHART_SECONDS = MOST_SAMPLES // _SAMPLES_AN_HOUR * HOUR_SECONDS


def _sample_times(hour: int) -> tuple[int, int]:
    """The middles of the two half hours before the full hour `hour`, whose widths end with it and half an hour before.

    The first second of each half hour is left out: a search reaches equally far on both sides.
    """
    return hour - _HALF_HOUR - _SEARCH_WIDTH, hour - _SEARCH_WIDTH


def _hour_of(sample: Sample) -> int:
    """The full hour whose point the sample can be."""
    return -(-sample.time // HOUR_SECONDS) * HOUR_SECONDS
