"""Value: what a position is worth at one moment, in the same exact units as its credit over time."""

from typing import NamedTuple

from loyalty.accrual.day import TokenScale, factors_of, scale_of
from loyalty.accrual.tick_math import in_range, inverse, sqrt_ratio_at_tick
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.errors import Invalid
from loyalty.core.facts import PoolPrice


class Value(NamedTuple):
    """Raw USD: `usd_raw / scale_of(scale0, scale1)` is dollars. What counts in range is all of it or nothing."""

    usd_raw: int
    in_range: bool


def position_value(
    liquidity: int,
    lower: int,
    upper: int,
    price: PoolPrice,
    price0: int,
    price1: int,
    scale0: TokenScale,
    scale1: TokenScale,
) -> Value:
    """The exact value of a position on [lower, upper): its credit over one second in which everything stands still.

    `price0`, `price1` are USD per whole token at the tokens' price scales. Raises Invalid for a price that is none.
    """
    if price0 <= 0 or price1 <= 0:
        raise Invalid(f"USD prices {price0} and {price1}: a price is above zero")
    root_lower, root_upper = sqrt_ratio_at_tick(lower), sqrt_ratio_at_tick(upper)
    root = min(max(price.sqrt_price_x96, root_lower), root_upper)
    factors = factors_of(scale0, scale1)
    token0 = price0 * (inverse(root) - inverse(root_upper)) * factors.token0
    token1 = price1 * (root - root_lower) * factors.token1
    return Value(liquidity * (token0 + token1), in_range(price.tick, lower, upper))


def usd_micro_of(usd_raw: int, scale0: TokenScale, scale1: TokenScale) -> int:
    """Micro-dollars of raw USD, rounded down: give it a provider's sum, so that it is rounded once. Raises Overflow."""
    return usd_micro(usd_raw * 10**USD_DECIMALS // scale_of(scale0, scale1))
