"""The example of docs/accrual.md, run from the page itself."""

import json
import re
import subprocess
import sys
from pathlib import Path

from loyalty.accrual.boundaries import Boundaries
from loyalty.accrual.day import accrue_concentrated, cells
from loyalty.accrual.sweep import Sweep
from loyalty.core.amounts import format_units_fixed
from tests.accrual.timeline import SCALE, timeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "accrual.md").read_text()
EXAMPLE = timeline(re.findall(r"```timeline\n(.*?)```", PAGE, re.DOTALL)[0])


def _rows(header: str) -> list[list[str]]:
    """The rows of the page's table that begins with `header`."""
    lines = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_cells_are_those_on_the_page() -> None:
    credited = accrue_concentrated(EXAMPLE)
    seconds = {position.owner: credit.in_range_seconds for position, credit in credited.items()}
    computed = [
        [owner, format_units_fixed(cell[0], 6), format_units_fixed(cell[1], 6), str(seconds[owner])]
        for owner, cell in cells(credited, SCALE, SCALE).items()
    ]
    assert computed == _rows("| provider | dollar-days |")


def test_the_sums_are_those_on_the_page() -> None:
    boundaries = Boundaries([-60, 60, 120])
    sweep = Sweep(boundaries, 0, None, EXAMPLE.swaps)
    sweep.advance(43_200, 2 * 10**8, 10**8)
    sweep.advance(86_400, 3 * 10**8, 10**8)
    computed = [
        [
            str(tick),
            _four_decimals(sums.usd0, 1),
            _four_decimals(sums.usd1, 1),
            _four_decimals(sums.usd0_inverse, 2**160),
            _four_decimals(sums.usd1_root, 2**96),
            str(sums.seconds),
        ]
        for tick, sums in zip(boundaries.ticks, sweep.buckets.running(), strict=False)
    ]
    assert computed == _rows("| below | A | B |")


def _four_decimals(sum_of_prices: int, scale: int) -> str:
    units = 10**8 * scale
    return format_units_fixed((sum_of_prices * 10**4 + units // 2) // units, 4)


def test_the_benchmark_runs_and_finds_both_sides_equal() -> None:
    sizes = ["--swaps", "400", "--positions", "20", "--days", "2", "--naive-swaps", "100", "--naive-positions", "10"]
    command = [sys.executable, "-m", "benchmarks.accrual", *sizes, "--path", "hostile", "--json"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    report = json.loads(answer.stdout)
    assert [(row["name"], row["swaps"], row["positions"]) for row in report["rows"]] == [
        ("exact", 400, 20),
        ("exact", 100, 10),
        ("positions x swaps", 100, 10),
    ]
