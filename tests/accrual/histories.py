"""Randomized pool-days: prices driven over boundaries and onto them, owners changing, steps anywhere."""

from hypothesis import strategies as st

from loyalty.accrual.day import ConcentratedDay, PriceStep, TokenScale
from loyalty.accrual.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey, PositionToken
from loyalty.core.spans import Span

OWNERS = tuple(Address("0x" + digit * 40) for digit in "abc")
MANAGER = Address("0x" + "f" * 40)
LIQUIDITY = st.one_of(st.integers(1, 10**24), st.sampled_from([1, 2, 2**127]))


@st.composite
def ranges(draw: st.DrawFn, spacing: int) -> tuple[int, int]:
    """Narrow, wide, touching, one-sided and full ranges on the pool's tick spacing."""
    edge = MAX_TICK // spacing
    multiple = st.one_of(st.integers(-5, 5), st.sampled_from([-edge, edge]), st.integers(-edge, edge))
    lower, upper = sorted(draw(st.lists(multiple, min_size=2, max_size=2, unique=True)))
    return lower * spacing, upper * spacing


@st.composite
def positions(draw: st.DrawFn, spacing: int) -> PositionKey:
    lower, upper = draw(ranges(spacing))
    token = draw(st.sampled_from([None, PositionToken(MANAGER, 1), PositionToken(MANAGER, 2)]))
    return PositionKey(draw(st.sampled_from(OWNERS)), lower, upper, token)


@st.composite
def prices(draw: st.DrawFn, time: int, ticks: list[int]) -> PoolPrice:
    """On a boundary, arrived at from below (tick k) or from above (k - 1), or anywhere between two ticks."""
    boundary = draw(st.sampled_from(ticks))
    where = draw(st.sampled_from(["rising", "falling", "near", "anywhere"]))
    if where == "rising":
        return PoolPrice(time, sqrt_ratio_at_tick(boundary), boundary)
    if where == "falling" and boundary > MIN_TICK:
        return PoolPrice(time, sqrt_ratio_at_tick(boundary), boundary - 1)
    near = st.integers(max(MIN_TICK, boundary - 3), min(MAX_TICK - 1, boundary + 3))
    tick = draw(near if where == "near" else st.integers(MIN_TICK, MAX_TICK - 1))
    root = draw(st.integers(sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1) - 1))
    return PoolPrice(time, root, tick)


def token_scales() -> st.SearchStrategy[TokenScale]:
    return st.builds(TokenScale, st.sampled_from([0, 6, 8, 18]), st.sampled_from([2, 8, 14]))


@st.composite
def price_steps(draw: st.DrawFn, span: Span) -> list[PriceStep]:
    """The first at or before the start; others inside the span, at its end and beyond."""
    first = draw(st.integers(span.start - 50, span.start))
    later = draw(st.sets(st.integers(first + 1, span.end + 5), max_size=5))
    return [PriceStep(time, draw(st.integers(1, 10**13))) for time in (first, *sorted(later))]


def _times(span: Span, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(span.start, span.end - 1), max_size=most).map(sorted)


@st.composite
def _changes(
    draw: st.DrawFn, span: Span, known: list[PositionKey], held: dict[PositionKey, int]
) -> list[PositionChange]:
    """Mints, burns down to nothing, and moves to another owner, never below zero."""
    now, result = dict(held), []
    for time in draw(_times(span, 10)):
        position = draw(st.sampled_from(known))
        what = draw(st.sampled_from(["mint", "burn", "close", "move"]))
        has = now.get(position, 0)
        deltas = {position: draw(LIQUIDITY) if what == "mint" else -has}
        if what == "burn":
            deltas = {position: -draw(st.integers(0, has))}
        if what == "move":
            deltas = {position: -has, position._replace(owner=draw(st.sampled_from(OWNERS))): has}
            deltas = deltas if len(deltas) == 2 else {}
        for key, delta in deltas.items():
            now[key] = now.get(key, 0) + delta
            result.append(PositionChange(time, key, delta))
    return result


@st.composite
def days(draw: st.DrawFn) -> ConcentratedDay:
    start = draw(st.sampled_from([0, 86_400, 1_700_000_000]))
    span = Span(start, start + draw(st.integers(1, 60)))
    spacing = draw(st.sampled_from([1, 10, 60, 200]))
    known = draw(st.lists(positions(spacing), min_size=1, max_size=6))
    known = [*known, *(key._replace(owner=OWNERS[0]) for key in known[:2])]
    held = {key: draw(LIQUIDITY) for key in known if draw(st.booleans())}
    ticks = sorted({tick for key in known for tick in (key.lower, key.upper)})
    first = draw(st.one_of(st.none(), prices(span.start - 7, ticks)))
    swaps = [draw(prices(time, ticks)) for time in draw(_times(span, 14))]
    return ConcentratedDay(
        span=span,
        price=first,
        positions=held,
        swaps=swaps,
        changes=draw(_changes(span, known, held)),
        steps0=draw(price_steps(span)),
        steps1=draw(price_steps(span)),
        scale0=draw(token_scales()),
        scale1=draw(token_scales()),
    )
