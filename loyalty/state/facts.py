"""Facts: stored once, never edited; forgotten only where the chain itself forgot them (a reorg).

Their key is (chain, block, log index). One chain's facts are ordered by (block, log index), never by time.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import IntegrityError

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, NotFound
from loyalty.core.facts import LiquidityChange, PositionTransfer, Swap
from loyalty.state import liquidity, providers, transfers
from loyalty.state import swaps as swaps_table
from loyalty.state.reading import FactSelection
from loyalty.state.swaps import has, last_price, price_before, swap_prices, swaps

__all__ = [
    "delete_above",
    "has",
    "insert",
    "last_price",
    "ledger_facts",
    "price_before",
    "swap_prices",
    "swaps",
]

TABLES = (
    "swaps",
    "liquidity_changes",
    "position_transfers",
    "token_transfers",
    "position_stakes",
    "vault_events",
    "round_rolls",
    "asset_exchanges",
    "oracle_answers",
    "pool_ticks",
    "share_answers",
)


def insert(
    connection: Connection,
    chain_id: int,
    pool_ids: Mapping[Address, int],
    swaps: Sequence[Swap],
    changes: Sequence[LiquidityChange],
    transferred: Sequence[PositionTransfer],
) -> int:
    """Store what a span of blocks said; returns how many facts. Inconsistent where one of them is stored already."""
    provider_ids = providers.ids_of(connection, _addresses(changes, transferred))
    try:
        return (
            swaps_table.insert(connection, chain_id, pool_ids, swaps)
            + liquidity.insert(connection, chain_id, pool_ids, provider_ids, changes)
            + transfers.insert(connection, chain_id, pool_ids, provider_ids, transferred)
        )
    except KeyError as unknown:
        raise Inconsistent(f"chain {chain_id}: a fact of {unknown}, which is not a pool of this step") from None
    except IntegrityError as error:
        raise Inconsistent(
            f"chain {chain_id}: a fact of this step is stored already, or its pool is not: {error.orig}. "
            "Nothing of the step was kept"
        ) from None


def _addresses(changes: Sequence[LiquidityChange], transferred: Sequence[PositionTransfer]) -> list[Address]:
    owners = [change.owner for change in changes]
    return owners + [
        address for transfer in transferred for address in (transfer.token.manager, transfer.sender, transfer.recipient)
    ]


def ledger_facts(
    connection: Connection,
    pool_ids: Sequence[int],
    *,
    before_time: int | None = None,
    from_time: int | None = None,
) -> Iterator[LiquidityChange | PositionTransfer]:
    """Liquidity and ownership of pools of one chain in (block, log index) order, read as they are taken."""
    chain_id = _chain_of(connection, pool_ids)
    if chain_id is None:
        return
    selection = FactSelection(chain_id, tuple(pool_ids), from_time, before_time)
    changed: Iterator[LiquidityChange | PositionTransfer] = liquidity.changes(connection, selection)
    transferred: Iterator[LiquidityChange | PositionTransfer] = transfers.transfers(connection, selection)
    yield from merge(changed, transferred, key=lambda fact: (fact.block, fact.log_index))


def _chain_of(connection: Connection, pool_ids: Sequence[int]) -> int | None:
    """The one chain of these pools; None without pools."""
    if not pool_ids:
        return None
    statement = text("SELECT id, chain_id FROM pools WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
    rows = connection.execute(statement, {"ids": list(pool_ids)})
    chain_of = {int(row.id): int(row.chain_id) for row in rows}
    if missing := sorted(set(pool_ids) - set(chain_of)):
        raise NotFound(f"pools {missing} are not in the database")
    if len(chains := sorted(set(chain_of.values()))) > 1:
        raise Inconsistent(f"facts of chains {chains} have no common order: read one chain at a time")
    return chains[0]


def delete_above(connection: Connection, chain_id: int, block: int) -> int:
    """Forget every fact of the chain above `block`; returns how many."""
    bound = {"chain_id": chain_id, "block": block}
    deleted = 0
    for table in TABLES:
        statement = text(f"DELETE FROM {table} WHERE chain_id = :chain_id AND block > :block")
        deleted += connection.execute(statement, bound).rowcount
    return deleted
