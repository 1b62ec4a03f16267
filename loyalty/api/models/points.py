"""Points: an address's lines, the leaderboard, rounds of vaults, and what happened there."""

from typing import Annotated, Literal

from pydantic import Field

from loyalty.api.models.words import (
    ChainId,
    Listed,
    Model,
    PoolAddress,
    ProviderAddress,
    Status,
    Time,
    Usd,
    means,
)

ScoreName = Annotated[str, means("the score's name", "droplets")]
Points = Annotated[str, means("points, exactly 6 decimals; one unit of the last is a micro-point", "1499.700000")]


class ScoreTotal(Model):
    """What an address has in a score."""

    score: ScoreName
    points: Points = means("points in all, exactly 6 decimals", "3249.309850")
    rank: int | None = means("its place, equal points sharing one; null without points", 2)


class PointLine(Model):
    """An address's points for one round or one day of a pool, and what they follow from."""

    score: ScoreName
    chain: ChainId
    pool: PoolAddress
    period: Literal["round", "day"] = means("round of a vault, or UTC day of any other pool", "round")
    start: Time = means("when the round or day began, RFC 3339", "2026-05-04T12:00:00Z")
    round: int | None = means("the round's number; null for a day", 3)
    date: str | None = means("the UTC day; null for a round", None)
    shares: str | None = means("whole shares held when the round began; null for a day", "239.891684")
    price_per_share: str | None = means("whole assets per share when the round began; null for a day", "1.042137")
    price: str | None = means("USD per whole asset when the round began; null for a day", "0.9998")
    usd: Usd = means(
        "of a round the USD that the shares were worth, of a day its dollar-days; 6 decimals", "249.949999"
    )
    rate: str = means("points per USD and round, or per dollar-day, an exact decimal", "1.5")
    points: Points = means("points of this line, exactly 6 decimals, rounded down once", "374.924999")
    reason: Literal["excluded", "unstaked"] | None = means("why there are no points; null where there may be", None)
    status: Status


class ProviderPoints(Listed[PointLine]):
    """An address's points: totals of every score, and its lines, the newest first."""

    address: ProviderAddress
    scores: list[ScoreTotal] = means("one total a score, in the program's order", [])


class Leader(Model):
    """A place in the leaderboard."""

    rank: int = means("the place: equal points share one, and the next counts them all (1, 2, 2, 4)", 1)
    shared_by: int = means("how many addresses have this rank: above 1 it is a tie, ordered by address", 1)
    address: ProviderAddress
    points: Points = means("points in all, exactly 6 decimals", "3249.309850")
    status: Status


class Leaderboard(Listed[Leader]):
    """Addresses with points in a score, most points first."""

    score: str | None = means("the score that this is of; null in a program without points", "droplets")
    scores: list[str] = means("all scores of the program, in its order", ["droplets"])


class RoundPoints(Model):
    """What a round gave in a score."""

    score: ScoreName
    points: Points = means("points of everybody for the round, exactly 6 decimals", "2250.299850")


class VaultRound(Model):
    """A round of a vault: from the roll before it to its own."""

    chain: ChainId
    pool: PoolAddress = means("the vault's address, EIP-55", "0xe9e6b9AAAfaf6816C3364345F6eF745CcFC8660a")
    round: int = means("the round's number, from 1", 3)
    asset: str = means("symbol of the vault's asset", "USDC")
    start: str | None = means(
        "when it began, RFC 3339; null for the first, which no roll began", "2026-05-04T12:00:00Z"
    )
    end: str | None = means("when it was rolled, RFC 3339; null while it is open", "2026-05-05T12:00:00Z")
    price_per_share: str | None = means("whole assets per share when it began; null for the first", "1.042137")
    yield_: str | None = Field(
        alias="yield",
        description="whole assets that it brought, negative for a loss; null while it is open",
        examples=["12.5"],
    )
    shares_minted: str | None = means("whole shares minted when it was rolled; null while it is open", "239.891684")
    participants: int | None = means("addresses that held shares when it began; null where that is not known yet", 3)
    in_flight_shares: str | None = means("whole shares between two chains when it began: nobody's", "0")
    unclaimed_shares: str | None = means("whole shares of the contracts themselves when it began: nobody's", "0.000001")
    points: list[RoundPoints] = means("what it gave, a score each; empty where it is not part of the program", [])
    reason: str | None = means("what its points wait for; null where nothing is missing", None)
    status: Status


class Rounds(Listed[VaultRound]):
    """Rounds of every vault that has them, the newest first."""


class VaultEvent(Model):
    """A log of a vault, or a transfer of its shares."""

    kind: Literal["stake", "instant_unstake", "unstake", "redeem", "roll", "deposit", "withdraw", "transfer"] = means(
        "what happened; deposit and withdraw are those of ERC-4626 vaults", "stake"
    )
    time: Time
    chain: ChainId
    pool: PoolAddress = means("the vault's address, or that of its shares there, EIP-55", "0xe9e6b9AAAf…")
    address: str | None = means("whose it is, of a transfer the sender, EIP-55; null for a roll", "0x8ba1f109…")
    recipient: str | None = means("of a transfer the recipient, EIP-55", None)
    round: int | None = means("the round that the log names", 3)
    assets: str | None = means("whole assets", "250.0")
    shares: str | None = means("whole shares; of a roll those minted", None)
    price_per_share: str | None = means("of a roll: whole assets per share from then on", None)
    yield_: str | None = Field(
        alias="yield",
        description="of a roll: whole assets that the round brought, negative for a loss",
        examples=[None],
    )
    block: int = means("block number", 230_000_000)
    log_index: int = means("the log's place in the block", 4)
    transaction_hash: str = means("the transaction's hash", "0x5c50…")


class Events(Listed[VaultEvent]):
    """Events of vaults, the newest first."""
