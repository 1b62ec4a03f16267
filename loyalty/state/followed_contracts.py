"""Followed contracts: what is indexed beside pools: share tokens and NFT stakers to look through, feeds."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict
from loyalty.state import followed_tokens


class FollowedContract(NamedTuple):
    """A contract as stored. `share_token` is what its holders hold, of the kind "shares"; `detail` JSON that its kind
    gives a meaning."""

    id: int
    chain_id: int
    kind: str
    address: Address
    share_token: Address | None
    share_token_id: int | None
    detail: str | None
    start_block: int
    next_block: int


_SELECT = (
    "SELECT contracts.id, contracts.chain_id, kind, contracts.address, followed_tokens.address, share_token_id, "
    "detail, start_block, next_block FROM followed_contracts AS contracts "
    "LEFT JOIN followed_tokens ON followed_tokens.id = share_token_id"
)


def ensure(
    connection: Connection,
    chain_id: int,
    kind: str,
    address: Address,
    start_block: int,
    share_token: Address | None = None,
    detail: str | None = None,
) -> FollowedContract:
    """The contract, stored where it is new with its cursor at `start_block`.

    Conflict, naming both, where what is stored of it is another: facts hang on it.
    """
    stored = find(connection, chain_id, kind, address)
    if stored is None:
        return _add(connection, chain_id, kind, address, start_block, share_token, detail)
    for name, known, wanted in (
        ("shares", stored.share_token, share_token),
        ("events or decimals", stored.detail, detail),
        ("start_block", stored.start_block, start_block),
    ):
        if known != wanted:
            raise Conflict(
                f"{kind} {address} on chain {chain_id}: {name} is {wanted} here, but {known} in the database, whose "
                "facts hang on it. Correct the program file, or use a new database"
            )
    return stored


def _add(
    connection: Connection,
    chain_id: int,
    kind: str,
    address: Address,
    start_block: int,
    share_token: Address | None,
    detail: str | None,
) -> FollowedContract:
    ids = followed_tokens.ids_of(connection, chain_id, [share_token] if share_token else [])
    statement = text(
        "INSERT INTO followed_contracts (chain_id, kind, address, share_token_id, detail, start_block, next_block) "
        "VALUES (:chain_id, :kind, :address, :share_token_id, :detail, :start_block, :start_block)"
    )
    bound = {
        "chain_id": chain_id,
        "kind": kind,
        "address": address,
        "share_token_id": ids[share_token] if share_token else None,
        "detail": detail,
        "start_block": start_block,
    }
    connection.execute(statement, bound)
    return next(each for each in on_chain(connection, chain_id, kind) if each.address == address)


def find(connection: Connection, chain_id: int, kind: str, address: Address) -> FollowedContract | None:
    """The contract of a kind at an address; None where there is none."""
    return next((each for each in on_chain(connection, chain_id, kind) if each.address == address), None)


def on_chain(connection: Connection, chain_id: int, kind: str | None = None) -> list[FollowedContract]:
    """Every followed contract of a chain (of one kind), by id."""
    of_kind = "" if kind is None else " AND kind = :kind"
    statement = text(f"{_SELECT} WHERE contracts.chain_id = :chain_id{of_kind} ORDER BY contracts.id")
    bound = {"chain_id": chain_id} if kind is None else {"chain_id": chain_id, "kind": kind}
    return [FollowedContract(*row) for row in connection.execute(statement, bound)]
