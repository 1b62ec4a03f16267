"""A pool-day: the unit of work. It can be computed alone, in any order, again, with the same integers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span


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
    """A position's USD integral over a span, exactly: `usd / scale(day)` is dollar-seconds. Not rounded."""

    usd: int
    usd_in_range: int
    in_range_seconds: int
