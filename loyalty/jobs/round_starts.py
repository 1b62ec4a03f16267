"""Round starts: who held a vault's shares when each round began, on all chains, from the stored facts."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.checkpoint import Header
from loyalty.core.times import time_text
from loyalty.protocols.vaults.holders import SharesAt, shares_at
from loyalty.protocols.vaults.stream_vault.bridged import GroupStart, join_chains
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultLedger
from loyalty.state import blocks, chains, token_transfers, vault_facts, vaults
from loyalty.state.pools import PoolRow
from loyalty.state.vaults import Vault


class Group(NamedTuple):
    """A vault, its shares on other chains, and by chain id the last block up to which each is indexed."""

    home: Vault
    others: tuple[Vault, ...]
    heads: dict[int, Header]

    @property
    def head(self) -> Header | None:
        """The vault's own."""
        return self.heads.get(self.home.pool.chain_id)

    def waits_for(self, connection: Connection, time: int) -> str | None:
        """The chain on which a share could still have moved by `time`, as a reason; None where all are past it."""
        for other in self.others:
            head = self.heads.get(other.pool.chain_id)
            if head is None or head.time <= time:
                known = chains.get(connection, other.pool.chain_id)
                return f"{known.name} is not indexed past {time_text(time)}, when the round began"
        return None

    def rewound(self, connection: Connection) -> bool:
        """Whether one of the chains has lost its last block since. A final one may be thinned out, never rewound."""
        return any(_lost(connection, chain_id, head) for chain_id, head in self.heads.items())


def group_of(connection: Connection, home: Vault) -> Group:
    """The vault's group as it is indexed now."""
    others = tuple(vaults.deployments_of(connection, home.pool.id))
    found = {each.pool.chain_id: _indexed_to(connection, each.pool) for each in (home, *others)}
    return Group(home, others, {chain_id: head for chain_id, head in found.items() if head is not None})


def round_starts(connection: Connection, group: Group, wanted: Collection[int]) -> list[GroupStart]:
    """The starts of the rounds `wanted`, in order: one pass over each chain's facts. All chains are past them."""
    starts = _starts(connection, group, wanted)
    times = [start.time for start in starts]
    held: dict[int, list[SharesAt]] = {
        other.pool.chain_id: shares_at(
            other.share_token,
            token_transfers.of_tokens(
                connection,
                [other.share_token_id],
                before_block=group.heads[other.pool.chain_id].number + 1,
            ),
            times,
        )
        for other in (group.others if starts else ())
    }
    return [
        join_chains(start, {chain_id: answers[place] for chain_id, answers in held.items()})
        for place, start in enumerate(starts)
    ]


def _starts(connection: Connection, group: Group, wanted: Collection[int]) -> list[RoundStart]:
    if group.head is None:
        return []
    ledger = VaultLedger(group.home.share_token, group.home.share_decimals)
    found = []
    for fact in vault_facts.ledger_facts(connection, group.home, group.head.number + 1):
        start = ledger.apply(fact)
        if start is not None and start.round in wanted:
            found.append(start)
    return found


def _indexed_to(connection: Connection, pool: PoolRow) -> Header | None:
    return blocks.at_or_before(connection, pool.chain_id, pool.next_block - 1)


def _lost(connection: Connection, chain_id: int, head: Header) -> bool:
    final_block = chains.get(connection, chain_id).finalized_block
    final = final_block is not None and head.number <= final_block
    return not final and not blocks.has(connection, chain_id, head.number, head.hash)
