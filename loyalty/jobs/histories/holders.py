"""Contracts that are looked through: who had their shares over a pool-day, and whose the position NFTs of stakers are.

Read beside every pool of their chain; which of them count, and in which order, the rules in force on the day say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from loyalty.accrual.behind import HeldShares
from loyalty.accrual.day import Cell
from loyalty.accrual.look_through import LookThrough
from loyalty.accrual.looked_through import added
from loyalty.accrual.shares import ShareChange
from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    LiquidityChange,
    PositionChange,
    PositionKey,
    PositionStake,
    PositionTransfer,
    TokenTransfer,
)
from loyalty.jobs.followers.nft_staker import KIND as NFT_STAKER
from loyalty.jobs.followers.nft_staker import staker_of
from loyalty.jobs.followers.shares import KIND as SHARES
from loyalty.program.rules import LookThroughRule, Rules
from loyalty.program.rules_text import rules_from_json
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.nft_stakers.ledger import StakedPositions
from loyalty.state import followed_contracts, position_stakes, program_config, token_transfers


@dataclass(frozen=True, slots=True)
class Holders:
    """A day's contracts in the order of passing on: `over` it, and at the end of what was folded."""

    over: tuple[LookThrough, ...] = ()
    now: tuple[HeldShares, ...] = ()

    @property
    def addresses(self) -> frozenset[Address]:
        return frozenset(each.contract for each in self.over)

    def before(self, end: int) -> list[LookThrough]:
        """With what changed earlier than the second `end`."""
        return [replace(each, changes=[change for change in each.changes if change.time < end]) for each in self.over]

    def with_unresolved(
        self, cells: Mapping[Address, Cell], unresolved: Mapping[Address, Cell]
    ) -> Mapping[Address, Cell]:
        """`cells`, and what stays with these contracts because nobody stands behind it: it is stored as their own, and
        earns nothing."""
        own = {contract: cell for contract, cell in unresolved.items() if contract in self.addresses}
        return added([cells, own]) if own else cells


NO_HOLDERS = Holders()


class HolderHistory:
    """Reads who has the shares of a chain's contracts, day by day in ascending order, in one pass."""

    def __init__(self, connection: Connection, chain_id: int) -> None:
        self._chain_id = chain_id
        rows = followed_contracts.on_chain(connection, chain_id)
        self._followed = {(row.kind, row.address) for row in rows}
        shares = [row for row in rows if row.kind == SHARES]
        tokens = {row.share_token: row.share_token_id for row in shares if row.share_token and row.share_token_id}
        self._ledgers = {token: ShareLedger(token) for token in tokens}
        self._source: Iterator[TokenTransfer] = token_transfers.of_tokens(connection, list(tokens.values()))
        self._next = next(self._source, None)

    def day(self, rules: Rules, start: int, end: int) -> Holders:
        """The contracts of `rules` over the seconds [start, end)."""
        contracts = look_through_rules(rules, self._chain_id)
        self._check(contracts)
        self._fold(start)
        tokens = {each.shares for each in contracts if each.shares is not None}
        before = {token: self._ledgers[token].balances() for token in tokens}
        changes = self._fold(end)
        over = (
            LookThrough(each.address, {}, [])
            if each.shares is None
            else LookThrough(each.address, before[each.shares], changes.get(each.shares, []))
            for each in contracts
        )
        now = (
            HeldShares(each.address, {} if each.shares is None else self._ledgers[each.shares].balances())
            for each in contracts
        )
        return Holders(tuple(over), tuple(now))

    def _check(self, contracts: Sequence[LookThroughRule]) -> None:
        for each in contracts:
            if (each.kind, each.address) not in self._followed:
                raise Inconsistent(
                    f"chain {self._chain_id}: {each.address} is looked through, but not followed yet: its chain has "
                    "not answered since the program file names it. It is asked again at the next turn"
                )

    def _fold(self, before_time: int) -> dict[Address, list[ShareChange]]:
        changes: dict[Address, list[ShareChange]] = {}
        while self._next is not None and self._next.time < before_time:
            moved = self._ledgers[self._next.token].apply(self._next)
            changes.setdefault(self._next.token, []).extend(ShareChange(*change) for change in moved)
            self._next = next(self._source, None)
        return changes


def look_through_rules(rules: Rules, chain_id: int) -> tuple[LookThroughRule, ...]:
    """Those of one chain, in the order of passing on."""
    return tuple(rule for rule in rules.look_through if rule.chain == chain_id)


Stakers = frozenset[Address]
"""The NFT stakers of one version of the rules."""


class StakerHistory:
    """Whose the positions in NFT stakers are, for every set of stakers that some version of the rules names.

    It must see each fact of the pool, from the first on, in order.
    """

    def __init__(self, connection: Connection, chain_id: int, rules: Rules) -> None:
        self._chain_id = chain_id
        self._staked = {
            stakers: StakedPositions(stakers) for stakers in _sets_of_stakers(connection, chain_id, rules) if stakers
        }

    def apply(
        self, fact: LiquidityChange | PositionTransfer | PositionStake, changes: Sequence[PositionChange]
    ) -> dict[Stakers, list[PositionChange]]:
        """`changes`, which `fact` made in the position ledger, by depositor."""
        return {stakers: staked.apply(fact, changes) for stakers, staked in self._staked.items()}

    def stakers(self, rules: Rules) -> Stakers:
        """Those of `rules`, as keys of what `apply` gives."""
        return _stakers(rules, self._chain_id)

    def positions(self, rules: Rules, positions: Mapping[PositionKey, int]) -> dict[PositionKey, int]:
        """The position ledger's positions, as they stand now, by depositor."""
        staked = self._staked.get(self.stakers(rules))
        return dict(positions) if staked is None else staked.positions(positions)


def stakes_of(connection: Connection, chain_id: int) -> Iterator[PositionStake]:
    """What the stakers of a chain logged, in (block, log index) order."""
    rows = followed_contracts.on_chain(connection, chain_id, NFT_STAKER)
    return position_stakes.of_stakers(connection, {row.id: staker_of(row).manager for row in rows})


def _sets_of_stakers(connection: Connection, chain_id: int, rules: Rules) -> set[Stakers]:
    stored = (rules_from_json(version.rules) for version in program_config.all_versions(connection))
    return {_stakers(each, chain_id) for each in (rules, *stored)}


def _stakers(rules: Rules, chain_id: int) -> Stakers:
    contracts = look_through_rules(rules, chain_id)
    return frozenset(each.address for each in contracts if each.kind == "nft_staker")
