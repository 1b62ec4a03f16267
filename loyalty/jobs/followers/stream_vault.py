"""Vaults with rounds in the index: events, rolls and share transfers; of bridged shares their transfers."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.kept_ledgers import KeptLedgers
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.stream_vault.adapter import SpanFacts, fold, read_span, read_transfers
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from loyalty.state import round_rolls, token_transfers, vault_events, vault_facts, vaults
from loyalty.state.engine import State
from loyalty.state.vaults import Vault

PROTOCOL = "stream_vault"


class Ledgers(NamedTuple):
    """Of the vaults whose rounds are on this chain, and of the shares that were bridged to it."""

    homes: Mapping[Address, VaultLedger]
    bridged: Mapping[Address, ShareLedger]


def vault_ledger(connection: Connection, vault: Vault, before_block: int | None = None) -> VaultLedger:
    """The ledger of a vault as the stored facts below a block say."""
    ledger = VaultLedger(vault.share_token, vault.share_decimals)
    fold({vault.share_token: ledger}, list(vault_facts.ledger_facts(connection, vault, before_block)))
    return ledger


def share_ledger(connection: Connection, vault: Vault, before_block: int | None = None) -> ShareLedger:
    """The ledger of a vault's share token alone, as the stored transfers below a block say."""
    ledger = ShareLedger(vault.share_token)
    for transfer in token_transfers.of_tokens(connection, [vault.share_token_id], before_block=before_block):
        ledger.apply(transfer)
    return ledger


class StreamVaultFollower:
    """One set of ledgers for the vaults that stand at the same block."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain
        self.kept: KeptLedgers[Ledgers] = KeptLedgers()

    def forget(self) -> None:
        self.kept.forget()

    async def begin(self, plan: Plan) -> "StreamVaultTurn":
        if (kept := self.kept.take(plan)) is not None:
            return StreamVaultTurn(self, plan, kept)
        with self.state.read() as connection:
            stored = [vaults.get(connection, pool_id) for pool_id in plan.ids]
            homes = {v.share_token: vault_ledger(connection, v, plan.start) for v in stored if v.home_pool_id is None}
            bridged = {v.share_token: share_ledger(connection, v, plan.start) for v in stored if v.home_pool_id}
        return StreamVaultTurn(self, plan, Ledgers(homes, bridged))


class StreamVaultTurn:
    """The vaults as they were stored before the span."""

    def __init__(self, follower: StreamVaultFollower, plan: Plan, ledgers: Ledgers) -> None:
        self._follower = follower
        self._plan = plan
        self._ledgers = ledgers
        self._end = 0
        self._found = SpanFacts([], [], [], [], 0)

    def read(self, span: Span) -> Conversation[int]:
        self._end = span.end
        found = yield from read_span(self._ledgers.homes, span)
        moved = yield from read_transfers(self._ledgers.bridged, span)
        transfers = sorted([*found.transfers, *moved], key=lambda transfer: (transfer.block, transfer.log_index))
        self._found = found._replace(transfers=transfers, logs_read=found.logs_read + len(moved))
        return self._found.logs_read

    def check(self) -> None:
        """Nothing more: each roll was held against the stakes that it turned into shares."""

    def store(self, connection: Connection) -> Counter[int]:
        found, chain_id = self._found, self._follower.chain.id
        pool_ids = {cursor.address: cursor.id for cursor in self._plan.cursors}
        vault_events.insert(connection, chain_id, pool_ids, found.events)
        round_rolls.insert(connection, chain_id, pool_ids, found.rolls)
        new = token_transfers.insert(connection, chain_id, found.transfers)
        return Counter(fact.block for told in (found.events, found.rolls, new) for fact in told)

    def keep(self) -> None:
        self._follower.kept.keep(self._plan.ids, self._end, self._ledgers)
