"""Epochs and rewards."""

from loyalty.api.models.words import (
    Amount,
    Amounts,
    ChainId,
    EpochNumber,
    Listed,
    Model,
    Moving,
    Multiplier,
    ProviderAddress,
    Status,
    Time,
    UsdDays,
    Weight,
    means,
)


class Payment(Amount):
    """A payment that was made for an epoch."""

    transaction: str = means("hash of the transaction that paid", "0x5c50…")
    time: Time = means("when it was marked paid, RFC 3339", "2026-05-05T12:00:00Z")


class Epoch(Moving):
    """An epoch. What there was to divide is all there: budget + carried_in = paid + carried_out + unallocated."""

    number: EpochNumber
    start: Time = means("first second, RFC 3339", "2026-05-04T00:00:00Z")
    end: Time = means("first second after it, RFC 3339", "2026-05-11T00:00:00Z")
    digest: str | None = means("hex SHA-256 over everything it rests on, once settled (docs/digest.md)", "91c0…")
    budget: Amounts = means("the epoch's own", [])
    carried_in: Amounts = means("from epochs in which nobody took part", [])
    paid: Amounts = means("divided among providers", [])
    carried_out: Amounts = means("to the next epoch: everything, where nobody took part", [])
    unallocated: Amounts = means("left after the last epoch; zero before", [])
    providers: int = means("providers with a reward", 103)
    usd_days: UsdDays = means(
        "everybody's dollar-days, after exclusions, as `count` says; 6 decimals", "28270000.000000"
    )
    reasons: list[str] = means("what blocks settlement", ["on hold: a price is being checked"])
    rules_version: int = means("version of the rules in force in it", 1)
    payments: list[Payment] = means("payments made for it, with their transactions", [])


class Unresolved(Model):
    """A contract with much in an epoch of which nobody knows, or nobody is, who stands behind it."""

    epoch: EpochNumber
    chain: ChainId
    address: str = means("the contract's address, EIP-55", "0x5aFE3855358E112B5647B952709E6165e1c1eEEe")
    usd_days: UsdDays = means("what it has in that epoch so far, dollar-days, 6 decimals", "70000.000000")
    pools: list[str] = means("the pools it has that in, EIP-55", ["0xe9e6b9AAAfaf6816C3364345F6eF745CcFC8660a"])
    why: str = means(
        "whether it earns itself, or nobody earns it",
        "a contract that is neither looked through nor excluded: it earns itself",
    )


class EpochWithUnresolved(Epoch):
    """An epoch, and what to look at before it settles."""

    unresolved: list[Unresolved] = means("contracts behind which nobody is known, the largest first", [])


class Epochs(Listed[Epoch]):
    """Every epoch that has begun, in order."""


class Reward(Amount):
    """What a provider earned of a token in an epoch, and what it follows from."""

    epoch: EpochNumber
    address: ProviderAddress
    weight: Weight
    tier: str | None = means("the tier's name; null where none applied", "Tier 2")
    multiplier: Multiplier
    participation_epoch: int = means("qualifying epochs up to this one", 5)
    status: Status


class Rewards(Listed[Reward]):
    """Rewards, a page of them."""
