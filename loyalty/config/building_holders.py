"""From the contracts that a document looks through to the same with every default filled in."""

from collections.abc import Mapping

from loyalty.config.checks_holders import DEPOSIT
from loyalty.config.entries import Document, LookThroughTable
from loyalty.config.program import LookThroughSettings, PoolSettings
from loyalty.core.address import Address


def built_look_through(
    document: Document, ids: Mapping[str, int], pools: tuple[PoolSettings, ...]
) -> tuple[LookThroughSettings, ...]:
    """In the order of the file, which is the order of passing on."""
    return tuple(_contract(document, entry, ids, pools) for entry in document.look_through)


def _contract(
    document: Document, entry: LookThroughTable, ids: Mapping[str, int], pools: tuple[PoolSettings, ...]
) -> LookThroughSettings:
    is_start_written = entry.start_block is not None
    start_block = _first_block(entry.chain, pools) if entry.start_block is None else entry.start_block
    if entry.kind is None:
        return LookThroughSettings(
            ids[entry.chain],
            entry.chain,
            entry.address,
            entry.shares,
            "shares",
            start_block,
            is_start_written=is_start_written,
        )
    return LookThroughSettings(
        chain_id=ids[entry.chain],
        chain=entry.chain,
        address=entry.address,
        shares=None,
        kind="nft_staker",
        start_block=start_block,
        manager=entry.position_manager or _only_manager(document, entry.chain),
        deposit=entry.deposit or DEPOSIT,
        withdraw=entry.withdraw,
        is_start_written=is_start_written,
    )


def _first_block(chain: str, pools: tuple[PoolSettings, ...]) -> int:
    """From here on a pool of the chain is indexed; nothing is credited before."""
    return min((pool.start_block for pool in pools if pool.chain == chain), default=0)


def _only_manager(document: Document, chain: str) -> Address:
    return next(each.position_managers[0].address for each in document.chains if each.name == chain)
