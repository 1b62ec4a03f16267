"""Explain: a provider's epoch from the reward down to positions, prices and log ids, computed again from the facts."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from loyalty.accrual.day import ConcentratedDay, Credit, TokenScale, accrue_concentrated, scale_of
from loyalty.accrual.series import points_in_force
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import NotFound
from loyalty.core.facts import PositionChange, PositionKey, PositionToken
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.accrue import AsOf, DayInputs, FactStream, LedgerFact, PreparedDay
from loyalty.jobs.settle import evaluate, qualifying_before
from loyalty.program.explain import Details, explain
from loyalty.program.explanation import Explanation, LiquiditySpan, PoolDayDetail, PositionLine, PriceLine
from loyalty.program.rules import Epoch, PoolKey, Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot
from loyalty.state import chains, days, facts, pools, prices, tokens
from loyalty.state.pools import PoolRow

History = dict[PositionKey, list[tuple[int, int, Checkpoint]]]
"""Per position its liquidity from a time on, and the log that made it so, in order."""


def explained(snapshot: Snapshot, address: Address, number: int) -> Explanation:
    """Why `address` gets what it gets in epoch `number`, provisional or settled.

    Raises NotFound for an address without facts or an epoch that has not begun, Inconsistent where what is stored does
    not follow from the facts.
    """
    known(snapshot, address)
    snapshot.row(number)
    evaluation = evaluate(snapshot.connection, number)
    if evaluation is None:
        raise NotFound(f"epoch {number} is not evaluated yet")
    own = [cell for cell in evaluation.cells if cell.provider == address]
    wanted = {(cell.pool_key, cell.day) for cell in own}
    before = qualifying_before(snapshot.connection, number).get(address, 0)
    details = _details(snapshot, evaluation.rules, evaluation.epoch, address, wanted)
    return explain(evaluation.rules, evaluation.result, address, own, before, details)


def explanation(snapshot: Snapshot, address: Address, number: int) -> Shape:
    """The explanation as the API gives it."""
    told = explained(snapshot, address, number)
    row = snapshot.row(number)
    return {**told.as_dict(), "digest": row.digest, **snapshot.moving(row.status)}


def _details(
    snapshot: Snapshot, rules: Rules, epoch: Epoch, provider: Address, wanted: set[tuple[PoolKey, int]]
) -> Details:
    found: dict[tuple[PoolKey, int], PoolDayDetail] = {}
    for pool in pools.all_pools(snapshot.connection):
        key = PoolKey(pool.chain_id, pool.address)
        numbers = sorted(day for each, day in wanted if each == key)
        for day, detail in _pool_details(snapshot, rules, pool, provider, numbers):
            found[key, day] = detail
    return found


def _pool_details(
    snapshot: Snapshot, rules: Rules, pool: PoolRow, provider: Address, numbers: list[int]
) -> Iterator[tuple[int, PoolDayDetail]]:
    """The pool-days again, each as of the block up to which its stored cells count."""
    if not numbers:
        return
    connection, history = snapshot.connection, _Followed(provider)
    managers = frozenset(chains.position_managers(connection, pool.chain_id) or ())
    inputs = DayInputs(connection, rules, pool, managers, frozenset())
    ledger = Ledger(managers)
    stream = FactStream(facts.ledger_facts(connection, [pool.id]), history.told)
    states = days.states(connection, pool.id)
    for day in numbers:
        as_of = AsOf(states[day].as_of_block, states[day].as_of_time, "")
        prepared = inputs.prepare(day, as_of, ledger, stream)
        if prepared.concentrated is not None:
            yield day, _detail(snapshot, rules, pool, prepared, prepared.concentrated, history)


class _Followed:
    """The liquidity of one provider's positions over time, with the logs that changed it."""

    def __init__(self, provider: Address) -> None:
        self._provider = provider
        self.positions: History = {}

    def told(self, fact: LedgerFact, changes: Iterable[PositionChange]) -> None:
        log = Checkpoint(fact.block, fact.log_index)
        for change in changes:
            if change.position.owner == self._provider:
                known_before = self.positions.setdefault(change.position, [])
                liquidity = (known_before[-1][1] if known_before else 0) + change.liquidity_delta
                known_before.append((change.time, liquidity, log))

    def spans(self, position: PositionKey, within: Span) -> tuple[LiquiditySpan, ...]:
        """The stretches of `within` with liquidity, none of them empty."""
        steps = self.positions.get(position, [])
        ends = [*(time for time, _, _ in steps[1:]), within.end]
        stretches = (
            LiquiditySpan(within.intersect(Span(time, end)), liquidity, log)
            for (time, liquidity, log), end in zip(steps, ends, strict=True)
        )
        return tuple(each for each in stretches if each.span and each.liquidity)


def _detail(
    snapshot: Snapshot,
    rules: Rules,
    pool: PoolRow,
    prepared: PreparedDay,
    day: ConcentratedDay,
    followed: _Followed,
) -> PoolDayDetail:
    credits_of = accrue_concentrated(day)
    own = sorted((position for position in credits_of if position in followed.positions), key=_order)
    lines = [_line(position, credits_of[position], day, followed) for position in own]
    used = [
        line for symbol in (pool.token0, pool.token1) for line in _prices(snapshot, rules, symbol, day.span, prepared)
    ]
    return PoolDayDetail(tuple(line for line in lines if line.spans), tuple(used))


def _line(position: PositionKey, credit: Credit, day: ConcentratedDay, followed: _Followed) -> PositionLine:
    return PositionLine(
        position=position_name(position.token),
        lower=position.lower,
        upper=position.upper,
        spans=followed.spans(position, day.span),
        usd_micro_days=_micro_days(credit.usd, day.scale0, day.scale1),
        usd_micro_days_in_range=_micro_days(credit.usd_in_range, day.scale0, day.scale1),
        in_range_seconds=credit.in_range_seconds,
    )


def position_name(token: PositionToken | None) -> str:
    """How a person would look the position up."""
    return f"token {token.token_id} of {checksum(token.manager)}" if token else "direct"


def _micro_days(raw: int, scale0: TokenScale, scale1: TokenScale) -> Fraction:
    return Fraction(raw * 10**USD_DECIMALS, DAY_SECONDS * scale_of(scale0, scale1))


def _order(position: PositionKey) -> tuple[int, int, int]:
    return position.token.token_id if position.token else -1, position.lower, position.upper


def _prices(snapshot: Snapshot, rules: Rules, symbol: str, span: Span, prepared: PreparedDay) -> Iterator[PriceLine]:
    """The points in force at some second that the day used; a day that is over needs one at its end too."""
    token, token_id = rules.tokens[symbol], tokens.ids(snapshot.connection)[symbol]
    reasons = prices.reasons(snapshot.connection, token_id)
    points = prices.points(snapshot.connection, token_id, Span(span.start, span.end + 1))
    for point in points_in_force(
        points, Span(span.start, span.end if prepared.closing else span.end - 1), token.max_age
    ):
        reason = reasons.get(point.valid_time)
        yield PriceLine(symbol, point.valid_time, point.price, token.price_decimals, point.source, reason)
