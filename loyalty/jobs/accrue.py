"""Accrue: every pool-day that is not closed yet is computed from the stored facts and prices."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.accrual.day import ConcentratedDay, PriceStep, TokenScale, accrue_concentrated, cells
from loyalty.accrual.series import Missing, steps_in_force
from loyalty.accrual.value import position_value, usd_micro_of
from loyalty.core.address import Address
from loyalty.core.errors import Conflict
from loyalty.core.facts import LiquidityChange, PoolPrice, PositionChange, PositionKey, PositionTransfer
from loyalty.core.spans import Span
from loyalty.core.times import day_of, day_span, day_text, time_text
from loyalty.program.rules import Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import StateTransaction, balances, blocks, days, facts, pools, prices, providers, tokens
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow
from loyalty.state.tokens import TokenRow

OPEN, CLOSED, EMPTY, UNPRICED = "open", "closed", "empty", "unpriced"
"""A pool-day still running; over and counted; over without liquidity of anyone (its prices are not used); over, but a price is missing."""


class AsOf(NamedTuple):
    """The block up to which a pool is indexed."""

    block: int
    time: int
    hash: str


class Accrued(NamedTuple):
    """What a run computed: closed pool-days, and those that wait for a price."""

    closed: int
    unpriced: int
    open: int


@dataclass(frozen=True, slots=True)
class DayResult:
    """One computed pool-day, not written yet."""

    day: int
    status: str
    reason: str | None
    as_of: AsOf
    cells: Mapping[Address, tuple[int, int]]
    balances: Mapping[Address, tuple[int, int]] | None = None


@dataclass(slots=True)
class Accruer:
    """Computes pool-days in order, carrying the positions from midnight to midnight."""

    state: State
    rules: Rules
    managers: frozenset[Address]
    grid_tokens: frozenset[str] = frozenset()
    stopping: Callable[[], bool] = lambda: False

    def run(self) -> Accrued:
        """Every pool-day of the program that is not closed, up to where its pool is indexed."""
        with self.state.read() as connection:
            rows = pools.all_pools(connection)
        counts = {OPEN: 0, CLOSED: 0, EMPTY: 0, UNPRICED: 0}
        for pool in rows:
            for result in self._pool(pool):
                counts[result.status] += 1
        return Accrued(counts[CLOSED] + counts[EMPTY], counts[UNPRICED], counts[OPEN])

    def _pool(self, pool: PoolRow) -> Iterator[DayResult]:
        with self.state.read() as connection:
            as_of = indexed_to(connection, pool)
            if as_of is None:
                return
            todo = days_to_do(connection, self.rules, pool, as_of)
            if not todo:
                return
            inputs = DayInputs(connection, self.rules, pool, self.managers, self.grid_tokens)
            for day in inputs.sweep(todo, as_of):
                if self.stopping():
                    return
                self._write(pool, day)
                yield day

    def _write(self, pool: PoolRow, result: DayResult) -> None:
        """One pool-day, as one step; Conflict where the chain was rewound while it was computed."""
        with StateTransaction(self.state) as connection:
            if not blocks.has(connection, pool.chain_id, result.as_of.block, result.as_of.hash):
                raise Conflict(
                    f"pool {pool.address} on {day_text(result.day)}: block {result.as_of.block} was rewound while the day was "
                    "computed; it is computed again at the next turn"
                )
            ids = providers.ids_of(connection, [*result.cells, *(result.balances or {})])
            rows = {ids[address]: cell for address, cell in result.cells.items()}
            days.write(
                connection,
                pool.id,
                result.day,
                result.status,
                result.reason,
                result.as_of.block,
                result.as_of.time,
                rows,
            )
            if result.balances is not None:
                current = {ids[address]: value for address, value in result.balances.items()}
                balances.replace(connection, pool.id, current, result.as_of.block, result.as_of.time)


def indexed_to(connection: Connection, pool: PoolRow) -> AsOf | None:
    """The last stored block below the pool's cursor: every log up to its second has been indexed."""
    header = blocks.at_or_before(connection, pool.chain_id, pool.next_block - 1)
    return None if header is None else AsOf(header.number, header.time, header.hash)


def counted_days(rules: Rules, pool: PoolRow) -> Span:
    """The days of the program on which the pool is part of it."""
    whole = Span(day_of(rules.start), day_of(rules.end))
    rule = next((rule for rule in rules.pools if rule.pool == (pool.chain_id, pool.address)), None)
    if rule is None:
        return Span(whole.start, whole.start)
    from_day = whole.start if rule.from_day is None else rule.from_day
    until_day = whole.end if rule.until_day is None else rule.until_day
    return whole.intersect(Span(from_day, until_day))


def days_to_do(connection: Connection, rules: Rules, pool: PoolRow, as_of: AsOf) -> list[int]:
    """The pool's days that have begun and are not closed, in order."""
    states = days.states(connection, pool.id)
    begun = counted_days(rules, pool).intersect(Span(0, day_of(as_of.time) + 1))
    waiting = (
        day
        for day in range(begun.start, begun.end)
        if states.get(day) is None or states[day].status in (OPEN, UNPRICED)
    )
    return [day for day in waiting if not _unchanged(states.get(day), as_of)]


def _unchanged(state: days.PoolDay | None, as_of: AsOf) -> bool:
    """Whether an open day was already computed up to this very block, with all its prices."""
    return state is not None and state.status == OPEN and state.reason is None and state.as_of_block == as_of.block


@dataclass(slots=True)
class DayInputs:
    """Reads what a pool's days depend on, in one ordered pass over its liquidity and ownership."""

    connection: Connection
    rules: Rules
    pool: PoolRow
    managers: frozenset[Address]
    grid_tokens: frozenset[str]

    def sweep(self, todo: list[int], as_of: AsOf) -> Iterator[DayResult]:
        """The results of the days `todo` (ascending), with the current balances on a day that is still running."""
        ledger = Ledger(self.managers)
        stream = _Stream(facts.ledger_facts(self.connection, [self.pool.id]))
        for day in todo:
            span = day_span(day)
            stream.fold(ledger, span.start)
            yield self._day(day, span, as_of, ledger, stream)

    def _day(self, day: int, span: Span, as_of: AsOf, ledger: Ledger, stream: "_Stream") -> DayResult:
        closing = as_of.time >= span.end
        positions = dict(ledger.positions(self.pool.address))
        changes = stream.fold(ledger, span.end if closing else as_of.time + 1)
        swaps = facts.swap_prices(
            self.connection, self.pool.id, Span(span.start, span.end if closing else as_of.time + 1)
        )
        price = facts.price_before(self.connection, self.pool.id, span.start)
        if closing:
            as_of = self._closing_block(span.end)
        if not any(positions.values()) and not any(change.liquidity_delta > 0 for change in changes):
            return DayResult(day, EMPTY if closing else OPEN, None, as_of, {}, None if closing else {})
        until = span if closing else Span(span.start, as_of.time)
        steps = self._steps(until, closing)
        if isinstance(steps, str):
            if closing:
                return DayResult(day, UNPRICED, steps, as_of, {})
            return DayResult(day, OPEN, steps, as_of, {})
        steps0, steps1 = steps
        scale0, scale1 = self._scales()
        inside = [change for change in changes if change.time < until.end]
        concentrated = ConcentratedDay(
            until,
            price,
            positions,
            [swap for swap in swaps if swap.time < until.end],
            inside,
            steps0,
            steps1,
            scale0,
            scale1,
        )
        credited = cells(accrue_concentrated(concentrated), scale0, scale1)
        if closing:
            return DayResult(day, CLOSED, None, as_of, credited)
        last = swaps[-1] if swaps else price
        current = self._balances(ledger.positions(self.pool.address), last, steps0[-1], steps1[-1])
        return DayResult(day, OPEN, None, as_of, credited, current)

    def _closing_block(self, day_end: int) -> AsOf:
        """The first stored block at or after midnight: a day does not hang on anything later."""
        header = blocks.first_at_or_after_time(self.connection, self.pool.chain_id, day_end)
        if header is None:
            raise Conflict(
                f"pool {self.pool.address}: the block that closed {time_text(day_end)} was rewound meanwhile"
            )
        return AsOf(header.number, header.time, header.hash)

    def _tokens(self) -> tuple[TokenRow, TokenRow]:
        rows = {row.id: row for row in tokens.all_tokens(self.connection)}
        return rows[self.pool.token0_id], rows[self.pool.token1_id]

    def _scales(self) -> tuple[TokenScale, TokenScale]:
        token0, token1 = self._tokens()
        return TokenScale(token0.decimals, token0.price_decimals), TokenScale(token1.decimals, token1.price_decimals)

    def _steps(self, span: Span, closing: bool) -> tuple[list[PriceStep], list[PriceStep]] | str:
        """The two tokens' prices over `span` (and at its end, for a whole day), or what is missing."""
        found = []
        for row in self._tokens():
            max_age = self.rules.tokens[row.symbol].max_age
            points = prices.points(self.connection, row.id, Span(span.start, span.end + 1))
            steps = steps_in_force(points, span, max_age, closed_end=closing)
            if isinstance(steps, Missing):
                return f"{row.symbol}: {steps.reason}"
            found.append(list(steps))
        return found[0], found[1]

    def _balances(
        self, positions: Mapping[PositionKey, int], price: PoolPrice | None, step0: PriceStep, step1: PriceStep
    ) -> Mapping[Address, tuple[int, int]]:
        scale0, scale1 = self._scales()
        raw: dict[Address, tuple[int, int]] = {}
        for position, liquidity in positions.items():
            if price is None:
                continue  # before the pool's Initialize nothing has a value
            value = position_value(
                liquidity, position.lower, position.upper, price, step0.price, step1.price, scale0, scale1
            )
            full, in_range = raw.get(position.owner, (0, 0))
            raw[position.owner] = full + value.usd_raw, in_range + (value.usd_raw if value.in_range else 0)
        return {
            owner: (usd_micro_of(full, scale0, scale1), usd_micro_of(in_range, scale0, scale1))
            for owner, (full, in_range) in raw.items()
        }


class _Stream:
    """The pool's liquidity and ownership in order, taken up to a second at a time."""

    def __init__(self, source: Iterator[LiquidityChange | PositionTransfer]) -> None:
        self._source = source
        self._next = next(source, None)

    def fold(self, ledger: Ledger, before_time: int) -> list[PositionChange]:
        """Fold everything earlier than `before_time` into the ledger; the changes it made, in order."""
        changes: list[PositionChange] = []
        while self._next is not None and self._next.time < before_time:
            changes.extend(ledger.apply(self._next))
            self._next = next(self._source, None)
        return changes
