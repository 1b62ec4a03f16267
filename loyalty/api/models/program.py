"""Program, statistics, tiers."""

from typing import Literal

from pydantic import Field

from loyalty.api.models.words import (
    AN_AMOUNT,
    Amount,
    Amounts,
    ChainId,
    From,
    Listed,
    Model,
    Moving,
    Multiplier,
    PoolAddress,
    TierName,
    Tokens,
    Until,
    Usd,
    means,
)

Phase = Literal["not_started", "running", "ended"]


class UsdShare(Model):
    """A budget that follows another token's worth."""

    of: str = means("symbol of the token whose budget is followed", "ARB")
    fraction: str = means("this part of its worth in USD at each epoch's end", "0.25")


class RewardToken(Model):
    """A token that is divided."""

    token: str = means("symbol", "ARB")
    decimals: int = means("decimals of its smallest unit", 18)
    chain: int | None = means("EVM chain id; null for a token without an address", 42161)
    address: str | None = means("EIP-55; null where the program file gives none", None)
    usd_share: UsdShare | None = means("how its budget follows another token's; null for a budget of its own", None)


class TokenBudget(Model):
    """What there is of a token, and what became of it."""

    token: str = means("symbol", "ARB")
    total: Amount | None = means(
        "the whole program's; null for a USD share, which prices decide epoch by epoch", AN_AMOUNT
    )
    paid: Amount = means("divided among providers in settled epochs", AN_AMOUNT)
    provisional: Amount = means("as it would be divided in epochs not settled yet", AN_AMOUNT)
    unallocated: Amount = means("left after the last epoch", AN_AMOUNT)
    left: Amount | None = means("total less paid and unallocated; null where there is no total", AN_AMOUNT)
    transferred: Amount = means("marked as paid out, with a transaction", AN_AMOUNT)


class ProgramPool(Model):
    """A pool as the rules name it."""

    chain: ChainId
    pool: PoolAddress
    tokens: Tokens
    weight: str = means("what a dollar-day in it counts, an exact decimal", "1")
    from_: From = Field(alias="from")
    until: Until


class Exclusion(Model):
    """An address that does not earn."""

    address: str = means("EIP-55", "0x8ba1f109551bD432803012645Ac136ddd64DBA72")
    reason: str = means("why", "program treasury")
    from_: From = Field(alias="from")
    until: Until


class Program(Moving):
    """The program's rules as in force now, and where it stands."""

    name: str = means("the program's name", "tBTC liquidity on Arbitrum")
    start: str = means("RFC 3339", "2026-04-20T00:00:00Z")
    end: str = means("RFC 3339; nothing at or after it counts", "2026-11-16T00:00:00Z")
    epochs: int = means("how many epochs", 30)
    epoch_length: str = means("length of an epoch", "7d")
    phase: Phase = means("by the newest indexed block's time", "running")
    position: str = means("the same for people", "week 3 of 30, day 2 of 7")
    time: str | None = means(
        "time of the newest indexed block, RFC 3339; null before the first", "2026-05-05T10:00:00Z"
    )
    current_epoch: int | None = means("the epoch that runs; null before the start and after the end", 3)
    current_epoch_end: str | None = means("when it ends, RFC 3339", "2026-05-11T00:00:00Z")
    settled_epochs: int = means("how many epochs are settled; they settle in order", 2)
    count: Literal["full", "in_range"] = means("which liquidity counts", "full")
    minimum_usd: str = means("average USD over an epoch that a provider needs to take part", "10")
    on_lapse: Literal["reset", "pause"] = means("what an epoch without taking part does to the climb", "reset")
    settle_after: str = means("how long after its end an epoch settles at the earliest, in the chain's time", "1d")
    rules_version: int = means("version of the rules, from 1", 1)
    rewards: list[RewardToken] = means("the tokens that are divided", [])
    budgets: list[TokenBudget] = means("one line a reward token", [])
    pools: list[ProgramPool] = means("the pools whose liquidity counts", [])
    exclusions: list[Exclusion] = means("addresses that do not earn", [])


class TierCount(Model):
    """How many providers are in a tier."""

    tier: str | None = means("the tier's name; null for those who qualify without one", "Tier 2")
    providers: int = means("providers in it now", 38)


class Statistics(Moving):
    """The program in numbers."""

    phase: Phase = means("by the newest indexed block's time", "running")
    epoch: int | None = means("the newest evaluated epoch, which the tiers are of; null before the first", 3)
    providers: int = means("providers that take part", 103)
    tiers: list[TierCount] = means("the tier distribution, zeros too", [{"tier": "Tier 1", "providers": 65}])
    usd: Usd = means("liquidity now of everybody who is not excluded, USD", "4039676.729234")
    usd_in_range: Usd = means("the part of it that is in range, USD", "3994639.120706")
    weighted_usd: Usd = means(
        "liquidity that counts x pool weight x multiplier, of those in a tier, USD", "5852127.898010"
    )
    excluded_usd: Usd = means("liquidity now of excluded addresses, USD", "0.000000")
    budget: Amounts = means("the whole program's, of tokens that have a total", [])
    paid: Amounts = means("divided in settled epochs", [])
    provisional: Amounts = means("as it would be divided in epochs not settled yet", [])


class Tier(Model):
    """A tier as in force."""

    tier: TierName
    from_epoch: int = means("participation epoch from which it applies", 5)
    multiplier: Multiplier
    minimum_usd: str = means("average USD that it needs over an epoch", "0")
    providers: int = means("providers in it now", 20)


class Tiers(Listed[Tier]):
    """All tiers, ascending."""
