"""Ticks: the grid of prices 1.0001**tick on which Uniswap V3 liquidity lies, in the contract's own integers.

Source of the formula: `TickMath.getSqrtRatioAtTick` of Uniswap v3-core. The contract multiplies the factors
1.0001**(-2**bit / 2), held in Q128 and rounded to the nearest, for the bits of |tick|; they are worked out here.
"""

from functools import lru_cache
from math import isqrt

from loyalty.core.errors import Invalid

MIN_TICK = -887_272
MAX_TICK = 887_272
_GUARD_BITS = 512
"""Twenty squarings lose about 20 of the bits beyond the 128 that are kept."""


def _factors_x128() -> tuple[int, ...]:
    """2**128 * 1.0001**(-2**bit / 2) for the bits of MAX_TICK, to the nearest integer."""
    factor = isqrt((10_000 << 2 * _GUARD_BITS) // 10_001)
    dropped = _GUARD_BITS - 128
    factors = []
    for _ in range(MAX_TICK.bit_length()):
        factors.append((factor + (1 << dropped - 1)) >> dropped)
        factor = factor * factor >> _GUARD_BITS
    return tuple(factors)


_FACTORS_X128 = _factors_x128()


@lru_cache(maxsize=1 << 16)
def sqrt_ratio_at_tick(tick: int) -> int:
    """sqrt(1.0001**tick) * 2**96, rounded as the contract rounds it, bit for bit. Raises Invalid beyond the grid."""
    if not MIN_TICK <= tick <= MAX_TICK:
        raise Invalid(f"tick {tick} is not on the grid: Uniswap V3 has {MIN_TICK} to {MAX_TICK}")
    ratio_x128 = 1 << 128
    for bit, factor in enumerate(_FACTORS_X128):
        if abs(tick) >> bit & 1:
            ratio_x128 = ratio_x128 * factor >> 128
    if tick > 0:
        ratio_x128 = ((1 << 256) - 1) // ratio_x128
    return -(-ratio_x128 >> 32)


MIN_SQRT_RATIO = sqrt_ratio_at_tick(MIN_TICK)
MAX_SQRT_RATIO = sqrt_ratio_at_tick(MAX_TICK)


def inverse(sqrt_price_x96: int) -> int:
    """I(s) = floor(2**256 / s): the inverse square-root price in Q160. Token0 is counted with this rounding, once."""
    return (1 << 256) // sqrt_price_x96


def in_range(tick: int, lower: int, upper: int) -> bool:
    """Whether a position on [lower, upper) is in range at `tick`, the tick of the event, never one of the price."""
    return lower <= tick < upper
