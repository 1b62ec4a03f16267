"""Uniswap V3: a pool-day's positions, swaps and changes, read from the stored facts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge

from sqlalchemy import Connection

from loyalty.accrual.behind import behind
from loyalty.accrual.day import Cell, ConcentratedDay, TokenScale
from loyalty.accrual.owned import OwnedDay, accrue_owned
from loyalty.accrual.value import position_value, usd_micro_of
from loyalty.core.address import Address
from loyalty.core.facts import (
    LiquidityChange,
    PoolPrice,
    PositionChange,
    PositionKey,
    PositionStake,
    PositionTransfer,
)
from loyalty.core.spans import Span
from loyalty.core.times import day_span
from loyalty.jobs.histories.history import Balance
from loyalty.jobs.histories.holders import NO_HOLDERS, HolderHistory, Holders, StakerHistory, Stakers, stakes_of
from loyalty.jobs.histories.pool_prices import PoolPrices, Priced
from loyalty.program.rules import Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import facts, tokens
from loyalty.state.pools import PoolRow


@dataclass(frozen=True, slots=True)
class UniswapInputs:
    """Who held what, at which pool price.

    `positions` and `price` are those at span.start, `positions_after` those at the end of what was folded. Positions in
    NFT stakers are their depositors'; `holders` are the other contracts that are looked through.
    """

    day: int
    span: Span
    price: PoolPrice | None
    positions: Mapping[PositionKey, int]
    changes: Sequence[PositionChange]
    swaps: Sequence[PoolPrice]
    positions_after: Mapping[PositionKey, int]
    scale0: TokenScale
    scale1: TokenScale
    holders: Holders = NO_HOLDERS

    @property
    def has_liquidity(self) -> bool:
        """Whether anyone, excluded or not, held liquidity at any moment."""
        return any(self.positions.values()) or any(change.liquidity_delta > 0 for change in self.changes)

    @property
    def last_price(self) -> PoolPrice | None:
        return self.swaps[-1] if self.swaps else self.price

    def concentrated(self, priced: Priced) -> ConcentratedDay:
        """The pure input of the accrual over the priced part of the day."""
        end = priced.until.end
        steps0, steps1 = priced.steps
        return ConcentratedDay(
            span=priced.until,
            price=self.price,
            positions=self.positions,
            swaps=[swap for swap in self.swaps if swap.time < end],
            changes=[change for change in self.changes if change.time < end],
            steps0=steps0,
            steps1=steps1,
            scale0=self.scale0,
            scale1=self.scale1,
        )

    def believed(self, priced: Priced) -> Priced:
        """Nothing is told that could be contradicted."""
        return priced

    def owned(self, priced: Priced) -> OwnedDay:
        """The credits over the priced part of the day, and what contracts passed on."""
        return accrue_owned(self.concentrated(priced), self.holders.before(priced.until.end))

    def cells(self, priced: Priced) -> Mapping[Address, Cell]:
        if not priced.until:
            return {}
        found = self.owned(priced)
        return self.holders.with_unresolved(found.cells, found.unresolved)

    def balances(self, priced: Priced) -> Mapping[Address, Balance]:
        """Nothing before the pool's Initialize: nothing has a value there."""
        price = self.last_price
        if price is None or not priced.last:
            return {}
        usd: dict[Address, int] = {}
        in_range: dict[Address, int] = {}
        price0, price1 = priced.last
        for position, liquidity in self.positions_after.items():
            owner, lower, upper, _ = position
            value = position_value(liquidity, lower, upper, price, price0, price1, self.scale0, self.scale1)
            usd[owner] = usd.get(owner, 0) + value.usd_raw
            in_range[owner] = in_range.get(owner, 0) + (value.usd_raw if value.in_range else 0)
        scales, now = (self.scale0, self.scale1), self.holders.now
        all_, counted = (behind(_exact(each), now) for each in (usd, in_range))
        return {
            owner: Balance(usd_micro_of(int(all_[owner]), *scales), usd_micro_of(int(counted.get(owner, 0)), *scales))
            for owner in all_
        }


def _exact(units: Mapping[Address, int]) -> dict[Address, Fraction]:
    return {owner: Fraction(each) for owner, each in units.items()}


class UniswapHistory:
    """Reads a pool's days in ascending order, in one pass over its liquidity and ownership."""

    def __init__(self, connection: Connection, rules: Rules, pool: PoolRow, managers: Collection[Address]) -> None:
        self._connection = connection
        self._pool = pool
        self._ledger = Ledger(managers)
        self._stakers = StakerHistory(connection, pool.chain_id, rules)
        self._holders = HolderHistory(connection, pool.chain_id)
        stakes = stakes_of(connection, pool.chain_id)
        self._stream = _Stream(facts.ledger_facts(connection, [pool.id]), stakes, self._stakers)
        rows = {row.id: row for row in tokens.all_tokens(connection)}
        self.prices = PoolPrices(connection, rules, (rows[pool.token0_id], rows[pool.token1_id]))

    def day(self, day: int, until_time: int | None = None) -> UniswapInputs:
        """The inputs of `day`, whole or up to the second `until_time`; days must be asked for in ascending order."""
        whole = day_span(day)
        span = whole if until_time is None else Span(whole.start, until_time)
        folded = Span(whole.start, whole.end if until_time is None else until_time + 1)
        rules = self.prices.rules
        self._stream.fold(self._ledger, whole.start)
        positions = self._positions()
        changes = self._stream.fold(self._ledger, folded.end)
        scale0, scale1 = self.prices.scales
        return UniswapInputs(
            day=day,
            span=span,
            price=facts.price_before(self._connection, self._pool.id, whole.start),
            positions=positions,
            changes=changes.by(self._stakers.stakers(rules)),
            swaps=facts.swap_prices(self._connection, self._pool.id, folded),
            positions_after=self._positions(),
            scale0=scale0,
            scale1=scale1,
            holders=self._holders.day(rules, folded.start, folded.end),
        )

    def _positions(self) -> dict[PositionKey, int]:
        return self._stakers.positions(self.prices.rules, self._ledger.positions(self._pool.address))


class _Changes:
    """What a stretch of facts changed, in order: by owner, and by depositor for each set of stakers."""

    def __init__(self) -> None:
        self._found: dict[Stakers, list[PositionChange]] = {frozenset(): []}

    def add(self, changes: Sequence[PositionChange], staked: Mapping[Stakers, Sequence[PositionChange]]) -> None:
        for stakers, each in {frozenset(): changes, **staked}.items():
            self._found.setdefault(stakers, []).extend(each)

    def by(self, stakers: Stakers) -> list[PositionChange]:
        return self._found.get(stakers, [])


class _Stream:
    """The pool's liquidity and ownership and the chain's stakes in order, taken up to a second at a time."""

    def __init__(
        self,
        source: Iterator[LiquidityChange | PositionTransfer],
        stakes: Iterator[PositionStake],
        stakers: StakerHistory,
    ) -> None:
        self._source: Iterator[LiquidityChange | PositionTransfer | PositionStake] = merge(
            source, stakes, key=lambda fact: (fact.block, fact.log_index)
        )
        self._stakers = stakers
        self._next = next(self._source, None)

    def fold(self, ledger: Ledger, before_time: int) -> _Changes:
        """Fold everything earlier than `before_time` into the ledger; the changes it made."""
        changes = _Changes()
        while self._next is not None and self._next.time < before_time:
            made = [] if isinstance(self._next, PositionStake) else ledger.apply(self._next)
            changes.add(made, self._stakers.apply(self._next, made))
            self._next = next(self._source, None)
        return changes
