"""Holders at a moment: whose shares are that a contract holds for others, when a round begins."""

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.behind import HeldShares, behind
from loyalty.core.address import Address
from loyalty.core.facts import TokenTransfer
from loyalty.jobs.followers.shares import KIND
from loyalty.program.rules import Rules
from loyalty.protocols.erc20 import ShareLedger
from loyalty.state import followed_contracts, token_transfers


class HoldersAt:
    """Looks shares through the contracts of one chain, moment by moment in ascending order, in one pass."""

    def __init__(self, connection: Connection, chain_id: int, before_block: int) -> None:
        self._chain_id = chain_id
        rows = [row for row in followed_contracts.on_chain(connection, chain_id) if row.kind == KIND]
        tokens = {row.share_token: row.share_token_id for row in rows if row.share_token and row.share_token_id}
        self._ledgers = {token: ShareLedger(token) for token in tokens}
        source = token_transfers.of_tokens(connection, list(tokens.values()), before_block=before_block)
        self._source: Iterator[TokenTransfer] = source
        self._next = next(self._source, None)

    def at_log(
        self, rules: Rules, shares: Mapping[Address, int], nobody: Collection[Address], block: int, log_index: int
    ) -> dict[Address, int]:
        """Whose `shares` are right after a log."""
        while self._next is not None and (self._next.block, self._next.log_index) <= (block, log_index):
            self._fold(self._next)
        return self._behind(rules, shares, nobody)

    def at_time(
        self, rules: Rules, shares: Mapping[Address, int], nobody: Collection[Address], time: int
    ) -> dict[Address, int]:
        """Whose `shares` are after the last block with a timestamp up to `time`."""
        while self._next is not None and self._next.time <= time:
            self._fold(self._next)
        return self._behind(rules, shares, nobody)

    def _fold(self, transfer: TokenTransfer) -> None:
        self._ledgers[transfer.token].apply(transfer)
        self._next = next(self._source, None)

    def _behind(self, rules: Rules, shares: Mapping[Address, int], nobody: Collection[Address]) -> dict[Address, int]:
        """Rounded down for each holder; what is left is nobody's, as what nobody stands behind is."""
        contracts = [
            HeldShares(rule.address, {} if rule.shares is None else self._ledgers[rule.shares].balances())
            for rule in rules.look_through
            if rule.chain == self._chain_id and (rule.shares is None or rule.shares in self._ledgers)
        ]
        if not contracts:
            return dict(shares)
        amounts = {holder: Fraction(units) for holder, units in shares.items()}
        found = {holder: int(amount) for holder, amount in behind(amounts, contracts, nobody).items()}
        return {holder: units for holder, units in sorted(found.items()) if units}
