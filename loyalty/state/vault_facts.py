"""Vault facts: everything that a vault's ledger folds, in one order."""

from collections.abc import Iterator
from heapq import merge

from sqlalchemy import Connection

from loyalty.core.facts import RoundRolled, TokenTransfer, VaultEvent
from loyalty.state import round_rolls, token_transfers, vault_events
from loyalty.state.vaults import Vault


def ledger_facts(
    connection: Connection, vault: Vault, before_block: int | None = None
) -> Iterator[VaultEvent | RoundRolled | TokenTransfer]:
    """A vault's events, rolls and share transfers in (block, log index) order, read as they are taken."""
    events: Iterator[VaultEvent | RoundRolled | TokenTransfer] = vault_events.of_vault(
        connection, vault.pool.id, before_block
    )
    moved: Iterator[VaultEvent | RoundRolled | TokenTransfer] = token_transfers.of_tokens(
        connection, [vault.share_token_id], before_block=before_block
    )
    rolls = iter(round_rolls.of_vault(connection, vault.pool.id, before_block))
    yield from merge(events, rolls, moved, key=lambda fact: (fact.block, fact.log_index))
