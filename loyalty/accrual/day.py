"""A pool-day: the unit of work. It can be computed alone, in any order, again, with the same integers."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple

from loyalty.accrual.boundaries import Boundaries
from loyalty.accrual.concentrated import Factors, RangeIntegral
from loyalty.accrual.ledger import Entry, Ledger, name_of
from loyalty.accrual.sweep import Sweep
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, time_text


class PriceStep(NamedTuple):
    """USD per whole token, an integer at the token's price scale, from `time` on until the next step."""

    time: int
    price: int


@dataclass(frozen=True, slots=True)
class TokenScale:
    """`decimals` of the token's amounts, `price_decimals` of its USD price."""

    decimals: int
    price_decimals: int


@dataclass(frozen=True, slots=True)
class ConcentratedDay:
    """Everything that a Uniswap V3 pool's credit over `span` (a UTC day, or the part of it so far) depends on.

    `price` is the pool's price at span.start, None before its Initialize; `positions` is the liquidity of each position
    at span.start; `swaps` and `changes` lie inside span, in (block, log index) order. `steps0`, `steps1` begin at or
    before span.start wherever there is liquidity.
    """

    span: Span
    price: PoolPrice | None
    positions: Mapping[PositionKey, int]
    swaps: Sequence[PoolPrice]
    changes: Sequence[PositionChange]
    steps0: Sequence[PriceStep]
    steps1: Sequence[PriceStep]
    scale0: TokenScale
    scale1: TokenScale


class Credit(NamedTuple):
    """A position's USD integral over a span, exactly: `usd / scale_of(day.scale0, day.scale1)` is dollar-seconds.

    Not rounded. `in_range_seconds` counts the seconds in which it had liquidity and was in range.
    """

    usd: int
    usd_in_range: int
    in_range_seconds: int


class Cell(NamedTuple):
    """A provider's micro-dollar-days in a pool over a span: each floor(∫ USD dt * 10**6 / 86,400)."""

    usd_micro_days: int
    usd_micro_days_in_range: int


def scale_of(scale0: TokenScale, scale1: TokenScale) -> int:
    """What raw USD (`Credit.usd`, `Value.usd`) is divided by to be dollar-seconds, or dollars.

    2**160 * 10**(decimals of both tokens + the larger of both price_decimals).
    """
    price_decimals = max(scale0.price_decimals, scale1.price_decimals)
    scale: int = 10 ** (scale0.decimals + scale1.decimals + price_decimals) << 160
    return scale


def factors_of(scale0: TokenScale, scale1: TokenScale) -> Factors:
    """What brings both tokens' amounts times prices to the unit 1 / `scale_of`: the coarser price is made finer."""
    price_decimals = max(scale0.price_decimals, scale1.price_decimals)
    token0: int = 10 ** (scale1.decimals + price_decimals - scale0.price_decimals)
    token1: int = 10 ** (scale0.decimals + price_decimals - scale1.price_decimals) << 64
    return Factors(token0, token1)


def accrue_concentrated(day: ConcentratedDay) -> dict[PositionKey, Credit]:
    """The exact credit of every position that had liquidity during the day, also for no second.

    One pass over the swaps whatever the number of positions (docs/accrual.md). Raises Inconsistent when facts
    contradict each other, Invalid when there is liquidity before a token's first price step.
    """
    walk = Walk(day)
    for _ in walk.moments():
        pass
    earned = walk.earned_at_end()
    return {position: _credit(position, entry, earned) for position, entry in walk.ledger.entries.items()}


class Walk:
    """The one pass over a pool-day: from each second at which a USD price or a position changes to the next."""

    def __init__(self, day: ConcentratedDay) -> None:
        _check_steps("token0", day.steps0)
        _check_steps("token1", day.steps1)
        self.ledger = Ledger(day.positions)
        self._day = day
        self._boundaries = _boundaries(day)
        self._factors = factors_of(day.scale0, day.scale1)
        self._sweep = Sweep(self._boundaries, day.span.start, day.price, day.swaps)

    def moments(self, stops: Iterable[int] = ()) -> Iterator[tuple[int, RangeIntegral]]:
        """Each such second, those of `stops` in the span, and its end: what every range has earned until then. The
        second's changes are in the ledger. Raises as `accrue_concentrated` does."""
        day, ledger, sweep = self._day, self.ledger, self._sweep
        changes = _changes_by_time(day)
        now = day.span.start
        for until in sorted({*_cuts(day, changes), *stops}):
            sweep.advance(until, *_prices(day, Span(now, until), ledger.liquidity))
            earned = RangeIntegral(self._boundaries, sweep.buckets.below, sweep.buckets.total(), self._factors)
            for change in changes.get(until, ()):
                position = change.position
                ledger.change(position, change.liquidity_delta, earned.of(position.lower, position.upper))
            yield until, earned
            now = until
        sweep.finish()

    def earned_at_end(self) -> RangeIntegral:
        """After the last of `moments`, for all ranges at once."""
        running = self._sweep.buckets.running()
        return RangeIntegral(self._boundaries, running.__getitem__, running[-1], self._factors)


def cells(credits: Mapping[PositionKey, Credit], scale0: TokenScale, scale1: TokenScale) -> dict[Address, Cell]:  # noqa: A002
    """Each provider's micro-dollar-days, its positions summed first and floored once; cells of zero are left out.

    Raises Overflow beyond 63 bits.
    """
    usd: dict[Address, int] = defaultdict(int)
    in_range: dict[Address, int] = defaultdict(int)
    for position, credit in credits.items():
        usd[position.owner] += credit.usd
        in_range[position.owner] += credit.usd_in_range
    micro, scale = 10**USD_DECIMALS, DAY_SECONDS * scale_of(scale0, scale1)
    return {
        owner: Cell(usd_micro(total), usd_micro(in_range[owner] * micro // scale))
        for owner, raw in usd.items()
        if (total := raw * micro // scale)
    }


def _boundaries(day: ConcentratedDay) -> Boundaries:
    held = (position for position, liquidity in day.positions.items() if liquidity)
    changed = (change.position for change in day.changes)
    return Boundaries(tick for position in chain(held, changed) for tick in (position.lower, position.upper))


def _changes_by_time(day: ConcentratedDay) -> Mapping[int, Sequence[PositionChange]]:
    """The changes of each second, in their order."""
    for before, after in pairwise(day.changes):
        if after.time < before.time:
            raise Inconsistent(f"{name_of(after.position)}: changes at {time_text(after.time)}, after a later change")
    grouped: dict[int, list[PositionChange]] = defaultdict(list)
    for change in day.changes:
        if not day.span.contains(change.time):
            raise Inconsistent(f"{name_of(change.position)}: changes at {time_text(change.time)}, outside the span")
        grouped[change.time].append(change)
    return grouped


def _cuts(day: ConcentratedDay, changes: Mapping[int, Sequence[PositionChange]]) -> list[int]:
    """The seconds at which a USD price or a position changes, ascending, and the end."""
    steps = (step.time for step in chain(day.steps0, day.steps1) if day.span.contains(step.time))
    return sorted({*steps, *changes, day.span.end})


def _prices(day: ConcentratedDay, stretch: Span, liquidity: int) -> tuple[int, int]:
    """Both USD prices over a stretch without a step; without liquidity a missing one counts nothing and stands as 0."""
    prices = _price_at(day.steps0, stretch.start), _price_at(day.steps1, stretch.start)
    for name, price in zip(("token0", "token1"), prices, strict=True):
        if price is None and liquidity and stretch:
            raise Invalid(
                f"{name} has no price at {time_text(stretch.start)}, while there is liquidity: give one first"
            )
    return prices[0] or 0, prices[1] or 0


def _price_at(steps: Sequence[PriceStep], time: int) -> int | None:
    index = bisect_right(steps, time, key=itemgetter(0)) - 1
    return steps[index].price if index >= 0 else None


def _check_steps(name: str, steps: Sequence[PriceStep]) -> None:
    """Raises Invalid unless times ascend and every price is above zero."""
    for step in steps:
        if step.price <= 0:
            raise Invalid(f"{name} has the price {step.price} at {time_text(step.time)}: a price is above zero")
    for before, after in pairwise(steps):
        if after.time <= before.time:
            raise Invalid(f"{name} has a price step at {time_text(after.time)} out of order")


def _credit(position: PositionKey, entry: Entry, earned: RangeIntegral) -> Credit:
    """The ledger's last line: what is held at the end counts until the end."""
    unit = earned.of(position.lower, position.upper)
    return Credit(
        entry.usd + entry.liquidity * unit.usd,
        entry.usd_in_range + entry.liquidity * unit.usd_in_range,
        entry.in_range_seconds + (entry.liquidity > 0) * unit.in_range_seconds,
    )
