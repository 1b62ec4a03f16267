"""Deviation: an answer is believed only within a token's limit of another source; otherwise the next one is asked.

Each point of a source is compared with the references' points for its hour, which are other sources' of the token: it
is believed when one of them lies within the limit. Further from all of them it is refused as wild; with none to compare
it with, because they failed or have nothing yet, as unconfirmed, and the hour is asked again at the next turn. So no
failure of anybody lets a price through that was not compared, and two sources that disagree price nothing until a third
one or the operator decides. What the operator wrote, a fixed price or a file, is believed as it is.

There is no limit on how far a price moves from one hour to the next: markets do that, after a crash such a limit would
hold on to what is not true any more, and what is believed would depend on the order in which hours were asked.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS
from loyalty.prices.choose import Asked, SourceFault, ask
from loyalty.prices.fixed import FixedSource
from loyalty.prices.refusal import Reason, Refusal, Refuse, log_refusal
from loyalty.prices.source import PriceSource

OPERATORS = frozenset({"fixed", "file"})
"""Sources whose answers are the operator's own word."""
_PPM = 1_000_000

PointAt = Callable[[int], PricePoint | None]
"""A reference's point of an hour, by the hour's number since 1970."""


class DeviationLimit(NamedTuple):
    """At most `ppm` millionths of a reference's price away from it.

    `references` give points at the token's price_decimals. A source that stands among them, as the same object, is
    never compared with itself; two that draw from one market (DefiLlama's coingecko:id and CoinGecko) confirm little.
    """

    ppm: int
    references: Sequence[PriceSource]


def ask_within(
    sources: Sequence[PriceSource],
    limit: DeviationLimit,
    token: str,
    span: Span,
    now: int,
    refuse: Refuse = log_refusal,
) -> Asked:
    """`choose.ask` with every source held to the limit: what is refused is told, and the next source asked.

    The references' faults stand among the others. Raises Invalid where a source has nothing to be compared with.
    """
    faults: list[SourceFault] = []
    held = [
        source if source.name in OPERATORS else LimitedSource(source, limit, token, refuse, faults.append)
        for source in sources
    ]
    asked = ask(held, span, now)
    return asked._replace(faults=[*asked.faults, *faults])


def deviates(price: int, reference: int, limit_ppm: int) -> bool:
    """Whether `price` is further from `reference` than `limit_ppm` millionths of `reference`; both at one scale."""
    return abs(price - reference) * _PPM > limit_ppm * reference


def refused(point: PricePoint, references: Sequence[PricePoint], token: str, limit_ppm: int) -> Refusal | None:
    """Why `point` is not believed beside the references' points of its hour; None where one of them confirms it."""
    if not references:
        detail = f"{point.price}, and no reference has a price of this hour"
        return Refusal(point.source, token, point.valid_time, Reason.UNCONFIRMED, detail)
    if all(deviates(point.price, reference.price, limit_ppm) for reference in references):
        nearest = min(references, key=lambda reference: abs(reference.price - point.price))
        detail = (
            f"{point.price}, and the nearest reference {nearest.source} says {nearest.price}; limit {limit_ppm} ppm"
        )
        return Refusal(point.source, token, point.valid_time, Reason.DEVIATES, detail)
    return None


class LimitedSource:
    """`source` with only those of its points for `token` that a reference confirms; the others are told."""

    def __init__(
        self,
        source: PriceSource,
        limit: DeviationLimit,
        token: str,
        refuse: Refuse,
        on_fault: Callable[[SourceFault], None],
    ) -> None:
        self._references = [reference for reference in limit.references if reference is not source]
        if limit.ppm <= 0 or not self._references:
            raise Invalid(
                f"{token}: a deviation limit must be above 0 and needs another source to compare {source.name} with"
            )
        self._source = source
        self._ppm = limit.ppm
        self._token = token
        self._refuse = refuse
        self._on_fault = on_fault

    @property
    def name(self) -> str:
        return self._source.name

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The source's points in `span` that are confirmed; errors are the source's own.

        A reference is asked only for what those before it have not confirmed.
        """
        points = self._source.points(span, now)
        seen: dict[int, list[PricePoint]] = {point.valid_time: [] for point in points}
        refusals: dict[int, Refusal] = {}
        open_points = points
        for reference in self._references:
            if open_points:
                self._compare(reference, open_points, seen, now)
                refusals = self._refusals(open_points, seen)
                open_points = [point for point in open_points if point.valid_time in refusals]
        for refusal in refusals.values():
            self._refuse(refusal)
        return [point for point in points if point.valid_time not in refusals]

    def _compare(
        self, reference: PriceSource, points: Sequence[PricePoint], seen: dict[int, list[PricePoint]], now: int
    ) -> None:
        """Adds the reference's points of the hours of `points` to what was seen; its faults are told."""
        asked = ask([reference], Span(points[0].valid_time, points[-1].valid_time + 1), now)
        for fault in asked.faults:
            self._on_fault(fault)
        point_at = _by_hour(asked.points)
        for point in points:
            found = point_at(point.valid_time // HOUR_SECONDS)
            if found is not None:
                seen[point.valid_time].append(found)

    def _refusals(self, points: Sequence[PricePoint], seen: dict[int, list[PricePoint]]) -> dict[int, Refusal]:
        found = ((point.valid_time, refused(point, seen[point.valid_time], self._token, self._ppm)) for point in points)
        return {time: refusal for time, refusal in found if refusal is not None}


def _by_hour(points: Sequence[PricePoint]) -> PointAt:
    """The last point of each hour; a fixed price stands for all hours."""
    if points and points[0].source == FixedSource.name:
        fixed = points[0]
        return lambda hour: fixed
    return {point.valid_time // HOUR_SECONDS: point for point in points}.get
