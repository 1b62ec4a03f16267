"""What a program file says, as exact frozen values: the rules that turn daily cells into rewards.

Times are UTC unix seconds, days are counted from 1970-01-01, USD is in micro-dollars, token amounts are in the
token's smallest unit. Pools and tokens are named by (chain id, address); a token without an address by its symbol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS

Count = Literal["full", "in_range"]
OnLapse = Literal["reset", "pause"]


class PoolKey(NamedTuple):
    chain: int
    address: Address


@dataclass(frozen=True, slots=True)
class Token:
    """A token that has a price. `max_age` in seconds. `chain` is 0 and `address` None where the file gives none."""

    symbol: str
    chain: int
    address: Address | None
    decimals: int
    price_decimals: int
    max_age: int

    @property
    def key(self) -> str:
        """How the digest names it: its address or, without one, its symbol."""
        return self.address or self.symbol


@dataclass(frozen=True, slots=True)
class PoolRule:
    """A pool's part in the program: its weight, and the days [from_day, until_day) on which it counts (None: open).

    `tokens` are the symbols of all its tokens, whose prices its days need. `value` says what a Curve pool's LP token is
    worth: "holdings", "virtual_price" or "peg:SYMBOL"; the last two no further than `max_deviation` from the holdings.
    """

    pool: PoolKey
    tokens: tuple[str, ...]
    weight: Fraction
    from_day: int | None
    until_day: int | None
    value: str = "holdings"
    max_deviation: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """Applies from participation epoch `from_epoch` on, to an average of at least `minimum_usd_micro`."""

    name: str
    from_epoch: int
    multiplier: Fraction
    minimum_usd_micro: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`address` does not earn on the days [from_day, until_day) (None: open)."""

    address: Address
    reason: str
    from_day: int | None
    until_day: int | None


@dataclass(frozen=True, slots=True)
class UsdShare:
    """This token's budget is worth `fraction` of the budget of the token `of`, in USD, at each epoch's end."""

    of: str
    fraction: Fraction


@dataclass(frozen=True, slots=True)
class Reward:
    """Exactly one of `total_units`, `per_epoch_units` (one entry an epoch) and `usd_share` is given."""

    token: str
    total_units: int | None
    per_epoch_units: tuple[int, ...] | None
    usd_share: UsdShare | None


@dataclass(frozen=True, slots=True)
class LookThroughRule:
    """What the contract `address` is credited belongs to those behind it: by kind to the holders of the token `shares`
    ("shares"), or to the depositors of the position NFTs that it holds ("nft_staker", `shares` None).
    """

    chain: int
    address: Address
    kind: Literal["shares", "nft_staker"]
    shares: Address | None


@dataclass(frozen=True, slots=True)
class PointsRule:
    """Points per USD, for each pool that has any: `per_usd_per_round` of vaults with rounds, `per_usd_day` of others.

    `count` says which dollar-days count. Rates are above zero.
    """

    name: str
    per_usd_per_round: Mapping[PoolKey, Fraction]
    per_usd_day: Mapping[PoolKey, Fraction]
    require_no_unstake: bool = True
    count: Count = "full"


class Epoch(NamedTuple):
    """Epoch `number` (from 1) over [start, end) in unix seconds, both UTC midnights."""

    number: int
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    @property
    def days(self) -> Span:
        return Span(self.start // DAY_SECONDS, self.end // DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Rules:
    """A version of a program's rules. `tokens` by symbol; `tiers` in ascending `from_epoch`; `look_through` as one
    contract holds the shares of another, the pools' own holders first."""

    name: str
    start: int
    epochs: int
    epoch_seconds: int
    count: Count
    minimum_usd_micro: int
    on_lapse: OnLapse
    settle_after: int
    tiers: tuple[Tier, ...]
    rewards: tuple[Reward, ...]
    tokens: dict[str, Token]
    pools: tuple[PoolRule, ...]
    exclusions: tuple[Exclusion, ...]
    look_through: tuple[LookThroughRule, ...] = ()
    points: tuple[PointsRule, ...] = ()
    unresolved_usd_micro: int = 1_000 * 10**6
    """Decides nothing that is paid: from which average on a contract is told of before settlement."""

    @property
    def end(self) -> int:
        return self.start + self.epochs * self.epoch_seconds

    def epoch(self, number: int) -> Epoch:
        start = self.start + (number - 1) * self.epoch_seconds
        return Epoch(number, start, start + self.epoch_seconds)
