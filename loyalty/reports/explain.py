"""Explain: a provider's epoch from the reward down to positions, prices and log ids, computed again from the facts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.series import points_in_force
from loyalty.accrual.told_worth import VIRTUAL_PRICE_DECIMALS
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.spans import Span
from loyalty.core.times import day_span
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.histories.curve import CurveInputs
from loyalty.jobs.histories.history import DayInputs
from loyalty.jobs.histories.holders import look_through_rules
from loyalty.jobs.histories.opening import open_history
from loyalty.jobs.histories.pool_prices import PoolPrices, Priced
from loyalty.jobs.histories.uniswap_v3 import UniswapInputs
from loyalty.jobs.histories.vault import VaultInputs
from loyalty.jobs.settle import evaluate, qualifying_before
from loyalty.program.cells import Cell
from loyalty.program.explain import Details, explain
from loyalty.program.explanation import Explanation, PoolDayDetail, PositionLine, PriceLine, WorthLine
from loyalty.program.explanation_json import as_dict
from loyalty.program.rules import PoolKey, Rules
from loyalty.reports.followed import follow
from loyalty.reports.followed_holders import follow_holder
from loyalty.reports.followed_ranges import range_lines
from loyalty.reports.followed_shares import follow_shares, share_lines
from loyalty.reports.followed_vault import follow_vault, vault_lines
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot
from loyalty.state import chains, days, pools, prices, vaults
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
    lines_of = _lines_of(connection, rules, pool, managers, provider)
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
            yield (
                day,
                PoolDayDetail(
                    positions, tuple(lines), tuple(_share_worth(connection, pool, history.prices, priced.until))
                ),
            )


LinesOf = Callable[[DayInputs, Priced], tuple[PositionLine, ...]]
"""A day's lines of the provider that is followed."""


def _lines_of(
    connection: Connection, rules: Rules, pool: PoolRow, managers: frozenset[Address], provider: Address
) -> LinesOf:
    """How the provider's lines of a pool-day come about, by the pool's protocol."""
    curve = follow_shares(connection, pool, provider) if pool.protocol == "curve" else {}
    ranges = follow(connection, pool, rules, managers, provider) if pool.protocol == "uniswap_v3" else {}
    vault = follow_vault(connection, pool, provider) if pool.protocol in ("stream_vault", "erc4626") else []
    shares = {rule.address: rule.shares for rule in look_through_rules(rules, pool.chain_id)}
    behind = follow_holder(connection, pool.chain_id, provider) if shares else {}

    def lines(inputs: DayInputs, priced: Priced) -> tuple[PositionLine, ...]:
        match inputs:
            case UniswapInputs():
                return range_lines(inputs, priced, provider, ranges, shares, behind)
            case CurveInputs():
                return share_lines(inputs, priced, provider, curve, shares, behind)
            case VaultInputs():
                return vault_lines(inputs, priced, provider, vault, shares, behind)
        raise Invalid(f"pool {checksum(pool.address)}: this release cannot explain the protocol {pool.protocol}")

    return lines


def _adds_up(cell: Cell, positions: tuple[PositionLine, ...]) -> bool:
    return cell.usd_micro_days == int(sum((line.usd_micro_days for line in positions), Fraction(0)))


def _prices(connection: Connection, rules: Rules, row: TokenRow, span: Span, over: bool) -> Iterator[PriceLine]:
    """The points in force at some second of `span`; a day that is over needed one at its end too."""
    reasons = prices.reasons(connection, row.id)
    points = prices.points(connection, row.id, Span(span.start, span.end + 1))
    used = Span(span.start, span.end if over else span.end - 1)
    for point in points_in_force(points, used, rules.tokens[row.symbol].max_age):
        reason = reasons.get(point.valid_time)
        yield PriceLine(row.symbol, point.valid_time, point.price, row.price_decimals, point.source, reason)


def _share_worth(connection: Connection, pool: PoolRow, of_pool: PoolPrices, span: Span) -> Iterator[WorthLine]:
    """What was told of a share's worth and in force at some second of `span`; nothing of pools whose coins tell it."""
    if of_pool.worth is None:
        return
    vault, asset = vaults.find(connection, pool.id), of_pool.tokens[0]
    if vault is None:
        chain, share_decimals, unit, decimals = pool.chain_id, VIRTUAL_PRICE_DECIMALS, None, VIRTUAL_PRICE_DECIMALS
    else:  # of bridged shares the vault on its own chain tells it
        home = pool if vault.home_pool_id is None else pools.get(connection, vault.home_pool_id)
        chain, share_decimals, unit, decimals = home.chain_id, vault.share_decimals, asset.symbol, asset.decimals
    for each in of_pool.worth.told(span):
        yield WorthLine(
            told=of_pool.worth.name,
            share_decimals=share_decimals,
            valid_time=each.valid_time,
            value=each.value,
            decimals=decimals,
            unit=unit,
            chain=chain,
            block=each.block,
            log_index=each.log_index,
        )
