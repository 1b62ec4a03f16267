"""One provider's lines of a Uniswap V3 pool-day: its positions, those in NFT stakers too, and parts of contracts."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from loyalty.accrual.day import ConcentratedDay, Credit, scale_of
from loyalty.accrual.owned import OwnedDay
from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS
from loyalty.core.facts import PositionKey, PositionToken
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.histories.pool_prices import Priced
from loyalty.jobs.histories.uniswap_v3 import UniswapInputs
from loyalty.program.explanation import PositionLine
from loyalty.reports.followed import Held, History, liquidity_spans, stakers_within
from loyalty.reports.followed_holders import HolderHistory, left_line, lines_behind


def range_lines(
    inputs: UniswapInputs,
    priced: Priced,
    provider: Address,
    followed: History,
    shares: dict[Address, Address | None],
    behind: HolderHistory,
) -> tuple[PositionLine, ...]:
    """The provider's lines of a pool-day; everybody's are computed, for they share one pass."""
    if not priced.until:
        return ()
    found = inputs.owned(priced)
    left = left_line(inputs.holders, found.unresolved, provider, priced.until)
    if left is not None:
        return left
    own = _own_lines(inputs.concentrated(priced), found, followed)
    through = lines_behind(found.passed, shares, provider, behind, priced.until)
    return tuple(line for line in (*own, *through) if line.spans)


def _own_lines(day: ConcentratedDay, found: OwnedDay, followed: History) -> Iterator[PositionLine]:
    for position in sorted((position for position in found.credits if position in followed), key=_order):
        yield _line(position, found.credits[position], day, followed[position])


def _line(position: PositionKey, credit: Credit, day: ConcentratedDay, steps: Sequence[Held]) -> PositionLine:
    staked = "".join(f", staked in {checksum(staker)}" for staker in stakers_within(steps, day.span))
    return PositionLine(
        position=position_name(position.token) + staked,
        lower=position.lower,
        upper=position.upper,
        spans=liquidity_spans(steps, day.span),
        usd_micro_days=_micro_days(credit.usd, day),
        usd_micro_days_in_range=_micro_days(credit.usd_in_range, day),
        in_range_seconds=credit.in_range_seconds,
    )


def position_name(token: PositionToken | None) -> str:
    """How a person would look the position up."""
    return f"token {token.token_id} of {checksum(token.manager)}" if token else "direct"


def _micro_days(raw: int, day: ConcentratedDay) -> Fraction:
    return Fraction(raw * 10**USD_DECIMALS, DAY_SECONDS * scale_of(day.scale0, day.scale1))


def _order(position: PositionKey) -> tuple[int, int, int]:
    return position.token.token_id if position.token else -1, position.lower, position.upper
