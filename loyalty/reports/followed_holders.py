"""What a provider has through contracts that are looked through: its shares of them over time, and their lines."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.day import Cell
from loyalty.core.address import Address, checksum
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.spans import Span
from loyalty.jobs.followers.shares import KIND as SHARES
from loyalty.jobs.histories.holders import Holders
from loyalty.program.explanation import PositionLine
from loyalty.protocols.erc20 import ShareLedger
from loyalty.reports.followed import Held, liquidity_spans
from loyalty.state import followed_contracts, token_transfers

HolderHistory = dict[Address, list[Held]]
"""By share token, what the provider had of it from each log on."""


def follow_holder(connection: Connection, chain_id: int, provider: Address) -> HolderHistory:
    """A fold over the shares of the chain's contracts, kept for one provider."""
    rows = followed_contracts.on_chain(connection, chain_id, SHARES)
    tokens = {row.share_token: row.share_token_id for row in rows if row.share_token and row.share_token_id}
    ledgers = {token: ShareLedger(token) for token in tokens}
    history: HolderHistory = {token: [] for token in tokens}
    for transfer in token_transfers.of_tokens(connection, list(tokens.values())):
        for change in ledgers[transfer.token].apply(transfer):
            if change.holder == provider:
                units = ledgers[transfer.token].balance(provider)
                history[transfer.token].append(Held(change.time, units, Checkpoint(transfer.block, transfer.log_index)))
    return history


def lines_behind(
    passed: Mapping[Address, Mapping[Address, Cell]],
    shares: Mapping[Address, Address | None],
    provider: Address,
    followed: HolderHistory,
    until: Span,
) -> Iterator[PositionLine]:
    """The provider's whole part of each contract's cell. `shares` has each contract's share token."""
    for contract, cells in passed.items():
        token = shares.get(contract)
        if token is not None and provider in cells:
            name = f"behind {checksum(contract)} (shares of {checksum(token)})"
            yield cell_line(name, cells[provider], followed.get(token, []), until)


def left_line(
    holders: Holders, unresolved: Mapping[Address, Cell], provider: Address, until: Span
) -> tuple[PositionLine, ...] | None:
    """Of a contract that is looked through, what nobody stands behind: all of its cell. None for anyone else."""
    if provider not in holders.addresses:
        return None
    cell = unresolved.get(provider)
    return () if cell is None else (cell_line("left with the contract: nobody stands behind", cell, [], until),)


def cell_line(name: str, cell: Cell, steps: list[Held], until: Span) -> PositionLine:
    """A part that is whole micro-dollar-days."""
    spans = liquidity_spans(steps, until)
    seconds = sum(each.span.length for each in spans)
    return PositionLine(
        name, None, None, spans, Fraction(cell.usd_micro_days), Fraction(cell.usd_micro_days_in_range), seconds
    )
