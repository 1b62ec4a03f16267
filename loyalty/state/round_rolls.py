"""Round rolls: the ends of vaults' rounds, with the price per share from then on."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import RoundRolled
from loyalty.core.spans import Span
from loyalty.state.bulk import insert_rows
from loyalty.state.newest import Wanted, newest
from loyalty.state.schema import round_rolls as table

_SELECT = (
    "SELECT pools.address, block, log_index, time, round, price_per_share, shares_minted, wrapped_minted, "
    "wrapped_burned, yield_units, transaction_hash FROM round_rolls AS facts JOIN pools ON pools.id = pool_id"
)
_OF_POOL = f"{_SELECT} WHERE facts.pool_id = :pool_id"


def insert(connection: Connection, chain_id: int, pool_ids: Mapping[Address, int], rolls: Sequence[RoundRolled]) -> int:
    """Store rolls of known vaults; returns how many. Inconsistent for a round that is stored already."""
    rows = (
        (
            chain_id,
            roll.block,
            roll.log_index,
            pool_ids[roll.vault],
            roll.time,
            roll.round,
            str(roll.price_per_share),
            str(roll.shares_minted),
            str(roll.wrapped_minted),
            str(roll.wrapped_burned),
            str(roll.yield_units),
            bytearray(roll.transaction_hash),
        )
        for roll in rolls
    )
    try:
        return insert_rows(connection, table, rows)
    except IntegrityError:
        numbers = ", ".join(f"{roll.round} of {roll.vault}" for roll in rolls)
        raise Inconsistent(
            f"chain {chain_id}: one of the rounds {numbers} was rolled already: an endpoint is wrong, or the chain "
            "changed. Nothing of the step was kept; check the endpoints"
        ) from None


def of_vault(connection: Connection, pool_id: int, before_block: int | None = None) -> list[RoundRolled]:
    """A vault's rolls in order."""
    below = "" if before_block is None else " AND block < :before"
    bound = {"pool_id": pool_id} if before_block is None else {"pool_id": pool_id, "before": before_block}
    return _rolls(connection, f"{_OF_POOL}{below} ORDER BY block, log_index", bound)


def within(connection: Connection, pool_id: int, span: Span) -> list[RoundRolled]:
    """The last roll before `span` (unix seconds), and those within it, in order."""
    before = f"{_OF_POOL} AND time < :start ORDER BY block DESC, log_index DESC LIMIT 1"
    inside = f"{_OF_POOL} AND time >= :start AND time < :end ORDER BY block, log_index"
    bound = {"pool_id": pool_id, "start": span.start}
    return _rolls(connection, before, bound) + _rolls(connection, inside, bound | {"end": span.end})


def latest(connection: Connection, pool_id: int, wanted: Wanted) -> list[RoundRolled]:
    """A vault's newest rolls, the newest first: they are nobody's."""
    return [_roll(row) for row in newest(connection, _SELECT, "pool_id", pool_id, wanted)]


def _rolls(connection: Connection, statement: str, bound: dict[str, int]) -> list[RoundRolled]:
    return [_roll(row) for row in connection.execute(text(statement), bound)]


def _roll(row: Any) -> RoundRolled:
    vault, block, log_index, time, number, price, minted, wrapped_minted, burned, yield_units, transaction_hash = row
    return RoundRolled(
        Address(vault),
        block,
        log_index,
        time,
        number,
        int(price),
        int(minted),
        int(wrapped_minted),
        int(burned),
        int(yield_units),
        bytes(transaction_hash),
    )
