"""Tokens: their scales, fixed once stored, for everything stored in units hangs on them."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict
from loyalty.program.rules import Token


class TokenRow(NamedTuple):
    """A token as stored; `chain_id` is 0 and `address` None where the program file gives none."""

    id: int
    symbol: str
    chain_id: int
    address: Address | None
    decimals: int
    price_decimals: int


_SELECT = "SELECT id, symbol, chain_id, address, decimals, price_decimals FROM tokens"


def ensure(connection: Connection, token: Token) -> int:
    """The id of the token, stored where it is new. Conflict, naming both, where it contradicts what is stored."""
    wanted = (token.symbol, token.chain, token.address, token.decimals, token.price_decimals)
    stored = connection.execute(text(f"{_SELECT} WHERE symbol = :symbol"), {"symbol": token.symbol}).first()
    if stored is None:
        return _add(connection, wanted)
    if tuple(stored)[1:] != wanted:
        raise Conflict(f"{_told(*wanted)} contradicts the database, where it is {_told(*tuple(stored)[1:])}")
    return int(stored.id)


def _add(connection: Connection, wanted: tuple[str, int, Address | None, int, int]) -> int:
    statement = text(
        "INSERT INTO tokens (symbol, chain_id, address, decimals, price_decimals) "
        "VALUES (:symbol, :chain_id, :address, :decimals, :price_decimals) RETURNING id"
    )
    return int(connection.execute(statement, dict(zip(TokenRow._fields[1:], wanted, strict=True))).scalar_one())


def _told(symbol: str, chain_id: int, address: str | None, decimals: int, price_decimals: int) -> str:
    place = f"{address} on chain {chain_id}" if address else "without an address"
    return f"token {symbol} ({place}, {decimals} decimals, {price_decimals} price decimals)"


def all_tokens(connection: Connection) -> list[TokenRow]:
    """Every token, by id."""
    return [TokenRow(*row) for row in connection.execute(text(f"{_SELECT} ORDER BY id"))]


def ids(connection: Connection) -> dict[str, int]:
    """Each token's id by its symbol."""
    return {token.symbol: token.id for token in all_tokens(connection)}
