"""Everything that is promised about speed and size, measured, as one table.

python -m benchmarks        (make bench)
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import accrual, demo, indexing
from loyalty.accrual.day import accrue_concentrated

SWAPS, POSITIONS, DAYS = 1_000_000, 10_000, 7
ACCRUAL_SECONDS = 6
LOGS, PLAIN_LOGS = 300_000, 20_000
MORE_LOGS = 900_000
MEMORY_GROWTH = 1.15


class Line(NamedTuple):
    """One measurement, what is wanted of it, and whether it is so."""

    what: str
    measured: str
    wanted: str
    good: bool


def main() -> None:
    good = True
    print(f"{'what':66} {'measured':>16}   wanted")
    for line in lines():
        good = good and line.good
        print(f"{line.what:66} {line.measured:>16}   {line.wanted}{'' if line.good else '   MISSED'}", flush=True)
    if not good:
        raise SystemExit(1)


def lines() -> Iterator[Line]:
    yield from accruing()
    yield from reading()
    yield from demonstrating()


def accruing() -> Iterator[Line]:
    days = accrual.pool_days(SWAPS, POSITIONS, DAYS, "quiet", 1)
    began = time.perf_counter()
    for day in days:
        accrue_concentrated(day)
    seconds = time.perf_counter() - began
    what = f"accrual: {SWAPS:,} swaps, {POSITIONS:,} positions, {DAYS} days"
    yield Line(what, f"{seconds:.2f} s", "a few seconds", seconds < ACCRUAL_SECONDS)


def reading() -> Iterator[Line]:
    ours, plain, fewer, more = indexing.measure(LOGS, PLAIN_LOGS, [LOGS, MORE_LOGS])
    ratio = ours.rate / plain.rate
    yield Line("indexing over HTTP into SQLite, all checks on", f"{ours.rate:,.0f} logs/s", "", True)
    yield Line("a plain web3.py loop: get_logs, process_log, executemany", f"{plain.rate:,.0f} logs/s", "", True)
    wanted = indexing.WANTED_RATIO
    yield Line("times that loop", f"{ratio:.1f}", f"at least {wanted}", ratio >= wanted)
    growth = more.memory_mib / fewer.memory_mib
    yield Line(f"memory at {fewer.logs:,} logs", f"{fewer.memory_mib:.0f} MiB", "", True)
    yield Line(f"memory at {more.logs:,} logs", f"{more.memory_mib:.0f} MiB", "the same", growth < MEMORY_GROWTH)


def demonstrating() -> Iterator[Line]:
    stages = demo.measure()
    for stage in stages:
        yield Line(f"demo, 22 weeks: {stage.name}", f"{stage.seconds:.2f} s", "", True)
    seconds = sum(stage.seconds for stage in stages)
    wanted = demo.WANTED_SECONDS
    yield Line("demo, 22 weeks: together", f"{seconds:.2f} s", f"under {wanted} s", seconds < wanted)


if __name__ == "__main__":
    main()
