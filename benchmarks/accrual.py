"""How long exact accrual takes, beside the loop over positions x swaps that it replaces.

    python -m benchmarks.accrual [--swaps N] [--positions N] [--days N] [--path quiet|hostile] [--json]

Both sides are plain Python integers and give the same bits, which is checked on the naive side's smaller day.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple, TypeVar

from loyalty.accrual.day import ConcentratedDay, Credit, PriceStep, TokenScale, accrue_concentrated, factors_of
from loyalty.accrual.tick_math import in_range, inverse, sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span
from loyalty.core.times import day_span

Result = TypeVar("Result")
FIRST_DAY = 19_975
MIDDLE_TICK = -200_000
SPACING = 60
CHANGES_A_DAY = 200


class Row(NamedTuple):
    name: str
    swaps: int
    positions: int
    days: int
    seconds: float


def main() -> None:
    sizes = _arguments()
    days = pool_days(sizes.swaps, sizes.positions, sizes.days, sizes.path, sizes.seed)
    small = pool_days(sizes.naive_swaps, sizes.naive_positions, 1, sizes.path, sizes.seed)
    seconds, _ = _timed(lambda: [accrue_concentrated(day) for day in days])
    small_seconds, exact = _timed(lambda: accrue_concentrated(small[0]))
    naive_seconds, naive = _timed(lambda: accrue_naively(small[0]))
    if exact != naive:
        raise SystemExit("the naive loop and the engine differ: one of them is wrong")
    rows = [
        Row("exact", sizes.swaps, sizes.positions, sizes.days, seconds),
        Row("exact", sizes.naive_swaps, sizes.naive_positions, 1, small_seconds),
        Row("positions x swaps", sizes.naive_swaps, sizes.naive_positions, 1, naive_seconds),
    ]
    _print(rows, sizes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--swaps", type=int, default=1_000_000)
    parser.add_argument("--positions", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--naive-swaps", type=int, default=5_000)
    parser.add_argument("--naive-positions", type=int, default=200)
    parser.add_argument("--path", choices=("quiet", "hostile"), default="quiet", help="hostile: over every boundary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def pool_days(swaps: int, positions: int, days: int, path: str, seed: int) -> list[ConcentratedDay]:
    """Seeded days of one pool: prices hourly, positions that grow and shrink, swaps spread over the seconds."""
    chance = random.Random(seed)
    held = {_position(chance, number): chance.randrange(1, 10**21) for number in range(positions)}
    price = PoolPrice(0, sqrt_ratio_at_tick(MIDDLE_TICK), MIDDLE_TICK)
    result = []
    for number in range(days):
        span = day_span(FIRST_DAY + number)
        day_swaps = _swaps(chance, price, span, swaps // days, path)
        changes = _changes(chance, list(held), span)
        result.append(
            ConcentratedDay(
                span=span,
                price=price,
                positions=dict(held),
                swaps=day_swaps,
                changes=changes,
                steps0=_steps(chance, span, 3_000 * 10**8),
                steps1=_steps(chance, span, 10**8),
                scale0=TokenScale(18, 8),
                scale1=TokenScale(6, 8),
            )
        )
        for change in changes:
            held[change.position] += change.liquidity_delta
        price = day_swaps[-1]
    return result


def _position(chance: random.Random, number: int) -> PositionKey:
    width = SPACING * chance.choice((1, 2, 5, 20, 100, 500))
    lower = (MIDDLE_TICK + chance.randrange(-6_000, 6_000)) // SPACING * SPACING - width // 2 // SPACING * SPACING
    return PositionKey(Address(f"0x{number:040x}"), lower, lower + width, None)


def _swaps(chance: random.Random, price: PoolPrice, span: Span, count: int, path: str) -> list[PoolPrice]:
    tick = price.tick
    result = []
    for second in sorted(chance.randrange(span.start, span.end) for _ in range(count)):
        if path == "quiet":
            tick += chance.randrange(-4, 5) - (tick > MIDDLE_TICK) + (tick < MIDDLE_TICK)
        else:
            tick = MIDDLE_TICK + chance.randrange(-6_000, 6_000)
        low, high = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
        result.append(PoolPrice(second, chance.randrange(low, high), tick))
    return result


def _changes(chance: random.Random, positions: list[PositionKey], span: Span) -> list[PositionChange]:
    times = sorted(chance.randrange(span.start, span.end) for _ in range(CHANGES_A_DAY))
    return [PositionChange(moment, chance.choice(positions), chance.randrange(1, 10**20)) for moment in times]


def _steps(chance: random.Random, span: Span, price: int) -> list[PriceStep]:
    return [PriceStep(hour, price + chance.randrange(price // 100)) for hour in range(span.start, span.end, 3_600)]


def accrue_naively(day: ConcentratedDay) -> dict[PositionKey, Credit]:
    """Every position over every stretch in which nothing changes, straight from the definition of V3's amounts."""
    factors = factors_of(day.scale0, day.scale1)
    positions = {*day.positions, *(change.position for change in day.changes)}
    credited = {position: Credit(0, 0, 0) for position in positions}
    ends = {p: (sqrt_ratio_at_tick(p.lower), sqrt_ratio_at_tick(p.upper)) for p in positions}
    held = dict(day.positions)
    for stretch, price, price0, price1, changes in _stretches(day):
        for change in changes:
            held[change.position] = held.get(change.position, 0) + change.liquidity_delta
        usd0, usd1 = price0 * factors.token0 * stretch.length, price1 * factors.token1 * stretch.length
        for position, liquidity in held.items():
            lower, upper = ends[position]
            root = min(max(price.sqrt_price_x96, lower), upper)
            part = liquidity * (usd0 * (inverse(root) - inverse(upper)) + usd1 * (root - lower))
            counts = in_range(price.tick, position.lower, position.upper)
            usd, usd_in_range, seconds = credited[position]
            counted_seconds = stretch.length * (counts and liquidity > 0)
            credited[position] = Credit(usd + part, usd_in_range + part * counts, seconds + counted_seconds)
    return credited


def _stretches(day: ConcentratedDay) -> list[tuple[Span, PoolPrice, int, int, list[PositionChange]]]:
    """Each stretch without an event: the pool's price, the USD prices, and the changes at its beginning."""
    facts = (day.swaps, day.changes, day.steps0, day.steps1)
    cuts = sorted({day.span.start, day.span.end, *(fact[0] for group in facts for fact in group)})
    prices = {swap.time: swap for swap in day.swaps}
    steps0, steps1 = dict(day.steps0), dict(day.steps1)
    changes: dict[int, list[PositionChange]] = {}
    for change in day.changes:
        changes.setdefault(change.time, []).append(change)
    price, price0, price1 = day.price or day.swaps[0], day.steps0[0].price, day.steps1[0].price
    result = []
    for start, end in pairwise(cuts):
        price, price0, price1 = prices.get(start, price), steps0.get(start, price0), steps1.get(start, price1)
        result.append((Span(start, end), price, price0, price1, changes.get(start, [])))
    return result


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def _print(rows: list[Row], sizes: argparse.Namespace) -> None:
    ratio = rows[2].seconds / rows[1].seconds
    if sizes.json:
        report = {"rows": [row._asdict() for row in rows], "ratio": ratio, "path": sizes.path, "seed": sizes.seed}
        print(json.dumps(report, indent=2))
        return
    print(f"{'':<18}{'swaps':>10}{'positions':>11}{'days':>6}{'seconds':>10}")
    for row in rows:
        print(f"{row.name:<18}{row.swaps:>10,}{row.positions:>11,}{row.days:>6}{row.seconds:>10.3f}")
    print(f"the same small day, bit for bit equal: {ratio:,.0f} times as fast ({sizes.path} path, seed {sizes.seed})")


if __name__ == "__main__":
    main()
