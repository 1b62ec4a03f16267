"""Position transfers: who owned which position token, when."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.facts import PositionToken, PositionTransfer
from loyalty.state.bulk import insert_rows
from loyalty.state.reading import FactSelection, stream
from loyalty.state.schema import position_transfers as table


def insert(
    connection: Connection,
    chain_id: int,
    pool_ids: Mapping[Address, int],
    provider_ids: Mapping[Address, int],
    transfers: Iterable[PositionTransfer],
) -> int:
    """Store transfers of tokens of known pools between known addresses; returns how many."""
    rows = (
        (
            chain_id,
            transfer.block,
            transfer.log_index,
            pool_ids[transfer.pool],
            transfer.time,
            provider_ids[transfer.token.manager],
            str(transfer.token.token_id),
            provider_ids[transfer.sender],
            provider_ids[transfer.recipient],
            bytearray(transfer.transaction_hash),
        )
        for transfer in transfers
    )
    return insert_rows(connection, table, rows)


def transfers(connection: Connection, selection: FactSelection) -> Iterator[PositionTransfer]:
    """The selected transfers in (block, log index) order, read as they are taken."""
    rows = stream(
        connection,
        "SELECT pools.address, block, log_index, time, managers.address, token_id, senders.address, "
        "recipients.address, transaction_hash FROM position_transfers AS facts "
        "JOIN pools ON pools.id = facts.pool_id JOIN providers AS managers ON managers.id = facts.manager_id "
        "JOIN providers AS senders ON senders.id = facts.sender_id "
        "JOIN providers AS recipients ON recipients.id = facts.recipient_id",
        selection,
    )
    for pool, block, log_index, time, manager, token_id, sender, recipient, transaction_hash in rows:
        yield PositionTransfer(
            Address(pool),
            block,
            log_index,
            time,
            PositionToken(Address(manager), int(token_id)),
            Address(sender),
            Address(recipient),
            bytes(transaction_hash),
        )
