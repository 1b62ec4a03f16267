"""Vault events: what accounts did with vaults with rounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, TextClause, text

from loyalty.core.address import Address
from loyalty.core.facts import VaultEvent
from loyalty.state import providers
from loyalty.state.bulk import insert_rows
from loyalty.state.newest import Wanted, newest
from loyalty.state.reading import ROWS_A_FETCH
from loyalty.state.schema import vault_events as table

_SELECT = (
    "SELECT pools.address, block, log_index, time, kind, providers.address, units, round, transaction_hash "
    "FROM vault_events AS facts JOIN pools ON pools.id = pool_id JOIN providers ON providers.id = account_id"
)


def insert(connection: Connection, chain_id: int, pool_ids: Mapping[Address, int], events: Sequence[VaultEvent]) -> int:
    """Store events of known vaults; returns how many."""
    accounts = providers.ids_of(connection, (event.account for event in events))
    rows = (
        (
            chain_id,
            event.block,
            event.log_index,
            pool_ids[event.vault],
            event.time,
            event.kind,
            accounts[event.account],
            str(event.units),
            event.round,
            bytearray(event.transaction_hash),
        )
        for event in events
    )
    return insert_rows(connection, table, rows)


def of_vault(connection: Connection, pool_id: int, before_block: int | None = None) -> Iterator[VaultEvent]:
    """A vault's events in (block, log index) order, read as they are taken."""
    below = "" if before_block is None else " AND block < :before"
    statement = text(f"{_SELECT} WHERE facts.pool_id = :pool_id{below} ORDER BY block, log_index")
    bound = {"pool_id": pool_id} if before_block is None else {"pool_id": pool_id, "before": before_block}
    yield from _events(connection, statement, bound)


def unstakes(connection: Connection, pool_id: int, number: int, from_block: int) -> list[VaultEvent]:
    """The Unstakes that name a round, which began in `from_block`."""
    statement = text(
        f"{_SELECT} WHERE facts.pool_id = :pool_id AND block >= :from_block AND kind = 'unstake' AND round = :number "
        "ORDER BY block, log_index"
    )
    return list(_events(connection, statement, {"pool_id": pool_id, "number": number, "from_block": from_block}))


def latest(connection: Connection, pool_id: int, wanted: Wanted) -> list[VaultEvent]:
    """A vault's newest events, the newest first."""
    rows = newest(connection, _SELECT, "pool_id", pool_id, wanted, "facts.account_id = :account", has_kinds=True)
    return [_event(tuple(row)) for row in rows]


def _events(connection: Connection, statement: TextClause, bound: dict[str, int]) -> Iterator[VaultEvent]:
    rows = connection.execute(statement, bound, execution_options={"yield_per": ROWS_A_FETCH})
    try:
        for row in rows:
            yield _event(tuple(row))
    finally:
        rows.close()  # a cursor left half-read would keep its pooled connection on this snapshot


def _event(row: tuple[Any, ...]) -> VaultEvent:
    vault, block, log_index, time, kind, account, units, number, transaction_hash = row
    return VaultEvent(
        Address(vault),
        block,
        log_index,
        time,
        kind,
        Address(account),
        int(units),
        number,
        bytes(transaction_hash),
    )
