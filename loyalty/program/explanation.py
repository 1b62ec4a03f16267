"""The parts of an explanation: why a provider got what it got in an epoch, from the reward down to the log ids.

Frozen values, built by `explain`; `explanation_text.lines` writes them as text, `explanation_json.as_dict` as JSON.
Times are UTC unix seconds, USD is in micro-dollars or micro-dollar-days, `units` are a token's smallest.
"""

from dataclasses import dataclass
from fractions import Fraction

from loyalty.core.address import Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.spans import Span
from loyalty.program.rules import Count, Epoch, Exclusion, PoolKey, Token


@dataclass(frozen=True, slots=True)
class LiquiditySpan:
    """A position's liquidity (of a share pool: units of the token held), unchanged over `span`.

    `opened_by` is the log that made it so; None: not named.
    """

    span: Span
    liquidity: int
    opened_by: Checkpoint | None


@dataclass(frozen=True, slots=True)
class PositionLine:
    """A position's part in a pool-day. `usd_micro_days` is exact: the cell rounds the positions' sum down, once.

    `position` names it as a person would look it up, such as "token 4711 of 0xc364…", "direct" or "staked in gauge
    0xaa6b…". `lower`, `upper` are the ticks of its range; None for shares, which are always in range.
    """

    position: str
    lower: int | None
    upper: int | None
    spans: tuple[LiquiditySpan, ...]
    usd_micro_days: Fraction
    usd_micro_days_in_range: Fraction
    in_range_seconds: int


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price that a pool-day used: USD per whole token, an integer at `price_decimals`. `reason`: the operator's."""

    token: str
    valid_time: int
    price: int
    price_decimals: int
    source: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class WorthLine:
    """What a whole share, 10**`share_decimals` units, was told to be worth: `value` / 10**`decimals` of `unit`.

    A virtual price has no unit. `log_index` None: no log told it, but the contract's answer at the end of `block`.
    """

    told: str
    share_decimals: int
    valid_time: int
    value: int
    decimals: int
    unit: str | None
    chain: int
    block: int
    log_index: int | None


@dataclass(frozen=True, slots=True)
class PoolDayDetail:
    """What the caller knows of a provider's pool-day beyond its cell."""

    positions: tuple[PositionLine, ...]
    prices: tuple[PriceLine, ...]
    share_worth: tuple[WorthLine, ...] = ()


@dataclass(frozen=True, slots=True)
class DayLine:
    """A provider's cell of a pool-day. `not_counted` says why it does not count, None where it does."""

    pool: PoolKey
    day: int
    usd_micro_days: int
    usd_micro_days_in_range: int
    not_counted: str | None
    detail: PoolDayDetail | None


@dataclass(frozen=True, slots=True)
class PoolLine:
    """A pool's part of the weight before the multiplier: counted micro-dollar-days x the pool's weight."""

    pool: PoolKey
    usd_micro_days: int
    pool_weight: Fraction


@dataclass(frozen=True, slots=True)
class TierStep:
    """A tier of the rules and why it does or does not apply: `begun` and `reaches_minimum` must both hold."""

    name: str
    from_epoch: int
    minimum_usd_micro: int
    multiplier: Fraction
    begun: bool
    reaches_minimum: bool

    @property
    def reached(self) -> bool:
        return self.begun and self.reaches_minimum


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the provider stands: the average that decides, its progress, and the tier that follows.

    `average_usd_micro` is exact, over all days of the epoch. `participation_epoch` is None where the epoch does not
    qualify; then `steps` is empty, the provider earns nothing, and its multiplier plays no part.
    """

    usd_micro_days: int
    average_usd_micro: Fraction
    minimum_usd_micro: int
    qualifying_before: int
    participation_epoch: int | None
    tier: str | None
    multiplier: Fraction
    steps: tuple[TierStep, ...]


@dataclass(frozen=True, slots=True)
class RewardLine:
    """A token's reward: floor(budget x weight / all weights) and the unit, if any, that a largest remainder earned."""

    token: Token
    own_units: int
    carried_in_units: int
    floor_units: int
    remainder_units: int

    @property
    def units(self) -> int:
        return self.floor_units + self.remainder_units


@dataclass(frozen=True, slots=True)
class Explanation:
    """A provider's epoch, line by line; `weight` and `total_weight` in dollar-days x pool weights x multiplier."""

    epoch: Epoch
    epochs: int
    provider: Address
    count: Count
    rewards: tuple[RewardLine, ...]
    weight: Fraction
    total_weight: Fraction
    standing: Standing
    pools: tuple[PoolLine, ...]
    days: tuple[DayLine, ...]
    exclusions: tuple[Exclusion, ...]
