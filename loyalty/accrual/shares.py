"""Shares of a pool: what a holder of LP, gauge or vault tokens is credited over a span, exactly.

Between changes of holdings, supply or price an index in units of 2**-128 grows by floor(∫ value dt * 2**128 / supply);
a holder's credit is balance times the growth. The index is asked at each change of a balance and nothing else is
settled, so the cost is changes + holders, not their product (docs/shares.md).
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple, TypeVar

from loyalty.accrual.day import Cell, PriceStep, TokenScale
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, time_text

INDEX_BITS = 128

_TIME = itemgetter(0)


class ShareChange(NamedTuple):
    """At `time` the holder's shares changed by `delta` units."""

    time: int
    holder: Address
    delta: int


class SupplyChange(NamedTuple):
    """At `time` the number of existing shares changed by `delta` units."""

    time: int
    delta: int


class HoldingsChange(NamedTuple):
    """At `time` what the pool holds of its coin number `coin` changed by `delta` units."""

    time: int
    coin: int
    delta: int


Timed = TypeVar("Timed", ShareChange, SupplyChange, HoldingsChange)


@dataclass(frozen=True, slots=True)
class Coin:
    """One of a pool's coins: units held when the span starts, and its USD price from then on."""

    units: int
    steps: Sequence[PriceStep]
    scale: TokenScale


@dataclass(frozen=True, slots=True)
class Shares:
    """Who holds a token over a span: balances and supply at its start, and changes inside it in log order."""

    balances: Mapping[Address, int]
    supply: int
    changes: Sequence[ShareChange]
    supply_changes: Sequence[SupplyChange]


@dataclass(frozen=True, slots=True)
class ShareDay:
    """Everything that the credit of a pool's shares over `span` (a UTC day, or the part of it so far) depends on.

    `nobody` are the holders that are no providers: the pool itself, the LP token's own address. Their shares exist and
    are in the supply. Price steps begin at or before span.start wherever there are holdings and supply.
    """

    span: Span
    shares: Shares
    coins: Sequence[Coin]
    holdings_changes: Sequence[HoldingsChange]
    nobody: Collection[Address] = ()


@dataclass(frozen=True, slots=True)
class PerShareDay:
    """The same where the value of a share is told: a virtual price, or a vault's price per share.

    `per_share` are units of the asset per whole share, from each step's time on; `steps` the asset's USD price.
    """

    span: Span
    shares: Shares
    share_decimals: int
    per_share: Sequence[PriceStep]
    steps: Sequence[PriceStep]
    asset: TokenScale
    nobody: Collection[Address] = ()


class IndexStretch(NamedTuple):
    """From `start` on, until the next one, the index is base + growth * dt // supply."""

    start: int
    base: int
    growth: int
    supply: int


class ShareIndex:
    """What one share has been credited since the span began, asked for any moment of it.

    `total` is what all shares together can be credited: the pool's integral, without the time when no share existed.
    """

    def __init__(self, span: Span, stretches: Sequence[IndexStretch]) -> None:
        self.span = span
        self._stretches = stretches

    def at(self, time: int) -> int:
        start, base, growth, supply = self._stretches[bisect_right(self._stretches, time, key=_TIME) - 1]
        return base + growth * (time - start) // supply if supply else base

    @property
    def total(self) -> int:
        ends = [*(stretch.start for stretch in self._stretches[1:]), self.span.end]
        return sum(each.growth * (end - each.start) for each, end in zip(self._stretches, ends, strict=True))


# The index ------------------------------------------------------------------------------------------------------------


def share_index(day: ShareDay) -> ShareIndex:
    """The index of a pool valued by its holdings; one unit of it times one share is 1 / `share_scale` dollar-seconds.

    Raises Inconsistent for holdings or supply below zero and changes out of order, Invalid for holdings without price.
    """
    for number, coin in enumerate(day.coins):
        _check_steps(f"coin {number}", coin.steps)
    units = [coin.units for coin in day.coins]
    factors = _factors([coin.scale for coin in day.coins])
    _check_times(day.span, day.holdings_changes, "holdings")
    changes = _by_time(day.holdings_changes)
    supplies = _supplies(day.span, day.shares)
    cuts = _cuts(day.span, [*changes, *(supply.time for supply in supplies)], *(coin.steps for coin in day.coins))

    def growth(time: int, supply: int) -> int:
        for change in changes.get(time, ()):
            units[change.coin] += change.delta
        if min(units, default=0) < 0:
            raise Inconsistent(f"the pool's holdings are {units} at {time_text(time)}: a transfer is missing")
        return _value(day.coins, units, factors, time) << INDEX_BITS if supply else 0

    return _index(day.span, cuts, supplies, growth)


def per_share_index(day: PerShareDay) -> ShareIndex:
    """The index where a share's value is told: exactly ∫ per share * price dt, nothing is rounded.

    One unit of it times one share is 1 / `per_share_scale` dollar-seconds.
    """
    _check_steps("the price per share", day.per_share)
    _check_steps("the asset", day.steps)
    supplies = _supplies(day.span, day.shares)
    cuts = _cuts(day.span, [supply.time for supply in supplies], day.per_share, day.steps)

    def growth(time: int, supply: int) -> int:
        if not supply:
            return 0
        per_share = _price(day.per_share, time, "the price per share")
        return supply * per_share * _price(day.steps, time, "the asset")

    return _index(day.span, cuts, supplies, growth)


class _Supply(NamedTuple):
    time: int
    supply: int


def _supplies(span: Span, shares: Shares) -> list[_Supply]:
    """The supply from each moment on at which it changes, the span's start first. Raises Inconsistent below zero."""
    _check_times(span, shares.supply_changes, "the supply")
    supplies = [_Supply(span.start, shares.supply)]
    for change in shares.supply_changes:
        supplies.append(_Supply(change.time, supplies[-1].supply + change.delta))
    for time, supply in supplies:
        if supply < 0:
            raise Inconsistent(f"the supply of shares is {supply} at {time_text(time)}: a mint is missing")
    return supplies


def _index(
    span: Span, cuts: Sequence[int], supplies: Sequence[_Supply], growth: Callable[[int, int], int]
) -> ShareIndex:
    """One stretch from each cut on; `growth(time, supply)` is by how much supply * index grows in a second."""
    stretches: list[IndexStretch] = []
    for time in cuts:
        supply = supplies[bisect_right(supplies, time, key=_TIME) - 1].supply
        index = ShareIndex(span, stretches).at(time) if stretches else 0
        stretches.append(IndexStretch(time, index, growth(time, supply), supply))
    return ShareIndex(span, stretches)


def _cuts(span: Span, times: Iterable[int], *steps: Sequence[PriceStep]) -> list[int]:
    """The seconds of the span at which anything changes that a share's value depends on, its start first."""
    of_prices = (step.time for step in chain.from_iterable(steps) if span.contains(step.time))
    return sorted({span.start, *times, *of_prices}) if span else [span.start]


def _factors(scales: Sequence[TokenScale]) -> list[int]:
    """What brings each coin's units times its price to the finest unit among them."""
    places = [scale.decimals + scale.price_decimals for scale in scales]
    return [10 ** (max(places) - each) for each in places]


def _value(coins: Sequence[Coin], units: Sequence[int], factors: Sequence[int], time: int) -> int:
    held = ((number, coin) for number, coin in enumerate(coins) if units[number])
    return sum(units[n] * factors[n] * _price(coin.steps, time, f"coin {n}") for n, coin in held)


def _price(steps: Sequence[PriceStep], time: int, name: str) -> int:
    at = bisect_right(steps, time, key=_TIME) - 1
    if at < 0:
        raise Invalid(f"{name} has no price at {time_text(time)}, while there are shares: give one first")
    return steps[at].price


class Held(NamedTuple):
    """What a pool's holdings are worth at a moment, in whole dollars, exactly; and how many shares there are."""

    time: int
    usd: Fraction
    supply: int


def holdings_at(day: ShareDay, times: Sequence[int]) -> list[Held]:
    """The pool at each of `times`, which ascend within the span, all changes of that second made."""
    units, supplies = [coin.units for coin in day.coins], _supplies(day.span, day.shares)
    factors, scale = _factors([coin.scale for coin in day.coins]), share_scale([coin.scale for coin in day.coins])
    changes = iter(day.holdings_changes)
    change = next(changes, None)
    found: list[Held] = []
    for time in times:
        while change is not None and change.time <= time:
            units[change.coin] += change.delta
            change = next(changes, None)
        supply = supplies[bisect_right(supplies, time, key=_TIME) - 1].supply
        usd = Fraction(_value(day.coins, units, factors, time) << INDEX_BITS, scale)
        found.append(Held(time, usd, supply))
    return found


# Credits --------------------------------------------------------------------------------------------------------------


def accrue_shares(day: ShareDay) -> dict[Address, int]:
    """The exact credit of every holder that had shares in the span, also for no second; `share_scale` has its unit."""
    return _credits(share_index(day), day.shares, day.nobody)


def accrue_per_share(day: PerShareDay) -> dict[Address, int]:
    """The same from told values per share; `per_share_scale` has its unit."""
    return _credits(per_share_index(day), day.shares, day.nobody)


def credit_between(index: ShareIndex, shares: Shares, holder: Address, cuts: Sequence[int]) -> list[int]:
    """What one holder is credited from each of `cuts` to the next: n + 1 ascending moments give n credits.

    The holder's credit over the whole is their sum, exactly.
    """
    changes = iter([change for change in shares.changes if change.holder == holder])
    balance, booked, change = shares.balances.get(holder, 0), 0, next(changes, None)
    earned: list[int] = []
    for cut in cuts:
        while change is not None and change.time <= cut:
            balance += change.delta
            booked += change.delta * index.at(change.time)
            change = next(changes, None)
        earned.append(balance * index.at(cut) - booked)
    return [after - before for before, after in pairwise(earned)]


def share_scale(scales: Sequence[TokenScale]) -> int:
    """What a credit of `accrue_shares` is divided by to be dollar-seconds: 2**128 * 10**(the most decimals among the
    coins, those of amount and price together)."""
    scale: int = 10 ** max(each.decimals + each.price_decimals for each in scales) << INDEX_BITS
    return scale


def per_share_scale(share_decimals: int, asset: TokenScale) -> int:
    """What a credit of `accrue_per_share` is divided by to be dollar-seconds."""
    scale: int = 10 ** (share_decimals + asset.decimals + asset.price_decimals)
    return scale


def share_cells(credits: Mapping[Address, int], scale: int) -> dict[Address, Cell]:  # noqa: A002
    """Each provider's micro-dollar-days, floored once; shares are always in range. Cells of zero are left out.

    `credits` of one pool, a provider's added up first. Raises Overflow beyond 63 bits.
    """
    micro, seconds = 10**USD_DECIMALS, DAY_SECONDS * scale
    return {
        holder: Cell(usd_micro(units), units) for holder, raw in credits.items() if (units := raw * micro // seconds)
    }


def index_of(day: ShareDay | PerShareDay) -> ShareIndex:
    """The index of either kind of day."""
    return share_index(day) if isinstance(day, ShareDay) else per_share_index(day)


def scale_of_day(day: ShareDay | PerShareDay) -> int:
    """What a credit of the day is divided by to be dollar-seconds."""
    if isinstance(day, ShareDay):
        return share_scale([coin.scale for coin in day.coins])
    return per_share_scale(day.share_decimals, day.asset)


def credited(day: ShareDay | PerShareDay) -> dict[Address, int]:
    """The exact credit of every holder, in units that `scale_of_day` turns into dollar-seconds."""
    return _credits(index_of(day), day.shares, day.nobody)


def _credits(index: ShareIndex, shares: Shares, nobody: Collection[Address]) -> dict[Address, int]:
    _check_shares(index.span, shares)
    balances = {holder: units for holder, units in shares.balances.items() if units}
    credit = dict.fromkeys(balances, 0)
    for change in shares.changes:
        balances[change.holder] = balances.get(change.holder, 0) + change.delta
        credit[change.holder] = credit.get(change.holder, 0) - change.delta * index.at(change.time)
    end, left_out = index.at(index.span.end), frozenset(nobody)
    return {holder: booked + balances[holder] * end for holder, booked in credit.items() if holder not in left_out}


# Checks ---------------------------------------------------------------------------------------------------------------


def _check_shares(span: Span, shares: Shares) -> None:
    """Raises Inconsistent for a balance below zero, or where the holders have more between them than exists."""
    _check_times(span, shares.changes, "shares")
    balances = dict(shares.balances)
    changes, supplies = _by_time(shares.changes), _by_time(shares.supply_changes)
    held, supply = sum(balances.values()), shares.supply
    for holder in balances:
        _check_balance(holder, balances[holder], span.start)
    for time in sorted({span.start, *changes, *supplies}):
        for change in changes.get(time, ()):
            balances[change.holder] = balances.get(change.holder, 0) + change.delta
            _check_balance(change.holder, balances[change.holder], time)
            held += change.delta
        supply += sum(change.delta for change in supplies.get(time, ()))
        if held > supply:
            raise Inconsistent(f"the holders have {held} shares at {time_text(time)}, and {supply} exist")


def _check_balance(holder: Address, units: int, time: int) -> None:
    if units < 0:
        raise Inconsistent(f"{holder} would hold {units} shares at {time_text(time)}: a transfer is missing")


def _by_time(changes: Sequence[Timed]) -> dict[int, list[Timed]]:
    """The changes of each second, in their order."""
    grouped: dict[int, list[Timed]] = {}
    for change in changes:
        grouped.setdefault(change.time, []).append(change)
    return grouped


def _check_times(span: Span, changes: Sequence[Timed], what: str) -> None:
    for before, after in pairwise(changes):
        if after.time < before.time:
            raise Inconsistent(f"{what} changed at {time_text(after.time)}, told after a later change")
    for change in changes:
        if not span.contains(change.time):
            raise Inconsistent(f"{what} changed at {time_text(change.time)}, outside the span")


def _check_steps(name: str, steps: Sequence[PriceStep]) -> None:
    """Raises Invalid unless times ascend and every price is above zero."""
    for step in steps:
        if step.price <= 0:
            raise Invalid(f"{name} has the price {step.price} at {time_text(step.time)}: a price is above zero")
    for before, after in pairwise(steps):
        if after.time <= before.time:
            raise Invalid(f"{name} has a price step at {time_text(after.time)} out of order")
