"""Status, health, commands, problems."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from loyalty.api.models.epochs import Unresolved
from loyalty.api.models.program import Phase
from loyalty.api.models.words import ChainId, EpochNumber, Model, Moving, PoolAddress, Status, Time, means


class BackfillStatus(Model):
    """The catching up of a chain: blocks [from_block, until_block), those below next_block indexed."""

    from_block: int = means("the first block of it", 91_124_443)
    until_block: int = means("where those at the head stand: it ends there", 230_000_101)
    next_block: int = means("the next block to index", 150_000_000)
    blocks_left: int = means("how many are still to be indexed", 80_000_101)
    percent: float = means("how much of it is done", 42.3)
    blocks_per_second: float | None = means("rate so far, pauses left out; null in its first second", 12_500.0)
    seconds_left: int | None = means("at that rate; null where it is not known, or while it is stopped", 6_400)
    logs: int = means("logs read for it", 1_200_000)
    stopped: bool = means("whether it was stopped; the head goes on all the same", False)


class ChainStatus(Model):
    """How far a chain is read."""

    chain: ChainId
    chain_name: str = means("the chain's name in the program file", "arbitrum")
    head_block: int | None = means("newest block its endpoints told; null before they were asked", 230_000_100)
    head_time: str | None = means("that block's time, RFC 3339", "2026-05-05T10:00:00Z")
    finalized_block: int | None = means(
        "newest block that cannot be reorganized; null where the chain tells none", 230_000_000
    )
    finalized_time: str | None = means("that block's time, RFC 3339", "2026-05-05T09:45:00Z")
    indexed_block: int | None = means("last block of which every pool is indexed", 230_000_100)
    indexed_time: str | None = means("time of the newest indexed block, RFC 3339", "2026-05-05T10:00:00Z")
    indexed_block_hash: str | None = means("hash of `indexed_block`, where it is kept", "0x9f…")
    blocks_behind: int | None = means("blocks between the cursor and the head", 0)
    lag_seconds: int | None = means("how much older `indexed_block` is than the head", 0)
    last_error: str | None = means("what its index failed with; null while it succeeds", None)
    backfill: BackfillStatus | None = means("how far the catching up is; null where nothing is far behind", None)


class JobStatus(Model):
    """How a job of the worker fares."""

    job: str = means("its name", "accrue")
    started: Time = means("when its last recorded run began, RFC 3339", "2026-05-05T10:00:00Z")
    finished: str | None = means("when that run ended; null while it runs", "2026-05-05T10:00:01Z")
    runs: int = means("runs so far", 120)
    failures: int = means("runs that failed", 0)
    consecutive_failures: int = means("failures since the last success", 0)
    last_error: str | None = means("what it last failed with", None)


class Unpriced(Model):
    """A pool-day without a price."""

    chain: ChainId
    pool: PoolAddress
    date: str = means("UTC day", "2026-05-04")
    reason: str | None = means(
        "which price is missing, and from when", "tBTC: no valid price from 2026-05-04T03:00:01Z on"
    )


class BlockedEpoch(Model):
    """An epoch that is over and not settled."""

    epoch: EpochNumber
    status: Status
    reasons: list[str] = means("what it waits for", ["on hold: a price is being checked"])


class Hold(Model):
    """While a hold is in force nothing settles."""

    id: int = means("number of the hold", 1)
    reason: str = means("why", "a price is being checked")
    placed: Time = means("since when, RFC 3339", "2026-05-05T10:00:00Z")


class StatusAnswer(Moving):
    """What an operator looks at first."""

    program: str = means("the program's name", "tBTC liquidity on Arbitrum")
    phase: Phase = means("by the newest indexed block's time", "running")
    time: str | None = means("time of the newest indexed block, RFC 3339", "2026-05-05T10:00:00Z")
    schema_version: str = means("schema version of the database", "0001")
    rules_version: int = means("version of the rules", 1)
    chains: list[ChainStatus] = means("one line a chain", [])
    jobs: list[JobStatus] = means("one line a job that ever ran", [])
    unpriced: list[Unpriced] = means("pool-days that wait for a price", [])
    blocked_epochs: list[BlockedEpoch] = means("epochs that are over and not settled, with what they wait for", [])
    unresolved: list[Unresolved] = means("in epochs not settled: contracts behind which nobody is known", [])
    settled_epochs: int = means("how many epochs are settled", 2)
    holds: list[Hold] = means("holds in force", [])
    pending_commands: int = means("commands that wait for the worker", 0)
    last_backup: str | None = means("when the worker last made a verified backup, RFC 3339", "2026-05-05T03:00:00Z")


class Alive(Model):
    """The process answers."""

    status: Literal["alive"] = means("always", "alive")


class Readiness(Model):
    """Whether answers can be relied on now."""

    status: Literal["ready", "not_ready"] = means("ready: the database is there and the worker moves", "ready")
    reasons: list[str] = means("why not; empty when ready", [])


class CommandRequest(BaseModel):
    """A command for the worker."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(
        description="price set, settle, hold, release, back up, backfill or mark paid",
        examples=["hold"],
        min_length=1,
        max_length=40,
    )
    arguments: dict[str, StrictStr | StrictInt | None] = Field(
        default_factory=dict,
        description="what the kind needs: docs/api.md lists it",
        examples=[{"reason": "a price is being checked"}],
        max_length=10,
    )


class CommandAnswer(Model):
    """A command and what became of it."""

    id: int = means("its number", 7)
    kind: str = means("what was asked", "hold")
    arguments: dict[str, Any] = means("with what", {"reason": "a price is being checked"})
    requested_by: str = means("who asked", "api")
    requested: Time = means("when, RFC 3339", "2026-05-05T10:00:00Z")
    finished: str | None = means("when it was carried out; null while it waits", None)
    succeeded: bool | None = means("null while it waits", None)
    result: Any = means("its result, or the error told; null while it waits", None)


class Problem(BaseModel):
    """RFC 9457: every error has this shape, as application/problem+json."""

    type: str = means("about:blank, or a URN that names the kind of failure", "urn:loyalty:not_found")
    title: str = means("the kind, for people", "Not Found")
    status: int = means("HTTP status", 404)
    detail: str = means(
        "what was wrong, where, and what to do", "epoch 99 does not exist: the program has epochs 1 to 30"
    )
    instance: str = means("the path that was asked", "/api/v1/epochs/99")
    faults: list[str] | None = means(
        "every fault, where there are several", ["limit: Input should be less than or equal to 500"]
    )
