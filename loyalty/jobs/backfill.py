"""Backfill: what is far behind the head, its progress kept beside the facts, stopped and continued at will."""

from collections.abc import Sequence

from sqlalchemy import Connection

from loyalty.core.errors import Invalid, NotFound
from loyalty.jobs.next_plan import LIVE_BLOCKS
from loyalty.state import backfills, chains, cursors
from loyalty.state.backfills import Backfill
from loyalty.state.chains import ChainState
from loyalty.state.cursors import Cursor


def note(
    connection: Connection,
    chain_id: int,
    before: Sequence[Cursor],
    after: Sequence[Cursor],
    head: int,
    logs: int,
    now: int,
) -> None:
    """Keep how far the chain's backfill is, in the transaction of the step that moved its cursors; the row goes when
    the last cursor has come near the head. A step at the head alone is none of it.
    """
    first, reached = (min(row.next_block for row in rows) for rows in (before, after))
    known = backfills.get(connection, chain_id)
    if reached == first:
        return
    if reached + LIVE_BLOCKS > head:
        if known is not None:
            backfills.delete(connection, chain_id)
        return
    until = _until(after, head)
    if known is None:
        backfills.put(connection, Backfill(chain_id, first, until, reached, logs, now, now, False))
        return
    backfills.put(
        connection,
        known._replace(
            from_block=min(known.from_block, first),
            until_block=until,
            next_block=reached,
            logs=known.logs + logs,
            updated_time=max(now, known.updated_time),
        ),
    )


def _until(rows: Sequence[Cursor], head: int) -> int:
    """Where those at the head stand: the others join them there. The head itself where none is there yet."""
    return min((row.next_block for row in rows if row.next_block + LIVE_BLOCKS > head), default=head + 1)


def start(connection: Connection, chain_name: str, from_block: int | None, now: int) -> Backfill | None:
    """Let the chain's backfill run; None where nothing is behind. The time it stood still does not count.

    Raises Invalid where `from_block` lies above the first block that is not indexed: what follows from logs is a fold,
    and a gap would lose some.
    """
    chain = chain_named(connection, chain_name)
    check_from(connection, chain, from_block)
    known = backfills.get(connection, chain.id) or _found(connection, chain, now)
    if known is None:
        return None
    paused = max(0, now - known.updated_time)
    running = known._replace(
        began_time=known.began_time + paused, updated_time=known.updated_time + paused, stopped=False
    )
    backfills.put(connection, running)
    return running


def stop(connection: Connection, chain_name: str, now: int) -> Backfill:
    """Nothing that is behind is indexed from the next step on, over restarts too; what is at the head goes on.

    Raises NotFound where nothing is behind.
    """
    chain = chain_named(connection, chain_name)
    known = backfills.get(connection, chain.id) or _found(connection, chain, now)
    if known is None:
        raise NotFound(f"nothing of {chain_name} is behind: there is no backfill to stop")
    stopped = known._replace(stopped=True)
    backfills.put(connection, stopped)
    return stopped


def check_from(connection: Connection, chain: ChainState, from_block: int | None) -> int | None:
    """The first block of the chain that some pool or contract still needs; None without any. Invalid as `start`."""
    first = min((row.next_block for row in cursors.all_on(connection, chain.id)), default=None)
    if from_block is not None and first is not None and from_block > first:
        raise Invalid(
            f"--from {from_block} is above block {first}, the first one of {chain.name} that is not indexed yet: the "
            f"blocks between would be left out. Leave --from out, or give at most {first}"
        )
    return first


def chain_named(connection: Connection, name: str) -> ChainState:
    """NotFound, with the names that there are, where the program has no such chain."""
    known = {chain.name: chain for chain in chains.all_chains(connection)}
    if name not in known:
        raise NotFound(f"the program has no chain {name!r}: it has {', '.join(sorted(known))}")
    return known[name]


def _found(connection: Connection, chain: ChainState, now: int) -> Backfill | None:
    """What is behind before any step has kept it."""
    rows = cursors.all_on(connection, chain.id)
    if chain.head_block is None or not rows:
        return None
    first = min(row.next_block for row in rows)
    if first + LIVE_BLOCKS > chain.head_block:
        return None
    return Backfill(chain.id, first, _until(rows, chain.head_block), first, 0, now, now, False)
