"""What every source of prices is: a name and the points that it has for a span of seconds."""

from typing import Protocol

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span


class PriceSource(Protocol):
    """One place that knows the USD price of one token."""

    @property
    def name(self) -> str:
        """What stands in the stored point and in the digest: fixed, file or coingecko."""
        ...

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The points with `valid_time` in `span` (unix seconds), ascending; a fixed price is one point at time 0.

        A price is in force from its valid time on, so who needs the price at a second asks from `max_age` before it.
        `now` (unix seconds) becomes `asked_time`. Points that the source does not have are left out. Raises Invalid
        where asking again cannot help, Unavailable where it may; both say what, which token and what to do.
        """
        ...
