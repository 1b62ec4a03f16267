"""Contracts with shares in the index: every transfer of the tokens by which their holders are known."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.facts import TokenTransfer
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.stream_vault.adapter import read_transfers
from loyalty.state import followed_contracts, token_transfers
from loyalty.state.engine import State

KIND = "shares"

Ledgers = Mapping[Address, ShareLedger]


class _Kept(NamedTuple):
    contract_ids: tuple[int, ...]
    next_block: int
    ledgers: Ledgers


def share_ledger(connection: Connection, token: Address, token_id: int, before_block: int | None = None) -> ShareLedger:
    """Who holds how many of a followed token, as the stored transfers below a block say."""
    ledger = ShareLedger(token)
    for transfer in token_transfers.of_tokens(connection, [token_id], before_block=before_block):
        ledger.apply(transfer)
    return ledger


class SharesFollower:
    """One set of ledgers for the share tokens of a turn; two contracts can have the same one."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain
        self._kept: _Kept | None = None

    def forget(self) -> None:
        self._kept = None

    def keep(self, plan: Plan, next_block: int, ledgers: Ledgers) -> None:
        self._kept = _Kept(plan.ids, next_block, ledgers)

    async def begin(self, plan: Plan) -> "SharesTurn":
        kept, self._kept = self._kept, None
        if kept is not None and (kept.contract_ids, kept.next_block) == (plan.ids, plan.start):
            return SharesTurn(self, plan, kept.ledgers)
        with self.state.read() as connection:
            rows = followed_contracts.on_chain(connection, self.chain.id, KIND)
            tokens = {
                row.share_token: row.share_token_id
                for row in rows
                if row.id in plan.ids and row.share_token is not None and row.share_token_id is not None
            }
            ledgers = {token: share_ledger(connection, token, tokens[token], plan.start) for token in tokens}
        return SharesTurn(self, plan, ledgers)


class SharesTurn:
    """The share tokens as they were stored before the span."""

    def __init__(self, follower: SharesFollower, plan: Plan, ledgers: Ledgers) -> None:
        self._follower = follower
        self._plan = plan
        self._ledgers = ledgers
        self._end = 0
        self._transfers: list[TokenTransfer] = []

    def read(self, span: Span) -> Conversation[int]:
        self._end = span.end
        self._transfers = yield from read_transfers(self._ledgers, span)
        return len(self._transfers)

    def check(self) -> None:
        """Nothing more: no holder has fallen below zero."""

    def store(self, connection: Connection) -> Counter[int]:
        """A pool may have told some of them already."""
        new = token_transfers.insert(connection, self._follower.chain.id, self._transfers)
        return Counter(transfer.block for transfer in new)

    def keep(self) -> None:
        self._follower.keep(self._plan, self._end, self._ledgers)
