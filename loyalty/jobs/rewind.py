"""Rewind: the chain changed; forget back to the common ancestor, in one transaction, and index again from there."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict
from loyalty.state import (
    StateTransaction,
    audit,
    backfills,
    blocks,
    chains,
    cursors,
    days,
    facts,
    points,
    pools,
    rounds,
    share_pools,
    vaults,
)
from loyalty.state.days import PoolDay
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow


class Rewound(NamedTuple):
    """What a rewind took back: everything above `ancestor`."""

    chain: str
    ancestor: Header
    blocks: int
    facts: int


async def common_ancestor(chain: Chain, stored: list[Header], finalized_block: int | None) -> Header:
    """The newest of the `stored` blocks (newest first) that the chain still has; else the final one below them all.

    Raises Conflict, with nothing changed, where it lies below the finalized block: that chain is another one.
    """
    for header in stored:
        on_chain = await chain.header_at_or_after(header.number)
        if on_chain.number == header.number and on_chain.hash == header.hash:
            return header
        if finalized_block is not None and header.number <= finalized_block:
            raise Conflict(
                f"{chain.name}: block {header.number} is final here with hash {header.hash}, but the endpoint has "
                f"{on_chain.hash}: the endpoint serves another chain, or the chain broke its finality. Nothing was "
                "changed; check the endpoints, and if they are right, index into a new database"
            )
    if finalized_block is not None:  # nothing final is stored yet: all that is stored may have been reorganized
        ancestor = await chain.header_at_or_after(finalized_block)
        if ancestor.number == finalized_block:
            return ancestor
    raise Conflict(
        f"{chain.name}: none of the stored blocks is on the endpoint's chain: it serves another chain. "
        "Nothing was changed; check the endpoints"
    )


def forget_above(connection: Connection, chain_id: int, ancestor: Header) -> int:
    """Delete the facts above `ancestor`, and every pool-day that counted a block above it or, on another chain, shares
    at a price from after it; returns the facts deleted.

    Rounds and points go by time, whatever their pool: shares of other chains may be counted by blocks of this one.
    """
    forgotten = facts.delete_above(connection, chain_id, ancestor.number)
    share_pools.forget_untold_generations(connection, chain_id)
    blocks.delete_above(connection, chain_id, ancestor.number)
    cursors.set_back(connection, chain_id, ancestor.number)
    backfills.set_back(connection, chain_id, ancestor.number)
    for pool in pools.all_pools(connection, chain_id):
        _forget_days(connection, pool, lambda state: state.as_of_block > ancestor.number)
    for vault in vaults.bridged_from(connection, chain_id):
        _forget_days(connection, vault.pool, lambda state: state.as_of_time > ancestor.time)
    points.delete_counted_since(connection, ancestor.time)
    rounds.delete_since(connection, ancestor.time)
    return forgotten


def _forget_days(connection: Connection, pool: PoolRow, counts: Callable[[PoolDay], bool]) -> None:
    """The pool's days from the first one on that counts what is forgotten."""
    touched = [state.day for state in days.states(connection, pool.id).values() if counts(state)]
    if touched:
        days.delete_from(connection, pool.id, min(touched))


def rewind(state: State, chain: Chain, ancestor: Header, now: int) -> Rewound:
    """Forget everything above `ancestor` as one step, with an audit line."""
    with StateTransaction(state) as connection:
        count = len(blocks.above(connection, chain.id, ancestor.number))
        forgotten = forget_above(connection, chain.id, ancestor)
        if (known := chains.get(connection, chain.id)) and known.program_start_block is not None:
            first_forgotten = ancestor.number + 1
            if known.program_start_block >= first_forgotten:
                chains.set_program_start_block(connection, chain.id, None)
        detail = {"chain": chain.name, "ancestor": ancestor.number, "hash": ancestor.hash, "facts": forgotten}
        audit.write(connection, now, "worker", "rewind", detail)
    return Rewound(chain.name, ancestor, count, forgotten)
