"""Token transfers: the Transfers of followed ERC-20 tokens, by which shares and holdings are counted.

A log is one fact whoever asked for it: a coin that moved from one pool to another is told by both, and stored once.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.state import followed_tokens, providers
from loyalty.state.bulk import insert_rows
from loyalty.state.newest import Wanted, newest
from loyalty.state.reading import ROWS_A_FETCH
from loyalty.state.schema import token_transfers as table

_SELECT = (
    "SELECT followed_tokens.address, block, log_index, time, senders.address, recipients.address, units, "
    "transaction_hash FROM token_transfers AS facts JOIN followed_tokens ON followed_tokens.id = followed_token_id "
    "JOIN providers AS senders ON senders.id = sender_id JOIN providers AS recipients ON recipients.id = recipient_id"
)


def insert(connection: Connection, chain_id: int, transfers: Sequence[TokenTransfer]) -> list[TokenTransfer]:
    """Store the transfers of a span of blocks, given in order; returns those that were not stored already.

    Inconsistent where a stored one is another, or its token is not followed.
    """
    token_ids = followed_tokens.on_chain(connection, chain_id)
    if strangers := sorted({transfer.token for transfer in transfers} - token_ids.keys()):
        raise Inconsistent(f"chain {chain_id}: a transfer of {strangers[0]}, which is not a followed token")
    new = _new(connection, chain_id, transfers)
    people = providers.ids_of(connection, (end for each in new for end in (each.sender, each.recipient)))
    rows = (
        (
            chain_id,
            transfer.block,
            transfer.log_index,
            token_ids[transfer.token],
            transfer.time,
            people[transfer.sender],
            people[transfer.recipient],
            str(transfer.units),
            bytearray(transfer.transaction_hash),
        )
        for transfer in new
    )
    insert_rows(connection, table, rows)
    return new


def _new(connection: Connection, chain_id: int, transfers: Sequence[TokenTransfer]) -> list[TokenTransfer]:
    if not transfers:
        return []
    stored = _stored(connection, chain_id, transfers)
    new: list[TokenTransfer] = []
    for transfer in transfers:
        known = stored.get((transfer.block, transfer.log_index))
        if known is None:
            new.append(transfer)
        elif known != transfer:
            raise Inconsistent(
                f"chain {chain_id}, block {transfer.block}, log {transfer.log_index}: a transfer of {transfer.units} "
                f"units of {transfer.token} from {transfer.sender} to {transfer.recipient}, but stored is one of "
                f"{known.units} of {known.token} from {known.sender} to {known.recipient}: an endpoint is wrong, or "
                "the chain changed. Nothing of the step was kept; check the endpoints"
            )
    return new


def _stored(
    connection: Connection, chain_id: int, transfers: Sequence[TokenTransfer]
) -> dict[tuple[int, int], TokenTransfer]:
    """What is stored of the logs of these transfers, which are in order."""
    statement = text(f"{_SELECT} WHERE facts.chain_id = :chain_id AND block >= :first AND block <= :last")
    bound = {"chain_id": chain_id, "first": transfers[0].block, "last": transfers[-1].block}
    wanted = {(transfer.block, transfer.log_index) for transfer in transfers}
    rows = connection.execute(statement, bound)
    return {(row.block, row.log_index): _transfer(row) for row in rows if (row.block, row.log_index) in wanted}


def of_tokens(
    connection: Connection,
    followed_ids: Sequence[int],
    *,
    before_time: int | None = None,
    before_block: int | None = None,
    from_block: int = 0,
) -> Iterator[TokenTransfer]:
    """The transfers of these tokens (of one chain) in (block, log index) order, read as they are taken."""
    if not followed_ids:
        return
    limits = {"before_time": ("time", before_time), "before_block": ("block", before_block)}
    set_limits = {name: (column, limit) for name, (column, limit) in limits.items() if limit is not None}
    conditions = "".join(f" AND {column} < :{name}" for name, (column, _) in set_limits.items())
    statement = text(
        f"{_SELECT} WHERE followed_token_id IN :ids AND block >= :from_block{conditions} ORDER BY block, log_index"
    ).bindparams(bindparam("ids", expanding=True))
    bound = {
        "ids": list(followed_ids),
        "from_block": from_block,
        **{name: limit for name, (_, limit) in set_limits.items()},
    }
    rows = connection.execute(statement, bound, execution_options={"yield_per": ROWS_A_FETCH})
    try:
        for row in rows:
            yield _transfer(row)
    finally:
        rows.close()  # a cursor left half-read would keep its pooled connection on this snapshot


def latest(connection: Connection, followed_id: int, wanted: Wanted) -> list[TokenTransfer]:
    """A token's newest transfers, the newest first; of an account those that it sent or received."""
    ends = "(sender_id = :account OR recipient_id = :account)"
    return [_transfer(row) for row in newest(connection, _SELECT, "followed_token_id", followed_id, wanted, ends)]


def first_time(connection: Connection, followed_id: int) -> int | None:
    """The second of a token's first transfer; None where there is none."""
    statement = text("SELECT time FROM token_transfers WHERE followed_token_id = :id ORDER BY block, log_index LIMIT 1")
    found = connection.execute(statement, {"id": followed_id}).scalar()
    return None if found is None else int(found)


def _transfer(row: Any) -> TokenTransfer:
    token, block, log_index, time, sender, recipient, units, transaction_hash = row
    return TokenTransfer(
        Address(token),
        block,
        log_index,
        time,
        Address(sender),
        Address(recipient),
        int(units),
        bytes(transaction_hash),
    )
