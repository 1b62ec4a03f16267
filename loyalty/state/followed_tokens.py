"""Followed tokens: the ERC-20 contracts whose Transfers are facts: LP tokens, gauges, coins of pools with shares."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from loyalty.core.address import Address


def ids_of(connection: Connection, chain_id: int, addresses: Iterable[Address]) -> dict[Address, int]:
    """The ids of contracts; those that are new are stored, in the order given."""
    statement = text(
        "INSERT INTO followed_tokens (chain_id, address) VALUES (:chain_id, :address) "
        "ON CONFLICT (chain_id, address) DO NOTHING"
    )
    wanted = list(dict.fromkeys(addresses))
    known = on_chain(connection, chain_id)
    new = [{"chain_id": chain_id, "address": address} for address in wanted if address not in known]
    if new:
        connection.execute(statement, new)
        known = on_chain(connection, chain_id)
    return {address: known[address] for address in wanted}


def on_chain(connection: Connection, chain_id: int) -> dict[Address, int]:
    """The id of every followed contract of a chain."""
    statement = text("SELECT address, id FROM followed_tokens WHERE chain_id = :chain_id ORDER BY id")
    return {Address(address): number for address, number in connection.execute(statement, {"chain_id": chain_id})}
