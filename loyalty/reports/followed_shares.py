"""One provider's shares in a Curve pool over time: LP tokens in its hands, gauge tokens, and their lines."""

from collections.abc import Iterator
from fractions import Fraction

from sqlalchemy import Connection

from loyalty.accrual.gauged import GaugedDay
from loyalty.accrual.shares import scale_of_day
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.histories.curve import CurveInputs
from loyalty.jobs.histories.pool_prices import Priced
from loyalty.program.explanation import PositionLine
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool
from loyalty.reports.followed import Held, liquidity_spans
from loyalty.reports.followed_holders import HolderHistory, left_line, lines_behind
from loyalty.state import share_pools, token_transfers
from loyalty.state.pools import PoolRow

ShareHistory = dict[Address, list[Held]]
"""By LP token or gauge, what the provider had of it from each log on."""


def follow_shares(connection: Connection, pool: PoolRow, provider: Address) -> ShareHistory:
    """A fold over the pool's transfers, kept for one provider; the LP token first, then the gauges in their order."""
    stored = share_pools.get(connection, pool.id)
    contracts = tuple(address for address, _ in stored.coins)
    ledger = CurveLedger([CurvePool(pool.address, stored.lp_token, contracts, stored.gauges)])
    history: ShareHistory = {token: [] for token in (stored.lp_token, *stored.gauges)}
    for transfer in token_transfers.of_tokens(connection, stored.followed):
        for change in ledger.apply(transfer):
            if change.holder == provider:
                steps = history[transfer.token]
                units = (steps[-1].liquidity if steps else 0) + change.delta
                steps.append(Held(change.time, units, Checkpoint(transfer.block, transfer.log_index)))
    return history


def share_lines(
    inputs: CurveInputs,
    priced: Priced,
    provider: Address,
    followed: ShareHistory,
    shares: dict[Address, Address | None],
    behind: HolderHistory,
) -> tuple[PositionLine, ...]:
    """The provider's lines of a pool-day: its own LP tokens exactly, and its whole part of the cell of each gauge and
    each other contract."""
    if not priced.until:
        return ()
    gauged = inputs.gauged(priced)
    left = left_line(inputs.holders, gauged.unresolved, provider, priced.until)
    if left is not None:
        return left
    own = _lines(inputs, priced, provider, followed, gauged)
    through = lines_behind(gauged.staked, shares, provider, behind, priced.until)
    return tuple(line for line in (*own, *through) if line.spans)


def _lines(
    inputs: CurveInputs, priced: Priced, provider: Address, followed: ShareHistory, gauged: GaugedDay
) -> Iterator[PositionLine]:
    scale = scale_of_day(inputs.share_day(priced, inputs.changes.before(priced.until.end)))
    raw = Fraction(gauged.direct.get(provider, 0) * 10**USD_DECIMALS, DAY_SECONDS * scale)
    lp_token = inputs.pool.lp_token
    yield _line(f"LP tokens {checksum(lp_token)}", raw, followed[lp_token], priced)
    for gauge in inputs.pool.gauges:
        cells = gauged.staked[gauge]
        part = cells[provider].usd_micro_days if provider in cells else 0
        yield _line(f"staked in gauge {checksum(gauge)}", Fraction(part), followed[gauge], priced)


def _line(name: str, usd_micro_days: Fraction, steps: list[Held], priced: Priced) -> PositionLine:
    spans = liquidity_spans(steps, priced.until)
    seconds = sum(each.span.length for each in spans)
    return PositionLine(name, None, None, spans, usd_micro_days, usd_micro_days, seconds)
