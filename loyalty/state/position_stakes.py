"""Position stakes: who deposited which position token in an NFT staker, as its logs say."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, bindparam, text

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.facts import PositionStake, PositionToken
from loyalty.state import providers
from loyalty.state.bulk import insert_rows
from loyalty.state.reading import ROWS_A_FETCH
from loyalty.state.schema import position_stakes as table

_SELECT = (
    "SELECT contract_id, contracts.address, block, log_index, time, token_id, providers.address, transaction_hash "
    "FROM position_stakes AS facts JOIN followed_contracts AS contracts ON contracts.id = contract_id "
    "LEFT JOIN providers ON providers.id = depositor_id"
)


def insert(
    connection: Connection, chain_id: int, contract_ids: Mapping[Address, int], stakes: Sequence[PositionStake]
) -> int:
    """Store the stakes of followed stakers; returns how many."""
    accounts = providers.ids_of(connection, (each.account for each in stakes if each.account != ZERO_ADDRESS))
    rows = (
        (
            chain_id,
            stake.block,
            stake.log_index,
            contract_ids[stake.staker],
            stake.time,
            str(stake.token.token_id),
            accounts.get(stake.account),
            bytearray(stake.transaction_hash),
        )
        for stake in stakes
    )
    return insert_rows(connection, table, rows)


def of_stakers(connection: Connection, managers: Mapping[int, Address]) -> Iterator[PositionStake]:
    """The stakes of stakers of one chain in (block, log index) order, read as they are taken.

    `managers` has, by the staker's id, the position manager whose tokens it holds.
    """
    if not managers:
        return
    statement = text(f"{_SELECT} WHERE contract_id IN :ids ORDER BY block, log_index").bindparams(
        bindparam("ids", expanding=True)
    )
    rows = connection.execute(statement, {"ids": list(managers)}, execution_options={"yield_per": ROWS_A_FETCH})
    try:
        for contract_id, staker, block, log_index, time, token_id, account, transaction_hash in rows:
            yield PositionStake(
                Address(staker),
                block,
                log_index,
                time,
                PositionToken(managers[contract_id], int(token_id)),
                Address(account) if account is not None else ZERO_ADDRESS,
                bytes(transaction_hash),
            )
    finally:
        rows.close()  # a cursor left half-read would keep its pooled connection on this snapshot
