"""Curve: a pool-day's shares and holdings, read from the stored transfers of its LP token, gauges and coins."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.accrual.day import Cell, TokenScale
from loyalty.accrual.gauged import GaugedDay, Holdings, accrue_gauged, lp_units_of, shares_usd_micro
from loyalty.accrual.look_through import Backing, LookThrough
from loyalty.accrual.shares import Coin, HoldingsChange, PerShareDay, ShareChange, ShareDay, Shares, SupplyChange
from loyalty.accrual.told_worth import VIRTUAL_PRICE_DECIMALS, first_deviation, told_day
from loyalty.core.address import Address
from loyalty.core.facts import TokenTransfer
from loyalty.core.spans import Span
from loyalty.core.times import day_span
from loyalty.jobs.histories.history import Balance
from loyalty.jobs.histories.holders import NO_HOLDERS, HolderHistory, Holders
from loyalty.jobs.histories.pool_prices import PoolPrices, Priced
from loyalty.jobs.histories.share_worth import AnswerWorth
from loyalty.program.rules import PoolKey, Rules
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool
from loyalty.state import share_pools, token_transfers
from loyalty.state.pools import PoolRow


@dataclass(frozen=True, slots=True)
class Standing:
    """Who holds what at a moment: LP tokens, their supply, each gauge's tokens, and the pool its coins in order."""

    balances: Mapping[Address, int]
    supply: int
    gauges: Mapping[Address, Mapping[Address, int]]
    units: Sequence[int]


@dataclass(slots=True)
class Changes:
    """What a stretch of facts changed, each in (block, log index) order."""

    shares: list[ShareChange] = field(default_factory=list)
    supply: list[SupplyChange] = field(default_factory=list)
    gauges: dict[Address, list[ShareChange]] = field(default_factory=dict)
    holdings: list[HoldingsChange] = field(default_factory=list)

    def before(self, end: int) -> "Changes":
        return Changes(
            [change for change in self.shares if change.time < end],
            [change for change in self.supply if change.time < end],
            {gauge: [change for change in each if change.time < end] for gauge, each in self.gauges.items()},
            [change for change in self.holdings if change.time < end],
        )


class Told(NamedTuple):
    """LP tokens are worth their virtual price times the cheapest of these coins, no further than `limit` from what the
    pool holds."""

    pegs: tuple[int, ...]
    limit: Fraction


@dataclass(frozen=True, slots=True)
class CurveInputs:
    """Who held what of the pool: `start` at span.start, `changes` from there, `after` at the end of what was folded."""

    day: int
    span: Span
    pool: CurvePool
    start: Standing
    changes: Changes
    after: Standing
    scales: Sequence[TokenScale]
    told: Told | None = None
    holders: Holders = NO_HOLDERS

    @property
    def has_liquidity(self) -> bool:
        """Whether any LP token existed at any moment."""
        return self.start.supply > 0 or any(change.delta > 0 for change in self.changes.supply)

    @property
    def nobody(self) -> frozenset[Address]:
        """Holders that are no providers: what lies in the pool or the LP token itself can never be withdrawn."""
        return frozenset({self.pool.pool, self.pool.lp_token})

    def gauged(self, priced: Priced) -> GaugedDay:
        """The credits over the priced part of the day, direct and behind each gauge and each other contract."""
        changes = self.changes.before(priced.until.end)
        gauges = [self._look_through(gauge, changes) for gauge in self.pool.gauges]
        return accrue_gauged(self.share_day(priced, changes), gauges, self.holders.before(priced.until.end))

    def believed(self, priced: Priced) -> Priced:
        """Up to the first moment at which what the pool tells is too far from what it holds."""
        if self.told is None or not priced.until:
            return priced
        changes = self.changes.before(priced.until.end)
        held, told = self._held_day(priced, changes), self.share_day(priced, changes)
        assert isinstance(told, PerShareDay)  # `told` is given
        found = first_deviation(held, told, self.told.limit)
        return priced if found is None else priced.before(found.time, found.text)

    def cells(self, priced: Priced) -> Mapping[Address, Cell]:
        if not priced.until:
            return {}
        found = self.gauged(priced)
        return self.holders.with_unresolved(found.cells, found.unresolved)

    def balances(self, priced: Priced) -> Mapping[Address, Balance]:
        """Nothing while a coin has no price at all; Curve liquidity always counts as in range."""
        if not priced.last:
            return {}
        held = lp_units_of(self.after.balances, self.after.gauges, self.nobody, self.holders.now)
        worth = shares_usd_micro(held, self._worth_now(priced))
        return {holder: Balance(usd_micro, usd_micro) for holder, usd_micro in worth.items()}

    def _worth_now(self, priced: Priced) -> Holdings:
        """What the pool holds, or, where it tells, as much of one asset as it says."""
        if self.told is None:
            return Holdings(self.after.units, priced.last, self.scales, self.after.supply)
        *prices, virtual_price = priced.last
        cheapest = min(self.told.pegs, key=lambda peg: Fraction(prices[peg], 10 ** self.scales[peg].price_decimals))
        price, decimals = prices[cheapest], self.scales[cheapest].price_decimals
        asset = TokenScale(2 * VIRTUAL_PRICE_DECIMALS, decimals)
        return Holdings([self.after.supply * virtual_price], [price], [asset], self.after.supply)

    def share_day(self, priced: Priced, changes: Changes) -> ShareDay | PerShareDay:
        """The pure input of the accrual."""
        held = self._held_day(priced, changes)
        return held if self.told is None else told_day(held, priced.steps[-1], self.told.pegs)

    def _held_day(self, priced: Priced, changes: Changes) -> ShareDay:
        coins = zip(self.start.units, priced.steps, self.scales, strict=False)
        return ShareDay(
            span=priced.until,
            shares=Shares(self.start.balances, self.start.supply, changes.shares, changes.supply),
            coins=[Coin(units, steps, scale) for units, steps, scale in coins],
            holdings_changes=changes.holdings,
            nobody=self.nobody,
        )

    def _look_through(self, gauge: Address, changes: Changes) -> LookThrough:
        staked = [SupplyChange(change.time, change.delta) for change in changes.shares if change.holder == gauge]
        backing = Backing(self.start.balances.get(gauge, 0), staked)
        return LookThrough(gauge, self.start.gauges[gauge], changes.gauges.get(gauge, []), backing)


class CurveHistory:
    """Reads a pool's days in ascending order, in one pass over its transfers."""

    def __init__(self, connection: Connection, rules: Rules, pool: PoolRow, _managers: Collection[Address]) -> None:
        stored = share_pools.get(connection, pool.id)
        contracts = tuple(address for address, _ in stored.coins)
        self._pool = CurvePool(pool.address, stored.lp_token, contracts, stored.gauges)
        self._ledger = CurveLedger([self._pool])
        self._source: Iterator[TokenTransfer] = token_transfers.of_tokens(connection, stored.followed)
        self._next = next(self._source, None)
        self._key = PoolKey(pool.chain_id, pool.address)
        self._holders = HolderHistory(connection, pool.chain_id)
        first_share = token_transfers.first_time(connection, stored.followed[0])
        self._worth = AnswerWorth(connection, pool.id, "virtual price", first_share)
        self.prices = PoolPrices(connection, rules, [token for _, token in stored.coins])

    def day(self, day: int, until_time: int | None = None) -> CurveInputs:
        """The inputs of `day`, whole or up to the second `until_time`; days must be asked for in ascending order."""
        whole = day_span(day)
        told = self._told()
        self.prices.worth = None if told is None else self._worth
        self._fold(whole.start)
        start = self._standing()
        end = whole.end if until_time is None else until_time + 1
        changes = self._fold(end)
        span = whole if until_time is None else Span(whole.start, until_time)
        holders = self._holders.day(self.prices.rules, whole.start, end)
        return CurveInputs(day, span, self._pool, start, changes, self._standing(), self.prices.scales, told, holders)

    def _told(self) -> Told | None:
        """As the rules in force say; None where LP tokens are worth what the pool holds."""
        rule = next((rule for rule in self.prices.rules.pools if rule.pool == self._key), None)
        if rule is None or rule.max_deviation is None:
            return None
        symbols = [row.symbol for row in self.prices.tokens]
        peg = rule.value.removeprefix("peg:")
        pegs = (symbols.index(peg),) if peg in symbols else tuple(range(len(symbols)))
        return Told(pegs, rule.max_deviation)

    def _standing(self) -> Standing:
        lp_token = self._ledger.shares(self._pool.lp_token)
        gauges = {gauge: self._ledger.shares(gauge).balances() for gauge in self._pool.gauges}
        units = tuple(self._ledger.holdings(self._pool.pool).values())
        return Standing(lp_token.balances(), lp_token.supply, gauges, units)

    def _fold(self, before_time: int) -> Changes:
        """Fold everything earlier than `before_time` into the ledger; the changes it made."""
        changes = Changes()
        while self._next is not None and self._next.time < before_time:
            self._apply(self._next, changes)
            self._next = next(self._source, None)
        return changes

    def _apply(self, transfer: TokenTransfer, changes: Changes) -> None:
        supply = self._ledger.shares(self._pool.lp_token).supply
        moved = [ShareChange(*change) for change in self._ledger.apply(transfer)]
        if transfer.token == self._pool.lp_token:
            changes.shares += moved
            if delta := self._ledger.shares(self._pool.lp_token).supply - supply:
                changes.supply.append(SupplyChange(transfer.time, delta))
        elif transfer.token in self._pool.gauges:
            changes.gauges.setdefault(transfer.token, []).extend(moved)
        if transfer.token in self._pool.coins:
            delta = transfer.units * ((transfer.recipient == self._pool.pool) - (transfer.sender == self._pool.pool))
            if delta:
                changes.holdings.append(HoldingsChange(transfer.time, self._pool.coins.index(transfer.token), delta))
