"""Backing off: a source that fails is left alone for a while, longer each time, also over a restart.

How long is a value that the caller stores with its other rows; time is an argument.
"""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.errors import LoyaltyError, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import time_text
from loyalty.prices.plan import BeyondPlan
from loyalty.prices.source import PriceSource

FIRST_REST = 60
LONGEST_REST = 6 * 3_600


class Backoff(NamedTuple):
    """`source` failed `failures` times in a row for `token` and is not asked before `until` (unix seconds)."""

    source: str
    token: str
    until: int
    failures: int


def no_backoff(source: str, token: str) -> Backoff:
    """What holds for a source that never failed, or that answered."""
    return Backoff(source, token, 0, 0)


def after_failure(before: Backoff, now: int) -> Backoff:
    """One failure more: the rest doubles from FIRST_REST up to LONGEST_REST seconds."""
    rest = min(FIRST_REST << min(before.failures, 30), LONGEST_REST)
    return before._replace(until=now + rest, failures=before.failures + 1)


class RestingSource:
    """`source`, not asked while its back-off lasts; `backoff` is what to store after each question.

    A clock that was set back never makes a rest longer than LONGEST_REST.
    """

    def __init__(self, source: PriceSource, backoff: Backoff) -> None:
        self._source = source
        self.backoff = backoff

    @property
    def name(self) -> str:
        return self._source.name

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The source's points. Raises Unavailable while it rests; any other failure is the source's own, and counted.

        Prices beyond a plan are no failure: the source answers for the rest.
        """
        if now < self.backoff.until <= now + LONGEST_REST:
            raise Unavailable(
                f"{self.backoff.token}: {self.name} failed {self.backoff.failures} times in a row and is not asked "
                f"before {time_text(self.backoff.until)}"
            )
        try:
            points = self._source.points(span, now)
        except BeyondPlan:
            raise
        except LoyaltyError:
            self.backoff = after_failure(self.backoff, now)
            raise
        self.backoff = no_backoff(self.backoff.source, self.backoff.token)
        return points


def resting(sources: Sequence[PriceSource], token: str, stored: Sequence[Backoff]) -> list[RestingSource]:
    """The sources of a token with the back-offs that were stored for them; those of one name share the stored one."""
    known = {backoff.source: backoff for backoff in stored if backoff.token == token}
    return [RestingSource(source, known.get(source.name, no_backoff(source.name, token))) for source in sources]
