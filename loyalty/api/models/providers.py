"""Providers: the list, one of them, its days and positions."""

from typing import Literal

from loyalty.api.models.epochs import Reward
from loyalty.api.models.words import (
    Amounts,
    ChainId,
    EpochNumber,
    Excluded,
    Listed,
    Model,
    Moving,
    Multiplier,
    PoolAddress,
    ProviderAddress,
    Status,
    Tick,
    TierName,
    Usd,
    UsdDays,
    Weight,
    means,
)


class Standing(Model):
    """Where a provider stands now."""

    tier: str | None = means("the tier it is in; null for none", "Tier 2")
    multiplier: str | None = means("the tier's factor, an exact decimal; null for none", "1.2")
    participation_epoch: int | None = means("its qualifying epochs, `tier_epoch` included", 10)
    tier_epoch: int | None = means(
        "the epoch the tier is of: the running one, or the one before where this one does not qualify yet",
        22,
    )
    average_usd: str | None = means(
        "USD on average over the counted part of the running epoch, 6 decimals; null where it does not qualify yet",
        "1250.000000",
    )
    weight: Weight = means("its weight in the running epoch, an exact decimal", "8750.5")
    weight_share: str = means("its part of all weights in the running epoch, 0 to 1, cut to 9 decimals", "0.012500000")


class ListedProvider(Standing):
    """A provider in the list."""

    address: ProviderAddress
    usd: Usd = means("what it holds now, USD", "1250.000000")
    usd_in_range: Usd = means("the part in range, USD", "1000.000000")
    rewards: Amounts = means("of the newest epoch, provisional until that settles", [])
    excluded: Excluded
    status: Status


class Providers(Listed[ListedProvider]):
    """Everybody who holds something, takes part, or ever earned something."""

    epoch: int | None = means("the newest evaluated epoch, which weights and rewards are of", 22)


class Balance(Model):
    """What a provider holds in a pool now."""

    chain: ChainId
    pool: PoolAddress
    usd: Usd = means("USD", "1250.000000")
    usd_in_range: Usd = means("the part in range, USD", "1250.000000")


class NextTier(Model):
    """The next step of the climb."""

    tier: TierName
    from_epoch: int = means("participation epoch from which it applies", 13)
    multiplier: Multiplier
    minimum_usd: str = means("average USD that it needs over an epoch", "0")
    epochs_to_go: int = means("qualifying epochs until then", 3)


class Progress(Model):
    """A qualifying epoch of a provider."""

    epoch: EpochNumber
    participation_epoch: int = means("qualifying epochs up to this one", 5)
    tier: str | None = means("the tier's name", "Tier 2")
    multiplier: Multiplier
    usd_days: UsdDays
    epoch_average_usd: Usd = means(
        "USD on average over all days of the epoch, which the rules look at; rounded down", "1250.000000"
    )
    weight: Weight
    status: Status


class Day(Model):
    """What a provider held in a pool on a UTC day."""

    date: str = means("UTC day", "2026-05-04")
    chain: ChainId
    pool: PoolAddress
    usd_days: UsdDays
    usd_days_in_range: UsdDays = means("the part in range, dollar-days, 6 decimals", "1000.000000")
    status: Status


class Days(Listed[Day]):
    """Days by date, chain and pool."""


class Provider(Moving, Standing):
    """What a provider looks up."""

    address: ProviderAddress
    usd: Usd = means("what it holds now, USD", "1250.000000")
    usd_in_range: Usd = means("the part in range, USD", "1250.000000")
    balances: list[Balance] = means("by pool", [])
    epoch: int | None = means("the newest evaluated epoch", 22)
    next_tier: NextTier | None = means("the next step of the climb; null in the last tier", None)
    progression: list[Progress] = means("its qualifying epochs, oldest first", [])
    days: list[Day] = means("the last 30 days; those without liquidity are left out", [])
    last_rewards: list[Reward] = means("of its last 5 epochs with a reward, newest first", [])
    earned: Amounts = means("in settled epochs", [])
    provisional: Amounts = means("in epochs not settled yet", [])
    transferred: Amounts = means("marked as paid to it", [])
    excluded: Excluded


class Position(Model):
    """A position with liquidity."""

    chain: ChainId
    pool: PoolAddress
    kind: Literal["token", "direct", "shares", "staked", "behind"] = means(
        "token: an NFT of a position manager, or deposited in a staker; direct: owned in the pool itself; shares: LP "
        "tokens, or shares of a vault and those that it owes; staked: in a gauge; behind: shares of a contract that "
        "is looked through and holds of the pool",
        "token",
    )
    manager: str | None = means(
        "the position manager, EIP-55; null for a direct one", "0xC36442b4a4522E871399CD717aBDD847Ab11FE88"
    )
    token_id: str | None = means("the NFT's id, an integer; null for a direct one", "454")
    share_token: str | None = means("the LP, gauge, vault or share token, EIP-55; null for a position on a range", None)
    through: str | None = means("the gauge, staker or contract by which it is its own, EIP-55; null for none", None)
    lower_tick: int | None = means("first tick of the range; null for shares, which are always in range", -203560)
    upper_tick: int | None = means("first tick above the range; null for shares", -193850)
    liquidity: str = means("Uniswap's L, or units of the share token, an integer", "88068626587419445")
    tick: Tick
    in_range: bool | None = means(
        "lower_tick <= tick < upper_tick; null before the pool's Initialize and behind ranges", True
    )


class Positions(Listed[Position]):
    """Positions by pool and range, from the facts up to the newest indexed block."""
