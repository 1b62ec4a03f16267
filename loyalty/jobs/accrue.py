"""Accrue: every pool-day that is not closed yet is computed from the stored facts and prices."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address, checksum
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict, LoyaltyError
from loyalty.core.spans import Span
from loyalty.core.times import day_of, day_span, day_text, time_text
from loyalty.jobs.check_exchanges import check_exchanges
from loyalty.jobs.histories.history import DayInputs, PoolHistory
from loyalty.jobs.histories.opening import open_history
from loyalty.program.rules import Rules
from loyalty.state import StateTransaction, balances, blocks, chains, cursors, days, pools, providers, vaults
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow

_log = logging.getLogger(__name__)

OPEN, CLOSED, EMPTY, UNPRICED = "open", "closed", "empty", "unpriced"
"""A pool-day still running; over and counted; over without liquidity of anyone, so that its prices are not used; over,
but a price is missing."""


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
        """Every pool-day of the program that is not closed, up to where its pool is indexed.

        Raises the first failure, once all other pools are computed.
        """
        with self.state.read() as connection:
            rows = pools.all_pools(connection)
        counts = {OPEN: 0, CLOSED: 0, EMPTY: 0, UNPRICED: 0}
        failures: list[LoyaltyError] = []
        for pool in rows:
            try:
                for result in self._pool(pool):
                    counts[result.status] += 1
            except LoyaltyError as error:  # told at the end: a pool that cannot be computed holds up no other
                failures.append(error)
        if failures:
            more = f" (and {len(failures) - 1} pools more)" if len(failures) > 1 else ""
            raise type(failures[0])(f"{failures[0]}{more}") from failures[0]
        return Accrued(counts[CLOSED] + counts[EMPTY], counts[UNPRICED], counts[OPEN])

    def _pool(self, pool: PoolRow) -> Iterator[DayResult]:
        with self.state.read() as connection:
            as_of = indexed_to(connection, pool)
            if as_of is None:
                return
            todo = days_to_do(connection, self.rules, pool, as_of)
            if not todo:
                return
            history = open_history(connection, self.rules, pool, self.managers)
            for day in todo:
                if self.stopping():
                    return
                try:
                    result = compute_day(connection, pool, history, day, as_of, self._waiting(history, day, as_of))
                except LoyaltyError as error:
                    raise type(error)(f"pool {checksum(pool.address)} on {day_text(day)}: {error}") from error
                if day == counted_days(self.rules, pool).end - 1 < day_of(self.rules.end) - 1 and result.status != OPEN:
                    result = replace(result, balances={})  # the pool has left the program: nothing of it counts now
                if not self._write(pool, history, result):
                    return
                if result.status == CLOSED:
                    check_exchanges(connection, pool, day)
                yield result

    def _waiting(self, history: PoolHistory, day: int, as_of: AsOf) -> frozenset[str]:
        """The pool's tokens whose grid may still publish a price for the day, and a share's worth, by its name."""
        passed = as_of.time - day_span(day).end
        symbols = {row.symbol for row in history.prices.tokens} & self.grid_tokens
        waiting = {symbol for symbol in symbols if passed < self.rules.tokens[symbol].max_age}
        worth = history.prices.worth
        if worth is not None and worth.max_age is not None and passed < worth.max_age:
            waiting.add(worth.name)
        return frozenset(waiting)

    def _write(self, pool: PoolRow, history: PoolHistory, result: DayResult) -> bool:
        """One pool-day, as one step; False, with nothing written, where what it hangs on has changed meanwhile."""
        with StateTransaction(self.state) as connection:
            if (changed := _changed(connection, pool, history, result)) is not None:
                place = f"pool={pool.address} day={day_text(result.day)}"
                _log.info("not written, it is computed again at the next turn %s because=%s", place, changed)
                return False
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
        return True


def _changed(connection: Connection, pool: PoolRow, history: PoolHistory, result: DayResult) -> str | None:
    """What is no longer as it was when the day was computed: its blocks, or the prices of a day that is to be closed.

    A final block may have been thinned out meanwhile, but it is never rewound.
    """
    final_block = chains.get(connection, pool.chain_id).finalized_block
    final = final_block is not None and result.as_of.block <= final_block
    if not final and not blocks.has(connection, pool.chain_id, result.as_of.block, result.as_of.hash):
        return f"block {result.as_of.block} was rewound"
    span = day_span(result.day)
    if result.status == CLOSED and history.prices.points(span, connection) != history.prices.points(span):
        return "a price came"
    return None


def indexed_to(connection: Connection, pool: PoolRow) -> AsOf | None:
    """The last stored block below the pool's cursor, and below those of the contracts that decide who holds it: every
    log up to its second has been indexed."""
    next_block = cursors.counted_to(connection, pool.chain_id, pool.next_block)
    header = blocks.at_or_before(connection, pool.chain_id, next_block - 1)
    vault = vaults.find(connection, pool.id)
    if header is not None and vault is not None and vault.home_pool_id is not None:
        home = indexed_to(connection, pools.get(connection, vault.home_pool_id))
        header = None if home is None else _not_after(connection, pool.chain_id, header, home.time)
    return None if header is None else AsOf(header.number, header.time, header.hash)


def _not_after(connection: Connection, chain_id: int, header: Header, time: int) -> Header | None:
    """The last stored block up to `header` and a second: bridged shares count as far as their rounds are known."""
    return header if header.time <= time else blocks.at_or_before_time(connection, chain_id, time)


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


def compute_day(
    connection: Connection, pool: PoolRow, history: PoolHistory, day: int, as_of: AsOf, waiting: frozenset[str]
) -> DayResult:
    """One pool-day, whole where the pool is indexed past its end, else up to `as_of`.

    Balances come with a day that goes on, and with the pool's last day, whose end they then stand at for good.
    `waiting` are those whose grid may still publish a price for the day: until it does, or `max_age` has passed, a day
    that is over stays open, so that it is computed from the same prices here and anywhere else.
    """
    over = as_of.time >= day_span(day).end
    last = day + 1 == counted_days(history.prices.rules, pool).end
    inputs = history.day(day, None if over else as_of.time)
    if not inputs.has_liquidity:
        return _empty(connection, pool, inputs, as_of, over=over, last=last)
    priced = inputs.believed(history.prices.over(inputs.span, whole_day=over))
    waits = _waits_for(history, inputs.span.end, waiting) if over else None
    closing = over and waits is None
    if closing and priced.reason:
        closed_by = closing_block(connection, pool, inputs.span.end)
        return DayResult(day, UNPRICED, priced.reason, closed_by, {})
    earned = inputs.cells(priced)
    if closing:
        at_end = inputs.balances(priced) if last else None
        return DayResult(day, CLOSED, None, closing_block(connection, pool, inputs.span.end), earned, at_end)
    current = inputs.balances(priced) if not over and priced.reason is None else None
    return DayResult(day, OPEN, priced.reason or waits, as_of, earned, current)


def _empty(
    connection: Connection, pool: PoolRow, inputs: DayInputs, as_of: AsOf, *, over: bool, last: bool
) -> DayResult:
    """A day on which nobody held anything; it needs no price."""
    if over:
        closed_by = closing_block(connection, pool, inputs.span.end)
        return DayResult(inputs.day, EMPTY, None, closed_by, {}, {} if last else None)
    return DayResult(inputs.day, OPEN, None, as_of, {}, {})


def _waits_for(history: PoolHistory, day_end: int, waiting: frozenset[str]) -> str | None:
    for row in history.prices.tokens:
        if row.symbol in waiting and not history.prices.has_point_from(row, day_end):
            return f"{row.symbol}: the price at {time_text(day_end)} has not been published yet"
    worth = history.prices.worth
    if worth is not None and worth.name in waiting and not worth.has_from(day_end):
        return f"{worth.name}: the contract has not been asked for {time_text(day_end)} yet"
    return None


def closing_block(connection: Connection, pool: PoolRow, day_end: int) -> AsOf:
    """The first stored block at or after midnight: a day does not hang on anything later."""
    header = blocks.first_at_or_after_time(connection, pool.chain_id, day_end)
    if header is None:
        raise Conflict(f"pool {pool.address}: the block that closed {time_text(day_end)} was rewound meanwhile")
    return AsOf(header.number, header.time, header.hash)
