"""Explain: a provider's epoch from the reward down to positions, prices and log ids, computed again from the facts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.day import ConcentratedDay, Credit, TokenScale, accrue_concentrated, scale_of
from loyalty.accrual.series import points_in_force
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.facts import PositionKey, PositionToken
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, day_span
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.histories.curve import CurveInputs
from loyalty.jobs.histories.history import DayInputs
from loyalty.jobs.histories.opening import open_history
from loyalty.jobs.histories.pool_prices import Priced
from loyalty.jobs.histories.uniswap_v3 import UniswapInputs
from loyalty.jobs.settle import evaluate, qualifying_before
from loyalty.program.cells import Cell
from loyalty.program.explain import Details, explain
from loyalty.program.explanation import Explanation, LiquiditySpan, PoolDayDetail, PositionLine, PriceLine
from loyalty.program.explanation_json import as_dict
from loyalty.program.rules import PoolKey, Rules
from loyalty.reports.followed import History, follow, liquidity_spans
from loyalty.reports.followed_shares import follow_shares, share_lines
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot
from loyalty.state import chains, days, pools, prices
from loyalty.state.pools import PoolRow
from loyalty.state.tokens import TokenRow


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
    before = qualifying_before(snapshot.connection, number).get(address, 0)
    details = _details(snapshot, evaluation.rules, address, own)
    return explain(evaluation.rules, evaluation.result, address, own, before, details)


def explanation(snapshot: Snapshot, address: Address, number: int) -> Shape:
    """The explanation as the API gives it."""
    told = explained(snapshot, address, number)
    row = snapshot.row(number)
    return {**as_dict(told), "digest": row.digest, **snapshot.moving_in(row)}


def _details(snapshot: Snapshot, rules: Rules, provider: Address, own: Iterable[Cell]) -> Details:
    cells: dict[PoolKey, dict[int, Cell]] = {}
    for cell in own:
        cells.setdefault(cell.pool_key, {})[cell.day] = cell
    return {
        (PoolKey(pool.chain_id, pool.address), day): detail
        for pool in pools.all_pools(snapshot.connection)
        for day, detail in _pool_details(
            snapshot, rules, pool, provider, cells.get(PoolKey(pool.chain_id, pool.address), {})
        )
    }


def _pool_details(
    snapshot: Snapshot, rules: Rules, pool: PoolRow, provider: Address, cells: Mapping[int, Cell]
) -> Iterator[tuple[int, PoolDayDetail]]:
    """The pool-days again, each as of the block up to which its stored cells count.

    Of a day that is not closed a price may have come since its cells were computed: until the next accrual it has no
    detail. A closed day that differs is told by `explain`.
    """
    if not cells:
        return
    connection = snapshot.connection
    managers = frozenset(chains.position_managers(connection, pool.chain_id) or ())
    history = open_history(connection, rules, pool, managers)
    lines_of = _lines_of(connection, pool, managers, provider)
    states = days.states(connection, pool.id)
    for day in sorted(cells):
        as_of, over = states[day].as_of_time, states[day].as_of_time >= day_span(day).end
        inputs = history.day(day, None if over else as_of)
        priced = inputs.believed(history.prices.over(inputs.span, whole_day=over))
        positions = lines_of(inputs, priced)
        if states[day].status == CLOSED or _adds_up(cells[day], positions):
            lines = [
                line for row in history.prices.tokens for line in _prices(connection, rules, row, priced.until, over)
            ]
            yield day, PoolDayDetail(positions, tuple(lines))


LinesOf = Callable[[DayInputs, Priced], tuple[PositionLine, ...]]
"""A day's lines of the provider that is followed."""


def _lines_of(connection: Connection, pool: PoolRow, managers: frozenset[Address], provider: Address) -> LinesOf:
    """How the provider's lines of a pool-day come about, by the pool's protocol."""
    shares = follow_shares(connection, pool, provider) if pool.protocol == "curve" else {}
    ranges = follow(connection, pool, managers, provider) if pool.protocol == "uniswap_v3" else {}

    def lines(inputs: DayInputs, priced: Priced) -> tuple[PositionLine, ...]:
        match inputs:
            case UniswapInputs():
                return _positions(inputs.concentrated(priced), ranges)
            case CurveInputs():
                return share_lines(inputs, priced, provider, shares)
        raise Invalid(f"pool {checksum(pool.address)}: this release cannot explain the protocol {pool.protocol}")

    return lines


def _adds_up(cell: Cell, positions: tuple[PositionLine, ...]) -> bool:
    return cell.usd_micro_days == int(sum((line.usd_micro_days for line in positions), Fraction(0)))


def _positions(day: ConcentratedDay, followed: History) -> tuple[PositionLine, ...]:
    """The lines of the followed positions; everybody's are computed, for they share one pass."""
    credited = accrue_concentrated(day)
    own = sorted((position for position in credited if position in followed), key=_order)
    lines = (
        _line(position, credited[position], day, liquidity_spans(followed[position], day.span)) for position in own
    )
    return tuple(line for line in lines if line.spans)


def _line(
    position: PositionKey, credit: Credit, day: ConcentratedDay, spans: tuple[LiquiditySpan, ...]
) -> PositionLine:
    return PositionLine(
        position=position_name(position.token),
        lower=position.lower,
        upper=position.upper,
        spans=spans,
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


def _prices(connection: Connection, rules: Rules, row: TokenRow, span: Span, over: bool) -> Iterator[PriceLine]:
    """The points in force at some second of `span`; a day that is over needed one at its end too."""
    reasons = prices.reasons(connection, row.id)
    points = prices.points(connection, row.id, Span(span.start, span.end + 1))
    used = Span(span.start, span.end if over else span.end - 1)
    for point in points_in_force(points, used, rules.tokens[row.symbol].max_age):
        reason = reasons.get(point.valid_time)
        yield PriceLine(row.symbol, point.valid_time, point.price, row.price_decimals, point.source, reason)
