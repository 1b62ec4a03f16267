"""An explanation: from the reward down to positions, prices and log ids."""

from typing import Literal

from pydantic import Field

from loyalty.api.models.words import (
    Amount,
    ChainId,
    EpochNumber,
    Model,
    Moving,
    Multiplier,
    PoolAddress,
    ProviderAddress,
    TierName,
    Time,
    UsdDays,
    Weight,
    means,
)

EXACT = "exact: a decimal, or a fraction such as 1250/3"


class RewardLine(Amount):
    """amount_units = floor_units + remainder_units."""

    budget_units: str = means("the epoch's own budget, units", "1666000000000000000000")
    carried_in_units: str = means("carried in, units", "0")
    floor_units: str = means("floor((budget + carried in) x weight / total weight)", "4293")
    remainder_units: str = means("0, or 1 where a largest remainder earned what the floors leave", "1")


class TierStep(Model):
    """A tier and whether it is reached."""

    tier: TierName
    from_epoch: int = means("participation epoch from which it applies", 5)
    minimum_usd: str = means("average USD that it needs", "0")
    multiplier: Multiplier
    begun: bool = means("whether the participation epoch is reached", True)
    reaches_minimum: bool = means("whether the average is", True)
    reached: bool = means("both: the last reached tier applies", True)


class Standing(Model):
    """What decides about taking part and about the tier."""

    usd_days: UsdDays
    average_usd: str = means(f"over all days of the epoch, USD, {EXACT}", "1250/3")
    minimum_usd: str = means("the program's minimum, USD", "10")
    qualifies: bool = means("whether the epoch counts for the provider", True)
    qualifying_before: int = means("qualifying epochs before", 9)
    participation_epoch: int | None = means("with this one; null where it does not qualify", 10)
    tier: str | None = means("the tier that applies", "Tier 2")
    multiplier: Multiplier
    tiers: list[TierStep] = means("every tier of the rules", [])


class PoolLine(Model):
    """A pool's part of the weight."""

    chain: ChainId
    pool: PoolAddress
    usd_days: UsdDays
    pool_weight: str = means("the pool's weight", "1")


class Price(Model):
    """A price that was in force on the day."""

    token: str = means("symbol", "tBTC")
    valid_time: Time = means("from when it was in force, RFC 3339", "2026-05-04T00:00:00Z")
    usd: str = means("USD per whole token, an exact decimal", "64000.12")
    source: str = means("fixed, file, coingecko, operator …", "coingecko")
    reason: str | None = means("why the operator set it; null for other sources", None)


class ShareWorth(Model):
    """What one whole share was worth in the pool's asset, as a contract told."""

    told: str = means("price per share, or virtual price", "price per share")
    share_decimals: int = means("one whole share is 10**share_decimals units", 18)
    valid_time: Time = means("from when it was in force, RFC 3339", "2026-05-04T12:00:00Z")
    value: str = means("asset per whole share, an exact decimal", "1.034137")
    unit: str | None = means("the asset's symbol; null for a virtual price", "USDC")
    chain: ChainId = means("chain that told it: of bridged shares the vault's", 42161)
    block: int = means("block of the log, or at whose end the contract was asked", 230_000_000)
    log_index: int | None = means("that log's index in the block; null where the contract was asked", 12)


class LiquiditySpan(Model):
    """A stretch of the day without a change of the position."""

    from_: Time = Field(alias="from", description="first second, RFC 3339", examples=["2026-05-04T00:00:00Z"])
    until: Time = means("first second after it, RFC 3339", "2026-05-05T00:00:00Z")
    liquidity: str = means("Uniswap's L, or units of the LP or gauge token, an integer", "88068626587419445")
    block: int | None = means("block of the log that made it so", 230_000_000)
    log_index: int | None = means("that log's index in the block", 12)


class PositionLine(Model):
    """A position's part of the day; the cell rounds the positions' sum down, once."""

    position: str = means("how to look it up", "token 454 of 0xC36442b4a4522E871399CD717aBDD847Ab11FE88")
    lower_tick: int | None = means("first tick of the range; null for shares, which are always in range", -203560)
    upper_tick: int | None = means("first tick above the range; null for shares", -193850)
    usd_days: str = means(f"dollar-days, {EXACT}", "1250")
    usd_days_in_range: str = means(f"the part in range, dollar-days, {EXACT}", "1250")
    in_range_seconds: int = means("seconds in range with liquidity", 86400)
    liquidity: list[LiquiditySpan] = means("its stretches", [])


class DayLine(Model):
    """A pool-day of the provider."""

    date: str = means("UTC day", "2026-05-04")
    chain: ChainId
    pool: PoolAddress
    usd_days: UsdDays
    usd_days_in_range: UsdDays = means("the part in range, dollar-days, 6 decimals", "1250.000000")
    counted: bool = means("whether the day counts", True)
    reason: str | None = means("why it does not", None)
    prices: list[Price] | None = means("prices used; null while the running day is being computed again", [])
    share_worth: list[ShareWorth] | None = means(
        "what a share was worth, where a contract tells it; null while the running day is being computed again", []
    )
    positions: list[PositionLine] | None = means("positions; null while the running day is being computed again", [])


class Exclusion(Model):
    """An exclusion of the provider in this epoch."""

    reason: str = means("why", "program treasury")
    from_: str | None = Field(alias="from", description="first day; null: from the start", examples=["2026-05-04"])
    until: str | None = means("first day after it; null: to the end", None)


class Explanation(Moving):
    """Why a provider gets what it gets in an epoch."""

    epoch: EpochNumber
    start: Time = means("first second of the epoch, RFC 3339", "2026-05-04T00:00:00Z")
    end: Time = means("first second after it, RFC 3339", "2026-05-11T00:00:00Z")
    address: ProviderAddress
    count: Literal["full", "in_range"] = means("which liquidity counts", "full")
    rewards: list[RewardLine] = means("per reward token", [])
    weight: Weight
    total_weight: Weight = means("everybody's, the denominator", "57046.1")
    standing: Standing = Field(description="what decides about taking part and the tier")
    pools: list[PoolLine] = means("the pools' parts of the weight", [])
    days: list[DayLine] = means("the provider's pool-days", [])
    exclusions: list[Exclusion] = means("exclusions of the provider in this epoch", [])
    digest: str | None = means("the epoch's digest, once settled", "91c0…")
