"""ERC-4626 vaults in the index: every transfer of their shares, and the exchanges that they logged."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.kept_ledgers import KeptLedgers
from loyalty.jobs.followers.stream_vault import share_ledger
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.erc4626.adapter import SpanFacts, read_span
from loyalty.state import asset_exchanges, token_transfers, vaults
from loyalty.state.engine import State

PROTOCOL = "erc4626"

Ledgers = Mapping[Address, ShareLedger]


class Erc4626Follower:
    """One set of ledgers for the vaults that stand at the same block."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain
        self.kept: KeptLedgers[Ledgers] = KeptLedgers()

    def forget(self) -> None:
        self.kept.forget()

    async def begin(self, plan: Plan) -> "Erc4626Turn":
        if (kept := self.kept.take(plan)) is not None:
            return Erc4626Turn(self, plan, kept)
        with self.state.read() as connection:
            stored = [vaults.get(connection, pool_id) for pool_id in plan.ids]
            ledgers = {each.share_token: share_ledger(connection, each, plan.start) for each in stored}
        return Erc4626Turn(self, plan, ledgers)


class Erc4626Turn:
    """The vaults as they were stored before the span."""

    def __init__(self, follower: Erc4626Follower, plan: Plan, ledgers: Ledgers) -> None:
        self._follower = follower
        self._plan = plan
        self._ledgers = ledgers
        self._end = 0
        self._found = SpanFacts([], [], 0)

    def read(self, span: Span) -> Conversation[int]:
        self._end = span.end
        self._found = yield from read_span(self._ledgers, span)
        return self._found.logs_read

    def check(self) -> None:
        """Nothing more: no holder has fallen below zero."""

    def store(self, connection: Connection) -> Counter[int]:
        found, chain_id = self._found, self._follower.chain.id
        pool_ids = {cursor.address: cursor.id for cursor in self._plan.cursors}
        asset_exchanges.insert(connection, chain_id, pool_ids, found.exchanges)
        new = token_transfers.insert(connection, chain_id, found.transfers)
        return Counter(fact.block for told in (found.exchanges, new) for fact in told)

    def keep(self) -> None:
        self._follower.kept.keep(self._plan.ids, self._end, self._ledgers)
