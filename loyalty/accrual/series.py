"""Series: which price of a token is in force when, and which late one may still join.

The point in force at t is the last one with valid time <= t, as long as t - valid time <= `max_age` seconds (None, or a
point from the source `fixed`: it never ages). Where it has aged out there is no price: an earlier one does not return.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from loyalty.accrual.day import PriceStep
from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span, subtract
from loyalty.core.times import time_text

FIXED = "fixed"
_NEVER = 1 << 62
"""Later than any time: when a fixed price ages out."""
PriceSteps = tuple[PriceStep, ...]
_TIME = itemgetter(0)


class Missing(NamedTuple):
    """The seconds without a valid price, and why in words for the operator."""

    reason: str
    spans: tuple[Span, ...]


def steps_in_force(
    points: Sequence[PricePoint], span: Span, max_age: int | None, closed_end: bool
) -> PriceSteps | Missing:
    """The steps that give a price at every second of `span`, with `closed_end` at its end too; or what is missing.

    `points` ascend by valid time. The first step is the point in force at the start, with its own earlier time.
    """
    wanted = Span(span.start, span.end + closed_end)
    held = list(_in_force(points, wanted, max_age))
    missing = tuple(subtract(wanted, (force for _, force in held)))
    if missing:
        return Missing(_reason(points, missing, max_age), missing)
    return tuple(PriceStep(point.valid_time, point.price) for point, _ in held)


def points_in_force(points: Sequence[PricePoint], span: Span, max_age: int | None) -> list[PricePoint]:
    """Every point that is in force at any second of `span` or at its end: what a digest over it must name."""
    return [point for point, _ in _in_force(points, Span(span.start, span.end + 1), max_age)]


def may_accept(point: PricePoint, existing: Sequence[PricePoint], used: Sequence[Span], max_age: int | None) -> bool:
    """Whether `point`, known later than `existing`, leaves every used second as it was.

    A used span is one whose prices were used, those at its end second too. A point at the valid time of an existing one
    would take its place; also one that only shortens the force of its predecessor changes those seconds.
    """
    after = bisect_right(existing, point.valid_time, key=_TIME)
    until = existing[after].valid_time if after < len(existing) else _NEVER
    ages_out = _ages_out(point, max_age)
    if after:
        ages_out = max(ages_out, _ages_out(existing[after - 1], max_age))
    first_unchanged = min(until, ages_out)
    return not any(span.end >= point.valid_time and span.start < first_unchanged for span in used)


def _ages_out(point: PricePoint, max_age: int | None) -> int:
    """The first second at which the point is too old to be a price."""
    return _NEVER if max_age is None or point.source == FIXED else point.valid_time + max_age + 1


def _in_force(points: Sequence[PricePoint], wanted: Span, max_age: int | None) -> Iterator[tuple[PricePoint, Span]]:
    """Each point in force somewhere in `wanted`, with where, in order. Raises Invalid for times that do not ascend."""
    first = max(bisect_right(points, wanted.start, key=_TIME) - 1, 0)
    near = points[first : bisect_left(points, wanted.end, key=_TIME)]
    if any(later.valid_time <= point.valid_time for point, later in pairwise(near)):
        raise Invalid("price points do not ascend by valid time")
    ends = [*(point.valid_time for point in near[1:]), wanted.end]
    for point, end in zip(near, ends, strict=False):
        force = wanted.intersect(Span(point.valid_time, min(end, _ages_out(point, max_age))))
        if force:
            yield point, force


def _reason(points: Sequence[PricePoint], missing: Sequence[Span], max_age: int | None) -> str:
    """Where the first hole is, how much is missing, and the last point before it."""
    first = missing[0].start
    seconds = sum(span.length for span in missing)
    before = bisect_right(points, first, key=_TIME)
    last = f"the last point before is of {time_text(points[before - 1].valid_time)}" if before else "no point is older"
    age = f", and one is valid for {max_age} s" if before and max_age is not None else ""
    return f"no valid price from {time_text(first)} on, {seconds} s in all: {last}{age}"
