"""Round starts: who held a vault's shares when each round began, on all chains, from stored facts; each kept once."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.facts import RoundRolled
from loyalty.core.times import day_of, time_text
from loyalty.jobs.scoring.holders_at import HoldersAt
from loyalty.jobs.scoring.score_rules import Term
from loyalty.program.rules import Rules
from loyalty.protocols.vaults.holders import SharesAt, shares_at
from loyalty.protocols.vaults.stream_vault.bridged import GroupStart, join_chains
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultLedger
from loyalty.state import (
    StateTransaction,
    blocks,
    chains,
    cursors,
    providers,
    round_rolls,
    rounds,
    token_transfers,
    vault_facts,
    vaults,
)
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow
from loyalty.state.rounds import RoundRow
from loyalty.state.vaults import Vault

ROUNDS_A_FOLD = 50
"""Every holder of so many rounds is in memory at once."""


class Group(NamedTuple):
    """A vault, its shares on other chains, and by chain id the last block up to which each is indexed."""

    home: Vault
    others: tuple[Vault, ...]
    heads: dict[int, Header]

    @property
    def head(self) -> Header | None:
        """The vault's own."""
        return self.heads.get(self.home.pool.chain_id)

    def waits_for(self, connection: Connection, roll: RoundRolled) -> str | None:
        """The chain on which a share could still have moved by the roll, as a reason; None where all are past it."""
        for each in (self.home, *self.others):
            head = self.heads.get(each.pool.chain_id)
            reached = head is not None and (head.number >= roll.block if each is self.home else head.time > roll.time)
            if not reached:
                known = chains.get(connection, each.pool.chain_id)
                return f"{known.name} is not indexed past {time_text(roll.time)}, when the round began"
        return None

    def rewound(self, connection: Connection) -> bool:
        """Whether one of the chains has lost its last block since. A final one may be thinned out, never rewound."""
        return any(_lost(connection, chain_id, head) for chain_id, head in self.heads.items())


def group_of(connection: Connection, home: Vault) -> Group:
    """The vault's group as it is indexed now."""
    others = tuple(vaults.deployments_of(connection, home.pool.id))
    found = {each.pool.chain_id: _indexed_to(connection, each.pool) for each in (home, *others)}
    return Group(home, others, {chain_id: head for chain_id, head in found.items() if head is not None})


def keep_round_starts(state: State, pool: PoolRow, pool_terms: Sequence[Term]) -> None:
    """Store the starts of the program's rounds that are not stored yet: facts are folded only where one is missing."""
    while True:
        with state.read() as connection:
            group = group_of(connection, vaults.get(connection, pool.id))
            missing = sorted(_missing(connection, group, pool_terms))[:ROUNDS_A_FOLD]
            starts = round_starts(connection, group, missing, pool_terms) if missing else []
        if not starts or not all(_kept(state, group, start) for start in starts):
            return


def _kept(state: State, group: Group, start: GroupStart) -> bool:
    """One round's start, as one step; False, with nothing written, where one of its chains was rewound meanwhile."""
    with StateTransaction(state) as connection:
        if group.rewound(connection):
            return False
        row, shares = stored_start(group.home.pool.id, start)
        ids = providers.ids_of(connection, shares)
        rounds.write(connection, row, {ids[address]: units for address, units in shares.items()})
    return True


def stored_start(pool_id: int, start: GroupStart) -> tuple[RoundRow, dict[Address, int]]:
    """A round's start as it is stored."""
    home = start.start
    row = RoundRow(
        pool_id,
        home.round,
        home.time,
        home.block,
        home.log_index,
        home.price_per_share,
        start.unclaimed_shares,
        start.in_flight_shares,
    )
    return row, start.shares


def _missing(connection: Connection, group: Group, pool_terms: Sequence[Term]) -> set[int]:
    """The rounds of the program's days that have no start yet and whose chains are all past it."""
    stored = rounds.of_pool(connection, group.home.pool.id)
    return {
        roll.round + 1
        for roll in round_rolls.of_vault(connection, group.home.pool.id)
        if roll.round + 1 not in stored
        and any(term.on(day_of(roll.time)) for term in pool_terms)
        and group.waits_for(connection, roll) is None
    }


def round_starts(
    connection: Connection, group: Group, wanted: Collection[int], pool_terms: Sequence[Term]
) -> list[GroupStart]:
    """The starts of the rounds `wanted`, in order: one pass over each chain's facts. All chains are past them.

    Shares that contracts hold for others are those of whoever stands behind, by the rules of the day.
    """
    starts = _starts(connection, group, wanted)
    rules = [_rules_on(pool_terms, start.time) for start in starts]
    if not starts:
        return []
    others = {other.pool.chain_id: _shares_there(connection, group, other, starts, rules) for other in group.others}
    behind = HoldersAt(connection, group.home.pool.chain_id, group.heads[group.home.pool.chain_id].number + 1)
    return [
        join_chains(
            _looked_through(behind, start, rules[place]), {chain: told[place] for chain, told in others.items()}
        )
        for place, start in enumerate(starts)
    ]


def _rules_on(pool_terms: Sequence[Term], time: int) -> Rules:
    return next(term.rules for term in pool_terms if term.on(day_of(time)))


def _looked_through(behind: HoldersAt, start: RoundStart, rules: Rules) -> RoundStart:
    """What nobody stands behind is unclaimed, and so is what rounding leaves."""
    shares = behind.at_log(rules, start.shares, (start.vault,), start.block, start.log_index)
    left = sum(start.shares.values()) - sum(shares.values())
    return start._replace(shares=shares, unclaimed_shares=start.unclaimed_shares + left)


def _shares_there(
    connection: Connection, group: Group, other: Vault, starts: Sequence[RoundStart], rules: Sequence[Rules]
) -> list[SharesAt]:
    """The holders on another chain at each start."""
    before_block = group.heads[other.pool.chain_id].number + 1
    transfers = token_transfers.of_tokens(connection, [other.share_token_id], before_block=before_block)
    behind = HoldersAt(connection, other.pool.chain_id, before_block)
    found = shares_at(other.share_token, transfers, [start.time for start in starts])
    return [
        each._replace(shares=behind.at_time(its_rules, each.shares, (other.share_token,), each.time))
        for each, its_rules in zip(found, rules, strict=True)
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
    """No further than the contracts are that are looked through."""
    next_block = cursors.counted_to(connection, pool.chain_id, pool.next_block)
    return blocks.at_or_before(connection, pool.chain_id, next_block - 1)


def _lost(connection: Connection, chain_id: int, head: Header) -> bool:
    final_block = chains.get(connection, chain_id).finalized_block
    final = final_block is not None and head.number <= final_block
    return not final and not blocks.has(connection, chain_id, head.number, head.hash)
