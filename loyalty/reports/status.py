"""Status: how far the chains are read, how the jobs fare, and what keeps epochs from settling."""

from sqlalchemy import Connection

from loyalty.core.address import checksum
from loyalty.core.spans import Span
from loyalty.core.times import day_text, time_text
from loyalty.jobs.accrue import UNPRICED
from loyalty.jobs.schedule import index_job
from loyalty.jobs.settle import SETTLED
from loyalty.reports.program import phase
from loyalty.reports.shapes import Shape, time_or_none
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.unresolved import unresolved
from loyalty.state import backfills, blocks, chains, commands, cursors, days, epochs, holds, job_runs, pools
from loyalty.state.backfills import Backfill
from loyalty.state.chains import ChainState
from loyalty.state.job_runs import JobRun
from loyalty.state.version import SCHEMA_VERSION

ALL_DAYS = Span(0, 1 << 31)


def status(snapshot: Snapshot) -> Shape:
    """Everything an operator looks at first; empty lists mean that nothing is wrong."""
    connection = snapshot.connection
    return {
        "program": snapshot.rules.name,
        "phase": phase(snapshot),
        "time": time_or_none(snapshot.time),
        "schema_version": SCHEMA_VERSION,
        "rules_version": snapshot.version,
        "chains": [chain_status(connection, chain) for chain in chains.all_chains(connection)],
        "jobs": [_job(run) for run in job_runs.all_runs(connection)],
        "unpriced": unpriced(connection),
        "blocked_epochs": blocked_epochs(snapshot),
        "unresolved": unresolved(snapshot),
        "settled_epochs": epochs.settled_count(connection),
        "holds": [
            {"id": hold.id, "reason": hold.reason, "placed": time_text(hold.placed_time)}
            for hold in holds.active(connection)
        ],
        "pending_commands": len(commands.pending(connection)),
        "last_backup": _last_backup(connection),
        **snapshot.moving(),
    }


def chain_status(connection: Connection, chain: ChainState) -> Shape:
    """A chain: its head and finalized block as its endpoints last said, the last block of which everything is indexed,
    how its index fares, and how far the catching up is.
    """
    last = blocks.last(connection, chain.id)
    rows = cursors.all_on(connection, chain.id)
    indexed = min(row.next_block for row in rows) - 1 if rows else None
    behind = None if chain.head_block is None or indexed is None else max(0, chain.head_block - indexed)
    return {
        "chain": chain.id,
        "chain_name": chain.name,
        "head_block": chain.head_block,
        "head_time": time_or_none(chain.head_time),
        "finalized_block": chain.finalized_block,
        "finalized_time": time_or_none(chain.finalized_time),
        "indexed_block": indexed,
        "indexed_time": time_or_none(last.time if last else None),
        "indexed_block_hash": last.hash if last and last.number == indexed else None,
        "blocks_behind": behind,
        "lag_seconds": _lag_seconds(connection, chain, indexed),
        "last_error": _index_error(connection, chain.name),
        "backfill": _backfill(backfills.get(connection, chain.id)),
    }


def _lag_seconds(connection: Connection, chain: ChainState, indexed: int | None) -> int | None:
    """By the newest stored block that is not newer: of final ones one a day is kept."""
    if chain.head_time is None or indexed is None:
        return None
    header = blocks.at_or_before(connection, chain.id, indexed)
    return None if header is None else max(0, chain.head_time - header.time)


def _index_error(connection: Connection, chain_name: str) -> str | None:
    run = next((run for run in job_runs.all_runs(connection) if run.job == index_job(chain_name)), None)
    return run.last_error if run and run.consecutive_failures else None


def _backfill(known: Backfill | None) -> Shape | None:
    if known is None:
        return None
    rate = known.blocks_per_second
    return {
        "from_block": known.from_block,
        "until_block": known.until_block,
        "next_block": known.next_block,
        "blocks_left": known.blocks_left,
        "percent": round(100 * known.blocks_done / max(1, known.until_block - known.from_block), 1),
        "blocks_per_second": None if rate is None else round(rate, 1),
        "seconds_left": None if known.stopped else known.seconds_left,
        "logs": known.logs,
        "stopped": known.stopped,
    }


def _job(run: JobRun) -> Shape:
    return {
        "job": run.job,
        "started": time_text(run.started_time),
        "finished": time_or_none(run.finished_time),
        "runs": run.runs,
        "failures": run.failures,
        "consecutive_failures": run.consecutive_failures,
        "last_error": run.last_error,
    }


def unpriced(connection: Connection) -> list[Shape]:
    """The pool-days that wait for a price, and what is missing; one that still runs is told too."""
    rows = {pool.id: pool for pool in pools.all_pools(connection)}
    return [
        {
            "chain": rows[each.pool_id].chain_id,
            "pool": checksum(rows[each.pool_id].address),
            "date": day_text(each.day),
            "reason": each.reason,
        }
        for each in days.all_states(connection, ALL_DAYS)
        if each.status == UNPRICED or each.reason
    ]


def blocked_epochs(snapshot: Snapshot) -> list[Shape]:
    """The epochs whose end has passed and that are not settled, each with what it waits for."""
    return [
        {"epoch": row.number, "status": row.status, "reasons": list(row.reasons)}
        for row in snapshot.epochs.values()
        if row.status != SETTLED and row.as_of_time >= snapshot.rules.epoch(row.number).end
    ]


def _last_backup(connection: Connection) -> str | None:
    """When the worker last finished its back_up job without a failure; None where it never did."""
    run = next((run for run in job_runs.all_runs(connection) if run.job == "back_up"), None)
    return time_or_none(run.finished_time) if run and not run.consecutive_failures else None
