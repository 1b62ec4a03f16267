"""The prices of a pool's tokens over a span, as far as every one of them is valid."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from loyalty.accrual.day import PriceStep, TokenScale
from loyalty.accrual.series import Missing, steps_in_force
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.program.rules import Rules
from loyalty.state import prices
from loyalty.state.tokens import TokenRow


@dataclass(frozen=True, slots=True)
class Priced:
    """Each token's steps over `until`, which ends before the wanted span does where a price is missing (`reason`)."""

    until: Span
    steps: tuple[tuple[PriceStep, ...], ...]
    reason: str | None

    @property
    def last(self) -> tuple[int, ...]:
        """Each token's price at the end of `until`; empty where one has none at all."""
        return tuple(steps[-1].price for steps in self.steps) if all(self.steps) else ()


class PoolPrices:
    """Reads the prices of a pool's tokens, in the pool's order.

    `rules` say how old a price may be; who reads across versions puts those in force on a day there before it.
    """

    def __init__(self, connection: Connection, rules: Rules, tokens: Sequence[TokenRow]) -> None:
        self._connection = connection
        self.rules = rules
        self.tokens = tuple(tokens)
        self.scales = tuple(TokenScale(row.decimals, row.price_decimals) for row in tokens)

    def over(self, span: Span, *, whole_day: bool) -> Priced:
        """Every token's prices over `span`, as far as all are valid; of a whole day its end second needs them too."""
        wanted = span or Span(span.start, span.start + 1)
        until, reason = wanted, None
        for row in self.tokens:
            steps = self._steps(row, wanted, closed_end=whole_day)
            if isinstance(steps, Missing) and steps.spans[0].start <= until.end:
                until, reason = (
                    Span(wanted.start, min(until.end, steps.spans[0].start)),
                    f"{row.symbol}: {steps.reason}",
                )
        found = [self._steps(row, until, closed_end=False) if until else () for row in self.tokens]
        known = tuple(() if isinstance(steps, Missing) else steps for steps in found)
        return Priced(until.intersect(span), known, reason)

    def points(self, span: Span, connection: Connection | None = None) -> list[list[PricePoint]]:
        """Every token's points that a price over `span`, its end included, can hang on, as `connection` sees them."""
        reader = connection or self._connection
        return [prices.points(reader, row.id, Span(span.start, span.end + 1)) for row in self.tokens]

    def has_point_from(self, row: TokenRow, time: int) -> bool:
        """Whether a price point of `time` or later is stored."""
        latest = prices.latest(self._connection, row.id)
        return latest is not None and latest.valid_time >= time

    def _steps(self, row: TokenRow, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing:
        points = prices.points(self._connection, row.id, Span(span.start, span.end + 1))
        return steps_in_force(points, span, self.rules.tokens[row.symbol].max_age, closed_end=closed_end)
