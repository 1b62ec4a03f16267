"""The prices of a pool's tokens over a span, and what a share is worth, as far as every one of them is valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from loyalty.accrual.day import PriceStep, TokenScale
from loyalty.accrual.series import Missing, steps_in_force
from loyalty.core.spans import Span
from loyalty.jobs.histories.share_worth import ShareWorth
from loyalty.program.rules import Rules
from loyalty.state import prices
from loyalty.state.tokens import TokenRow


@dataclass(frozen=True, slots=True)
class Priced:
    """Each token's steps over `until`, and last those of a share's worth where the pool has one.

    `until` ends before the wanted span does where one of them is missing (`reason`).
    """

    until: Span
    steps: tuple[tuple[PriceStep, ...], ...]
    reason: str | None

    @property
    def last(self) -> tuple[int, ...]:
        """Each one's value at the end of `until`; empty where one has none at all."""
        return tuple(steps[-1].price for steps in self.steps) if all(self.steps) else ()

    def before(self, time: int, reason: str) -> "Priced":
        """No further than the second `time`: there something is wrong that `reason` tells."""
        return Priced(self.until.intersect(Span(self.until.start, time)), self.steps, reason)


class StepsOf(Protocol):
    """A series over a span: its steps, or what is missing."""

    def __call__(self, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing: ...


class PoolPrices:
    """Reads the prices of a pool's tokens, in the pool's order, and what a share of it is worth.

    `rules` say how old a price may be; who reads across versions puts those in force on a day there before it.
    """

    def __init__(
        self, connection: Connection, rules: Rules, tokens: Sequence[TokenRow], worth: ShareWorth | None = None
    ) -> None:
        self._connection = connection
        self.rules = rules
        self.tokens = tuple(tokens)
        self.worth = worth
        self.scales = tuple(TokenScale(row.decimals, row.price_decimals) for row in tokens)

    def over(self, span: Span, *, whole_day: bool) -> Priced:
        """Everything over `span`, as far as all of it is valid; of a whole day its end second needs it too."""
        wanted = span or Span(span.start, span.start + 1)
        until, reason = wanted, None
        for name, steps_of in self._series():
            steps = steps_of(wanted, closed_end=whole_day)
            if isinstance(steps, Missing) and steps.spans[0].start <= until.end:
                until = Span(wanted.start, min(until.end, steps.spans[0].start))
                reason = f"{name}: {steps.reason}"
        found = [steps_of(until, closed_end=False) if until else () for _, steps_of in self._series()]
        known = tuple(() if isinstance(steps, Missing) else steps for steps in found)
        return Priced(until.intersect(span), known, reason)

    def points(self, span: Span, connection: Connection | None = None) -> list[Sequence[object]]:
        """Everything that a value over `span`, its end included, can hang on, as `connection` sees it."""
        reader = connection or self._connection
        found: list[Sequence[object]] = [
            prices.points(reader, row.id, Span(span.start, span.end + 1)) for row in self.tokens
        ]
        return found if self.worth is None else [*found, self.worth.facts(span, reader)]

    def has_point_from(self, row: TokenRow, time: int) -> bool:
        """Whether a price point of `time` or later is stored."""
        latest = prices.latest(self._connection, row.id)
        return latest is not None and latest.valid_time >= time

    def _series(self) -> list[tuple[str, StepsOf]]:
        """Each token's steps, then those of a share."""
        series: list[tuple[str, StepsOf]] = [(row.symbol, partial(self._steps, row)) for row in self.tokens]
        return series if self.worth is None else [*series, (self.worth.name, self.worth.steps)]

    def _steps(self, row: TokenRow, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing:
        points = prices.points(self._connection, row.id, Span(span.start, span.end + 1))
        return steps_in_force(points, span, self.rules.tokens[row.symbol].max_age, closed_end=closed_end)
