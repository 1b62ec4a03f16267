"""How one price is chosen from several sources: hour by hour, the first source that gives a point.

The hour of a point is the UTC hour that its valid time lies in. All points of the chosen source in an hour are taken,
none of the others', so that a span cut at full hours gives the same points as the whole.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from loyalty.core.errors import LoyaltyError
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span, subtract
from loyalty.core.times import HOUR_SECONDS
from loyalty.prices.fixed import FixedSource
from loyalty.prices.plan import BeyondPlan
from loyalty.prices.source import PriceSource


class SourceFault(NamedTuple):
    """Why the source `source` gave nothing for `span`."""

    source: str
    span: Span
    error: LoyaltyError


class Asked(NamedTuple):
    """What the sources gave: points ascending, the hours that nobody had a point for, and who failed."""

    points: list[PricePoint]
    missing: list[Span]
    faults: list[SourceFault]


def ask(sources: Sequence[PriceSource], span: Span, now: int) -> Asked:
    """Asks the sources in order, the later ones only for hours without a point, over `span` widened to full hours.

    A fixed price has a point for every hour: alone or first it is its one point at time 0, after others it stands in
    at each hour that they left out. A source that fails is a fault in the result and the next one is asked.
    """
    wanted = [whole_hours(span)]
    points: list[PricePoint] = []
    faults: list[SourceFault] = []
    for place, source in enumerate(sources):
        given = [point for part in wanted for point in _ask_one(source, part, now, faults)]
        if given and given[0].source == FixedSource.name:
            points += given[:1] if place == 0 else _at_each_hour(given[0], wanted)
            wanted = []
            break
        points += given
        wanted = _without(wanted, given)
    return Asked(sorted(points), wanted, faults)


def whole_hours(span: Span) -> Span:
    """The smallest span of full hours around `span`."""
    return Span(span.start // HOUR_SECONDS * HOUR_SECONDS, -(-span.end // HOUR_SECONDS) * HOUR_SECONDS)


def _ask_one(source: PriceSource, span: Span, now: int, faults: list[SourceFault]) -> list[PricePoint]:
    try:
        return source.points(span, now)
    except BeyondPlan as error:
        faults.append(SourceFault(source.name, Span(span.start, min(error.since, span.end)), error))
        rest = Span(error.since, span.end)
        return _ask_one(source, rest, now, faults) if span.start < error.since < span.end else []
    except LoyaltyError as error:
        faults.append(SourceFault(source.name, span, error))
        return []


def _at_each_hour(point: PricePoint, wanted: Iterable[Span]) -> list[PricePoint]:
    return [point._replace(valid_time=hour) for part in wanted for hour in range(part.start, part.end, HOUR_SECONDS)]


def _without(wanted: Iterable[Span], given: Iterable[PricePoint]) -> list[Span]:
    hours = {point.valid_time // HOUR_SECONDS * HOUR_SECONDS for point in given}
    taken = [Span(hour, hour + HOUR_SECONDS) for hour in sorted(hours)]
    return [left for part in wanted for left in subtract(part, taken)]
