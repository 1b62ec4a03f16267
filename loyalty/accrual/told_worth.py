"""Told worth: an LP token at its virtual price times a coin's USD price, held against what the pool holds.

Virtual price times one peg overstates a pool that has lost its peg by the whole loss, so it is only believed within a
limit of the holdings (docs/shares.md).
"""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple

from loyalty.accrual.day import PriceStep, TokenScale
from loyalty.accrual.shares import Coin, PerShareDay, ShareDay, holdings_at, per_share_scale
from loyalty.core.amounts import format_decimal
from loyalty.core.times import time_text

VIRTUAL_PRICE_DECIMALS = 18
"""Of a virtual price and of every Curve LP token."""

_TIME = itemgetter(0)


class Deviation(NamedTuple):
    """At `time` an LP token was told to be worth `told_usd` and held `held_usd`: further apart than was allowed."""

    time: int
    told_usd: Fraction
    held_usd: Fraction
    limit: Fraction

    @property
    def text(self) -> str:
        """For the operator."""
        apart = round(abs(self.told_usd - self.held_usd) / self.held_usd, 4) if self.held_usd else Fraction(1)
        return (
            f"virtual price: at {time_text(self.time)} it is {format_decimal(apart)} of the holdings away from them, "
            f"and max_deviation is {format_decimal(self.limit)}"
        )


def told_day(day: ShareDay, virtual_price: Sequence[PriceStep], pegs: Sequence[int]) -> PerShareDay:
    """The same holders, an LP token being worth its virtual price times the cheapest of the coins numbered `pegs`."""
    steps, price_decimals = cheapest([day.coins[number] for number in pegs])
    asset = TokenScale(VIRTUAL_PRICE_DECIMALS, price_decimals)
    return PerShareDay(day.span, day.shares, VIRTUAL_PRICE_DECIMALS, virtual_price, steps, asset, day.nobody)


def cheapest(coins: Sequence[Coin]) -> tuple[tuple[PriceStep, ...], int]:
    """The lowest of the coins' USD prices from moment to moment, and its decimals: the most that any of them has."""
    decimals = max(coin.scale.price_decimals for coin in coins)
    raised = [
        [PriceStep(step.time, step.price * 10 ** (decimals - coin.scale.price_decimals)) for step in coin.steps]
        for coin in coins
    ]
    begin = max((steps[0].time for steps in raised if steps), default=0)
    times = sorted({max(step.time, begin) for steps in raised for step in steps})
    found: list[PriceStep] = []
    for time in times:
        price = min(_in_force(steps, time) for steps in raised)
        if not found or found[-1].price != price:
            found.append(PriceStep(time, price))
    return tuple(found), decimals


def first_deviation(day: ShareDay, told: PerShareDay, limit: Fraction) -> Deviation | None:
    """The first answer of the span that is further from the holdings than `limit` of them; None where none is.

    What is compared is what all LP tokens are worth at the moment of each answer, and at the span's start.
    """
    if not day.span:
        return None
    inside = {step.time for step in told.per_share if day.span.contains(step.time)}
    scale = per_share_scale(told.share_decimals, told.asset)
    for moment in holdings_at(day, sorted({day.span.start, *inside})):
        if not moment.supply or moment.time < told.per_share[0].time:
            continue
        worth = moment.supply * _in_force(told.per_share, moment.time) * _in_force(told.steps, moment.time)
        told_usd = Fraction(worth, scale)
        if abs(told_usd - moment.usd) > limit * moment.usd:
            return Deviation(moment.time, told_usd, moment.usd, limit)
    return None


def _in_force(steps: Sequence[PriceStep], time: int) -> int:
    return steps[bisect_right(steps, time, key=_TIME) - 1].price
