"""Points: an off-chain score for dollars held, by the round of a vault or by the day. Exact integers of micro-points.

A line says what one provider got in one pool for one round or one day, with everything that the number follows from;
a line without points says why. Each line is rounded once, down, and lines add up.

By the round: the shares held when the round began, at the price per share of the roll that began it, and at the asset's
USD price of that moment. Who sends shares away later keeps the round's points, and who receives them waits for the next
round. With `require_no_unstake`, an Unstake that names the round takes them. An InstantUnstake does not: it takes back
assets that were never shares, and so never had points.
By the day: the micro-dollar-days of the provider's daily cells.

An exclusion counts for a round when it is in force on the UTC day in which the round begins, and for a day on that day.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from loyalty.core.address import Address
from loyalty.core.amounts import INT63_MAX, USD_DECIMALS, Overflow, format_decimal, format_units
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import VaultEvent
from loyalty.core.times import day_of, day_text, time_text
from loyalty.program.cells import Cell
from loyalty.program.rules import Exclusion, PointsRule, PoolKey

POINTS_DECIMALS = 6
"""Points are counted in micro-points: one point is 10**6 of them."""

Reason = Literal["excluded", "unstaked"]
"""Why a line has no points. Who is excluded is excluded, whether unstaked or not."""


class ShareScale(NamedTuple):
    """Decimals of a vault's share, of its asset, and of the asset's USD price."""

    share_decimals: int
    asset_decimals: int
    price_decimals: int


class RoundHoldings(NamedTuple):
    """What a round's points follow from. `start` in unix seconds; `shares` held at that moment, on all chains.

    `price_per_share`: asset units per whole share at the roll that began the round. `price`: USD per whole asset at
    `start`. `unstaked` unstaked during the round: while it is open, its points are provisional.
    """

    pool: PoolKey
    round: int
    start: int
    shares: Mapping[Address, int]
    price_per_share: int
    price: int
    scale: ShareScale
    unstaked: Collection[Address]


class RoundPoints(NamedTuple):
    """A provider's points for a round. `usd_micro` is what the shares were worth, rounded down, for reading only."""

    pool: PoolKey
    round: int
    start: int
    address: Address
    shares: int
    price_per_share: int
    price: int
    scale: ShareScale
    usd_micro: int
    rate: Fraction
    points_micro: int
    reason: Reason | None


class DayPoints(NamedTuple):
    """A provider's points for a day in a pool."""

    pool: PoolKey
    day: int
    address: Address
    usd_micro_days: int
    rate: Fraction
    points_micro: int
    reason: Reason | None


class Place(NamedTuple):
    """A line of the leaderboard. Equal points have the same rank, and the next rank counts them all: 1, 2, 2, 4."""

    rank: int
    address: Address
    points_micro: int


# Lines ---------------------------------------------------------------------------------------------------------------


def unstaked_in(events: Iterable[VaultEvent], number: int) -> frozenset[Address]:
    """Who unstaked during round `number` of the vault whose `events` these are: the event names its round."""
    return frozenset(event.account for event in events if event.kind == "unstake" and event.round == number)


def points_of_round(
    rule: PointsRule, holdings: RoundHoldings, exclusions: Sequence[Exclusion] = ()
) -> list[RoundPoints]:
    """One line for each holder of shares, by ascending address; none where the rule gives the pool no rate a round.

    Points are floor(shares * price per share * price * rate) at their scales, in micro-points.
    """
    if holdings.pool not in rule.per_usd_per_round:
        return []
    rate = _rate(rule, holdings.pool, rule.per_usd_per_round)
    if holdings.price <= 0 or holdings.price_per_share < 0:
        raise Invalid(
            f"points {rule.name!r}, round {holdings.round} of {holdings.pool.address}: a price of {holdings.price} and "
            f"a price per share of {holdings.price_per_share}: give the round a price first"
        )
    excluded = _excluded_on(exclusions, day_of(holdings.start))
    unstaked = frozenset(holdings.unstaked) if rule.require_no_unstake else frozenset()
    return [
        _round_line(holdings, address, shares, rate, _reason(address, excluded, unstaked))
        for address, shares in sorted(holdings.shares.items())
        if shares
    ]


def points_of_days(rule: PointsRule, cells: Iterable[Cell], exclusions: Sequence[Exclusion] = ()) -> list[DayPoints]:
    """One line for each cell above zero of a pool with a rate a day, in the order of the cells.

    Points are floor(micro-dollar-days * rate), in micro-points. The cells are those of days on which their pool is part
    of the program.
    """
    lines: list[DayPoints] = []
    excluded: dict[int, frozenset[Address]] = {}
    for cell in cells:
        amount = cell.usd_micro_days if rule.count == "full" else cell.usd_micro_days_in_range
        if cell.pool_key not in rule.per_usd_day or not amount:
            continue
        rate = _rate(rule, cell.pool_key, rule.per_usd_day)
        if cell.day not in excluded:
            excluded[cell.day] = _excluded_on(exclusions, cell.day)
        reason = _reason(cell.provider, excluded[cell.day], frozenset())
        points = 0 if reason else _micro(amount * rate.numerator, rate.denominator)
        lines.append(DayPoints(cell.pool_key, cell.day, cell.provider, amount, rate, points, reason))
    return lines


def _round_line(
    holdings: RoundHoldings, address: Address, shares: int, rate: Fraction, reason: Reason | None
) -> RoundPoints:
    usd = shares * holdings.price_per_share * holdings.price * 10**USD_DECIMALS  # in micro-dollars, times 10**decimals
    decimals = sum(holdings.scale)
    return RoundPoints(
        holdings.pool,
        holdings.round,
        holdings.start,
        address,
        shares,
        holdings.price_per_share,
        holdings.price,
        holdings.scale,
        _micro(usd, 10**decimals),
        rate,
        0 if reason else _micro(usd * rate.numerator, 10**decimals * rate.denominator),
        reason,
    )


def _micro(numerator: int, denominator: int) -> int:
    """Micro-dollars, or micro-points (which are micro-dollars times a rate), rounded down. Overflow beyond 63 bits."""
    floor = numerator // denominator
    if not 0 <= floor <= INT63_MAX:
        raise Overflow(f"{floor} micro-units of dollars or points do not fit 63 bits: check prices, decimals and rate")
    return floor


def _rate(rule: PointsRule, pool: PoolKey, rates: Mapping[PoolKey, Fraction]) -> Fraction:
    rate = rates[pool]
    if rate <= 0:
        raise Invalid(f"points {rule.name!r}: the rate of {pool.address} is {rate}, a rate is above zero")
    return rate


def _excluded_on(exclusions: Sequence[Exclusion], day: int) -> frozenset[Address]:
    return frozenset(
        exclusion.address
        for exclusion in exclusions
        if (exclusion.from_day is None or exclusion.from_day <= day)
        and (exclusion.until_day is None or day < exclusion.until_day)
    )


def _reason(address: Address, excluded: frozenset[Address], unstaked: frozenset[Address]) -> Reason | None:
    if address in excluded:
        return "excluded"
    return "unstaked" if address in unstaked else None


# Sums ----------------------------------------------------------------------------------------------------------------


def total_points(lines: Iterable[RoundPoints | DayPoints]) -> dict[Address, int]:
    """The micro-points of each address that has any. A line that stands twice is Inconsistent."""
    totals: dict[Address, int] = {}
    seen: set[tuple[str, PoolKey, int, Address]] = set()
    for line in lines:
        kind, number = ("round", line.round) if isinstance(line, RoundPoints) else ("day", line.day)
        key = (kind, line.pool, number, line.address)
        if key in seen:
            raise Inconsistent(f"{kind} {number} of {line.pool.address}: the points of {line.address} stand twice")
        seen.add(key)
        if line.points_micro:
            totals[line.address] = totals.get(line.address, 0) + line.points_micro
    return totals


def leaderboard(totals: Mapping[Address, int]) -> list[Place]:
    """Most points first, ties by the lower address; addresses without points have no place."""
    places: list[Place] = []
    ordered = sorted((-points, address) for address, points in totals.items() if points)
    for number, (minus_points, address) in enumerate(ordered, start=1):
        is_tie = bool(places) and places[-1].points_micro == -minus_points
        places.append(Place(places[-1].rank if is_tie else number, address, -minus_points))
    return places


# Text ----------------------------------------------------------------------------------------------------------------


def points_text(line: RoundPoints | DayPoints) -> str:
    """How the line's points follow, for a person."""
    if isinstance(line, RoundPoints):
        when = f"round {line.round} (from {time_text(line.start)})"
        what = (
            f"{format_units(line.shares, line.scale.share_decimals)} shares x "
            f"{format_units(line.price_per_share, line.scale.asset_decimals)} x "
            f"{format_units(line.price, line.scale.price_decimals)} USD = "
            f"{format_units(line.usd_micro, USD_DECIMALS)} USD"
        )
        return f"{when}: {what}, {_points_clause(line)}"
    amount = format_units(line.usd_micro_days, USD_DECIMALS)
    return f"{day_text(line.day)}: {amount} dollar-days, {_points_clause(line)}"


def _points_clause(line: RoundPoints | DayPoints) -> str:
    if line.reason:
        return f"no points: {line.reason}"
    return f"x {format_decimal(line.rate)} = {format_units(line.points_micro, POINTS_DECIMALS)} points"
