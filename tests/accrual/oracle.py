"""What accrual must give, second by second and position by position, from the definition of Uniswap V3's amounts."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from loyalty.accrual.day import ConcentratedDay, Credit, PriceStep, TokenScale
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.facts import PoolPrice, PositionKey


class Moment(NamedTuple):
    """One second of a position's life in a pool that has a price."""

    liquidity: int
    position: PositionKey
    price: PoolPrice
    price0: int
    price1: int


def moments(day: ConcentratedDay) -> list[Moment]:
    """Every second of every position that has liquidity in it, found by looking through all facts again each time."""
    result = []
    for second in range(day.span.start, day.span.end):
        price = next((swap for swap in reversed(day.swaps) if swap.time <= second), day.price)
        for position, liquidity in _held(day, second).items():
            if price is not None and liquidity:
                prices = _step(day.steps0, second), _step(day.steps1, second)
                result.append(Moment(liquidity, position, price, *prices))
    return result


def _held(day: ConcentratedDay, second: int) -> dict[PositionKey, int]:
    held = dict(day.positions)
    for change in day.changes:
        if change.time <= second:
            held[change.position] = held.get(change.position, 0) + change.liquidity_delta
    return held


def _step(steps: Sequence[PriceStep], second: int) -> int:
    return next(step.price for step in reversed(steps) if step.time <= second)


def integer_credits(day: ConcentratedDay) -> dict[PositionKey, Credit]:
    """The definition in integers: I(s) = floor(2**256 / s), everything else without any rounding."""
    touched = {*(p for p, held in day.positions.items() if held), *(change.position for change in day.changes)}
    result = {position: Credit(0, 0, 0) for position in touched}
    for moment in moments(day):
        usd = raw_usd(moment, day.scale0, day.scale1)
        counts = moment.position.lower <= moment.price.tick < moment.position.upper
        before = result[moment.position]
        result[moment.position] = Credit(
            before.usd + usd, before.usd_in_range + usd * counts, before.in_range_seconds + counts
        )
    return result


def raw_usd(moment: Moment, scale0: TokenScale, scale1: TokenScale) -> int:
    """amount0 * 2**160 and amount1 * 2**160, to USD at the finer price scale, times 10**(decimals of both)."""
    low, high = sqrt_ratio_at_tick(moment.position.lower), sqrt_ratio_at_tick(moment.position.upper)
    root = moment.price.sqrt_price_x96
    if root <= low:
        amount0, amount1 = 2**256 // low - 2**256 // high, 0
    elif root < high:
        amount0, amount1 = 2**256 // root - 2**256 // high, (root - low) * 2**64
    else:
        amount0, amount1 = 0, (high - low) * 2**64
    finer = max(scale0.price_decimals, scale1.price_decimals)
    usd0: int = amount0 * moment.price0 * 10 ** (finer - scale0.price_decimals) * 10**scale1.decimals
    usd1: int = amount1 * moment.price1 * 10 ** (finer - scale1.price_decimals) * 10**scale0.decimals
    return moment.liquidity * (usd0 + usd1)


def real_dollar_seconds(day: ConcentratedDay, position: PositionKey) -> Fraction:
    """Without the rounding of I(s): amount0 = L (1/sqrt(P) - 1/sqrt(P_high)), amount1 = L (sqrt(P) - sqrt(P_low))."""
    return sum((_real_usd(m, day.scale0, day.scale1) for m in moments(day) if m.position == position), Fraction(0))


def _real_usd(moment: Moment, scale0: TokenScale, scale1: TokenScale) -> Fraction:
    low, high = (Fraction(sqrt_ratio_at_tick(tick), 2**96) for tick in (moment.position.lower, moment.position.upper))
    root = min(max(Fraction(moment.price.sqrt_price_x96, 2**96), low), high)
    tokens0 = moment.liquidity * (1 / root - 1 / high) / Fraction(10**scale0.decimals)
    tokens1 = moment.liquidity * (root - low) / Fraction(10**scale1.decimals)
    usd0 = tokens0 * Fraction(moment.price0, 10**scale0.price_decimals)
    usd1 = tokens1 * Fraction(moment.price1, 10**scale1.price_decimals)
    return usd0 + usd1
