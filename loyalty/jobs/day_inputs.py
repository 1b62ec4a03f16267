"""What a pool-day's integers depend on, read from the stored facts and prices: for accrue, verify and explain alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from loyalty.accrual.day import ConcentratedDay, PriceStep, TokenScale
from loyalty.accrual.series import Missing, steps_in_force
from loyalty.core.address import Address
from loyalty.core.facts import LiquidityChange, PoolPrice, PositionChange, PositionKey, PositionTransfer, PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import day_span
from loyalty.program.rules import Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import facts, prices, tokens
from loyalty.state.pools import PoolRow
from loyalty.state.tokens import TokenRow


@dataclass(frozen=True, slots=True)
class Priced:
    """Both tokens' steps over `until`, which ends before the wanted span does where a price is missing (`reason`)."""

    until: Span
    steps0: tuple[PriceStep, ...]
    steps1: tuple[PriceStep, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class DayInputs:
    """A pool's day, or its part up to `span.end`: who held what, at which pool price.

    `positions` and `price` are those at span.start, `positions_after` those at the end of what was folded.
    """

    day: int
    span: Span
    price: PoolPrice | None
    positions: Mapping[PositionKey, int]
    changes: Sequence[PositionChange]
    swaps: Sequence[PoolPrice]
    positions_after: Mapping[PositionKey, int]
    scale0: TokenScale
    scale1: TokenScale

    @property
    def has_liquidity(self) -> bool:
        """Whether anyone, excluded or not, held liquidity at any moment: only then are prices needed."""
        return any(self.positions.values()) or any(change.liquidity_delta > 0 for change in self.changes)

    @property
    def last_price(self) -> PoolPrice | None:
        return self.swaps[-1] if self.swaps else self.price

    def concentrated(self, priced: Priced) -> ConcentratedDay:
        """The pure input of the accrual over the priced part of the day."""
        end = priced.until.end
        return ConcentratedDay(
            span=priced.until,
            price=self.price,
            positions=self.positions,
            swaps=[swap for swap in self.swaps if swap.time < end],
            changes=[change for change in self.changes if change.time < end],
            steps0=priced.steps0,
            steps1=priced.steps1,
            scale0=self.scale0,
            scale1=self.scale1,
        )


class PoolHistory:
    """Reads a pool's days in ascending order, in one pass over its liquidity and ownership.

    `rules` say how old a price may be; who reads across versions puts those in force on a day there before it.
    """

    def __init__(self, connection: Connection, rules: Rules, pool: PoolRow, managers: frozenset[Address]) -> None:
        self._connection = connection
        self.rules = rules
        self._pool = pool
        self._ledger = Ledger(managers)
        self._stream = _Stream(facts.ledger_facts(connection, [pool.id]))
        rows = {row.id: row for row in tokens.all_tokens(connection)}
        self.tokens: tuple[TokenRow, TokenRow] = (rows[pool.token0_id], rows[pool.token1_id])
        self._scales = tuple(TokenScale(row.decimals, row.price_decimals) for row in self.tokens)

    def day(self, day: int, until_time: int | None = None) -> DayInputs:
        """The inputs of `day`, whole or up to the second `until_time`; days must be asked for in ascending order."""
        whole = day_span(day)
        span = whole if until_time is None else Span(whole.start, until_time)
        folded = Span(whole.start, whole.end if until_time is None else until_time + 1)
        self._stream.fold(self._ledger, whole.start)
        positions = dict(self._ledger.positions(self._pool.address))
        changes = self._stream.fold(self._ledger, folded.end)
        scale0, scale1 = self._scales
        return DayInputs(
            day=day,
            span=span,
            price=facts.price_before(self._connection, self._pool.id, whole.start),
            positions=positions,
            changes=changes,
            swaps=facts.swap_prices(self._connection, self._pool.id, folded),
            positions_after=self._ledger.positions(self._pool.address),
            scale0=scale0,
            scale1=scale1,
        )

    def priced(self, span: Span, *, whole_day: bool) -> Priced:
        """Both tokens' prices over `span`, as far as they are valid; of a whole day its end second needs one too."""
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
        steps0, steps1 = (() if isinstance(steps, Missing) else steps for steps in found)
        return Priced(until.intersect(span), steps0, steps1, reason)

    def points(self, span: Span, connection: Connection | None = None) -> list[list[PricePoint]]:
        """Both tokens' points that a price over `span`, its end included, can hang on, as `connection` sees them."""
        reader = connection or self._connection
        return [prices.points(reader, row.id, Span(span.start, span.end + 1)) for row in self.tokens]

    def _steps(self, row: TokenRow, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing:
        points = prices.points(self._connection, row.id, Span(span.start, span.end + 1))
        return steps_in_force(points, span, self.rules.tokens[row.symbol].max_age, closed_end=closed_end)

    def has_point_from(self, row: TokenRow, time: int) -> bool:
        """Whether a price point of `time` or later is stored."""
        latest = prices.latest(self._connection, row.id)
        return latest is not None and latest.valid_time >= time


class _Stream:
    """The pool's liquidity and ownership in order, taken up to a second at a time."""

    def __init__(self, source: Iterator[LiquidityChange | PositionTransfer]) -> None:
        self._source = source
        self._next = next(source, None)

    def fold(self, ledger: Ledger, before_time: int) -> list[PositionChange]:
        """Fold everything earlier than `before_time` into the ledger; the changes it made, in order."""
        changes: list[PositionChange] = []
        while self._next is not None and self._next.time < before_time:
            changes.extend(ledger.apply(self._next))
            self._next = next(self._source, None)
        return changes
