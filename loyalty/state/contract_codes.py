"""Contract codes: whether code lay at a provider's address on a chain when it was last looked at."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.state import providers


class Looked(NamedTuple):
    """What was found at an address, and when (unix seconds)."""

    is_contract: bool
    checked_time: int


def on_chain(connection: Connection, chain_id: int) -> dict[Address, Looked]:
    """Every address that was looked at on a chain."""
    statement = text(
        "SELECT address, is_contract, checked_time FROM contract_codes JOIN providers ON providers.id = provider_id "
        "WHERE chain_id = :chain_id ORDER BY provider_id"
    )
    rows = connection.execute(statement, {"chain_id": chain_id})
    return {Address(address): Looked(bool(is_contract), time) for address, is_contract, time in rows}


def contracts(connection: Connection) -> set[tuple[int, Address]]:
    """Every contract, with its chain."""
    statement = text(
        "SELECT chain_id, address FROM contract_codes JOIN providers ON providers.id = provider_id "
        "WHERE is_contract = :yes"
    )
    return {(chain_id, Address(address)) for chain_id, address in connection.execute(statement, {"yes": True})}


def store(connection: Connection, chain_id: int, found: Mapping[Address, bool], now: int) -> None:
    """What was found now, in the place of what was found before."""
    statement = text(
        "INSERT INTO contract_codes (chain_id, provider_id, is_contract, checked_time) "
        "VALUES (:chain_id, :provider_id, :is_contract, :now) ON CONFLICT (chain_id, provider_id) "
        "DO UPDATE SET is_contract = excluded.is_contract, checked_time = excluded.checked_time"
    )
    ids = providers.ids_of(connection, found)
    rows = [
        {"chain_id": chain_id, "provider_id": ids[address], "is_contract": is_contract, "now": now}
        for address, is_contract in found.items()
    ]
    if rows:
        connection.execute(statement, rows)
