"""Providers: every address that facts speak of, stored once and referred to by id.

Position managers and the zero address are here too: who provides liquidity is seen in the balances, not here.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, bindparam, text

from loyalty.core.address import Address
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import providers as table

ADDRESSES_A_QUERY = 5_000


def ids_of(connection: Connection, addresses: Iterable[Address]) -> dict[Address, int]:
    """The ids of addresses; those that are new are stored, in the order given."""
    wanted = list(dict.fromkeys(addresses))
    known = _known(connection, wanted)
    new = [address for address in wanted if address not in known]
    if new:
        insert_rows(connection, table, ((address,) for address in new), ["address"])
        known |= _known(connection, new)
    return known


def _known(connection: Connection, addresses: Sequence[Address]) -> dict[Address, int]:
    statement = text("SELECT address, id FROM providers WHERE address IN :addresses")
    statement = statement.bindparams(bindparam("addresses", expanding=True))
    found: dict[Address, int] = {}
    for piece in _pieces(addresses):
        found.update(
            (Address(address), number) for address, number in connection.execute(statement, {"addresses": piece})
        )
    return found


def _pieces(addresses: Iterable[Address]) -> Iterator[list[Address]]:
    source = iter(addresses)
    while piece := list(islice(source, ADDRESSES_A_QUERY)):
        yield piece


def find(connection: Connection, address: Address) -> int | None:
    """The id of an address; None where no fact speaks of it."""
    return _known(connection, [address]).get(address)


def addresses(connection: Connection, ids: Iterable[int]) -> dict[int, Address]:
    """The addresses of these ids."""
    statement = text("SELECT id, address FROM providers WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
    wanted = sorted(set(ids))
    found: dict[int, Address] = {}
    for start in range(0, len(wanted), ADDRESSES_A_QUERY):
        rows = connection.execute(statement, {"ids": wanted[start : start + ADDRESSES_A_QUERY]})
        found.update((number, Address(address)) for number, address in rows)
    return found
