"""Vaults: a pool-day's shares, read from the stored facts of a vault or of its bridged shares."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.behind import behind
from loyalty.accrual.day import Cell, TokenScale
from loyalty.accrual.gauged import GaugedDay, accrue_gauged
from loyalty.accrual.shares import PerShareDay, ShareChange, Shares, SupplyChange, per_share_scale
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.spans import Span
from loyalty.core.times import day_span
from loyalty.jobs.histories.history import Balance
from loyalty.jobs.histories.holders import NO_HOLDERS, HolderHistory, Holders
from loyalty.jobs.histories.pool_prices import PoolPrices, Priced
from loyalty.jobs.histories.share_worth import AnswerWorth, RollWorth, ShareWorth
from loyalty.program.rules import Rules
from loyalty.protocols.vaults.holdings import Holdings, PlainHoldings, RoundHoldings, Standing
from loyalty.protocols.vaults.stream_vault.ledger import VaultFact
from loyalty.state import tokens, vault_facts, vaults
from loyalty.state.pools import PoolRow
from loyalty.state.vaults import Vault


@dataclass(slots=True)
class Changes:
    """What a stretch of facts changed, each in (block, log index) order."""

    shares: list[ShareChange] = field(default_factory=list)
    supply: list[SupplyChange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VaultInputs:
    """Who had shares: `start` at span.start, `changes` from there, `after` at the end of what was folded."""

    day: int
    span: Span
    vault: Vault
    start: Standing
    changes: Changes
    after: Standing
    scale: TokenScale
    holders: Holders = NO_HOLDERS

    @property
    def has_liquidity(self) -> bool:
        """Whether any share existed at any moment."""
        return self.start.supply > 0 or any(change.delta > 0 for change in self.changes.supply)

    @property
    def nobody(self) -> frozenset[Address]:
        """What the share's own contract holds is owed to others, or nobody's."""
        return frozenset({self.vault.share_token})

    def shares(self, end: int) -> Shares:
        """Holders and supply up to the second `end`."""
        return Shares(
            self.start.balances,
            self.start.supply,
            [change for change in self.changes.shares if change.time < end],
            [change for change in self.changes.supply if change.time < end],
        )

    def per_share(self, priced: Priced) -> PerShareDay:
        """The pure input of the accrual over the priced part of the day."""
        steps, worth = priced.steps
        shares = self.shares(priced.until.end)
        return PerShareDay(priced.until, shares, self.vault.share_decimals, worth, steps, self.scale, self.nobody)

    @property
    def credit_scale(self) -> int:
        return per_share_scale(self.vault.share_decimals, self.scale)

    def believed(self, priced: Priced) -> Priced:
        """Nothing is told that could be contradicted."""
        return priced

    def looked_through(self, priced: Priced) -> GaugedDay:
        """The credits over the priced part of the day, direct and behind each contract: a vault has no gauges."""
        return accrue_gauged(self.per_share(priced), (), self.holders.before(priced.until.end))

    def cells(self, priced: Priced) -> Mapping[Address, Cell]:
        """Shares always count as in range."""
        if not priced.until:
            return {}
        found = self.looked_through(priced)
        return self.holders.with_unresolved(found.cells, found.unresolved)

    def balances(self, priced: Priced) -> Mapping[Address, Balance]:
        """Nothing while the asset has no price or a share no worth."""
        if not priced.last:
            return {}
        price, per_share = priced.last
        held = {holder: Fraction(units) for holder, units in self.after.balances.items()}
        each = Fraction(per_share * price * 10**USD_DECIMALS, self.credit_scale)
        worth = {
            holder: usd_micro(int(units * each))
            for holder, units in behind(held, self.holders.now, self.nobody).items()
        }
        return {holder: Balance(usd, usd) for holder, usd in worth.items()}


class VaultHistory:
    """Reads a vault's days in ascending order, in one pass over its facts."""

    def __init__(self, connection: Connection, rules: Rules, pool: PoolRow, _managers: Collection[Address]) -> None:
        self._vault = vaults.get(connection, pool.id)
        self._holdings = holdings_of(self._vault)
        self._source: Iterator[VaultFact] = vault_facts.ledger_facts(connection, self._vault)
        self._next = next(self._source, None)
        self._holders = HolderHistory(connection, pool.chain_id)
        asset = next(row for row in tokens.all_tokens(connection) if row.id == pool.token0_id)
        first_share = None if self._next is None else self._next.time
        self.prices = PoolPrices(connection, rules, [asset], worth_of(connection, self._vault, first_share))

    def day(self, day: int, until_time: int | None = None) -> VaultInputs:
        """The inputs of `day`, whole or up to the second `until_time`; days must be asked for in ascending order."""
        whole = day_span(day)
        self._fold(whole.start)
        start = self._holdings.standing()
        end = whole.end if until_time is None else until_time + 1
        changes = self._fold(end)
        span = whole if until_time is None else Span(whole.start, until_time)
        (scale,) = self.prices.scales
        holders = self._holders.day(self.prices.rules, whole.start, end)
        return VaultInputs(day, span, self._vault, start, changes, self._holdings.standing(), scale, holders)

    def _fold(self, before_time: int) -> Changes:
        """Fold everything earlier than `before_time`; the changes it made."""
        changes = Changes()
        while self._next is not None and self._next.time < before_time:
            self._apply(self._next, changes)
            self._next = next(self._source, None)
        return changes

    def _apply(self, fact: VaultFact, changes: Changes) -> None:
        supply = self._holdings.supply
        changes.shares += [ShareChange(*change) for change in self._holdings.apply(fact)]
        if delta := self._holdings.supply - supply:
            changes.supply.append(SupplyChange(fact.time, delta))


def holdings_of(vault: Vault) -> Holdings:
    """Who has its shares: with rounds, what is owed counts too."""
    if vault.pool.protocol == "stream_vault" and vault.home_pool_id is None:
        return RoundHoldings(vault.share_token, vault.share_decimals)
    return PlainHoldings(vault.share_token)


def worth_of(connection: Connection, vault: Vault, first_share: int | None) -> ShareWorth:
    """The rounds of a vault give the price of its shares, wherever they were bridged to."""
    if vault.pool.protocol == "stream_vault":
        return RollWorth(connection, vault.home_pool_id or vault.pool.id)
    return AnswerWorth(connection, vault.pool.id, "price per share", first_share)
