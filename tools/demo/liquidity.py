"""How much of both tokens a position of a given worth needs."""

from typing import NamedTuple

from loyalty.accrual.tick_math import MAX_TICK, sqrt_ratio_at_tick
from tools.demo.rounding import leading_digits
from tools.demo.stage import Stage, Venue


class Range(NamedTuple):
    """[lower, upper) in ticks."""

    lower: int
    upper: int


def full_range(venue: Venue) -> Range:
    """From the lowest to the highest usable tick."""
    edge = MAX_TICK // venue.pool.tick_spacing * venue.pool.tick_spacing
    return Range(-edge, edge)


def around(venue: Venue, tick: int, below: int, above: int) -> Range:
    """The usable range from about `below` ticks under `tick` to `above` over it."""
    spacing = venue.pool.tick_spacing
    lower = (tick - below) // spacing * spacing
    return Range(lower, max(lower + spacing, -(-(tick + above) // spacing) * spacing))


def amounts(stage: Stage, venue: Venue, span: Range, usd: float) -> tuple[int, int]:
    """Amounts of token0 and token1 that are worth `usd` together, in the shares that the range needs at this price."""
    lower, upper = sqrt_ratio_at_tick(span.lower), sqrt_ratio_at_tick(span.upper)
    price = min(max(stage.slot0(venue).sqrt_price_x96, lower), upper)
    unit0, unit1 = ((upper - price) << 192) // (upper * price), price - lower
    usd0, usd1 = (stage.market.usd(symbol, stage.time) for symbol in venue.symbols)
    # In 2**-96 of the smallest units of a token; the sum is what liquidity of 1 is worth.
    worth = unit0 * usd0 * 10 ** venue.decimals[1] + unit1 * usd1 * 10 ** venue.decimals[0]
    scaled = int(usd * 100) * 10**6 * 10 ** sum(venue.decimals)
    return leading_digits(unit0 * scaled // worth, 4), leading_digits(unit1 * scaled // worth, 4)
