"""The hourly grid on which sources are read, so that prices asked live and asked years later are the same.

The point of the full hour h is the source's last point with h - 3600 s < time <= h; its valid time is h.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS

_HOUR_MILLISECONDS = HOUR_SECONDS * 1_000


class Quote(NamedTuple):
    """What a source said: dollars per whole token at a time in unix milliseconds."""

    time_ms: int
    usd: Decimal


def grid_hours(span: Span) -> Span:
    """The span whose ends are the first full hour in `span` and the one after the last; empty where there is none."""
    return Span(-(-span.start // HOUR_SECONDS) * HOUR_SECONDS, -(-span.end // HOUR_SECONDS) * HOUR_SECONDS)


def on_grid(quotes: Iterable[Quote], hours: Span) -> dict[int, Decimal]:
    """The price of each full hour in `hours` that has one, in ascending hours; of one time the later quote counts."""
    last: dict[int, Quote] = {}
    for quote in quotes:
        hour = -(-quote.time_ms // _HOUR_MILLISECONDS) * HOUR_SECONDS
        if hours.contains(hour) and (hour not in last or quote.time_ms >= last[hour].time_ms):
            last[hour] = quote
    return {hour: last[hour].usd for hour in sorted(last)}
