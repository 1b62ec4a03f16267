"""The market beside the pools: seeded hourly USD prices, which the pools' prices follow.

Prices are integers in 1e-8 USD, rounded to the decimals that the price files show, so that the last bits of a machine's
logarithms cannot reach the chain.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from random import Random

from loyalty.core.amounts import format_units
from loyalty.core.times import HOUR_SECONDS, time_text
from tools.demo.calendar import STORM, STORY_END, STORY_START, week

PRICE_DECIMALS = 8
_DOLLAR: int = 10**PRICE_DECIMALS


@dataclass(frozen=True, slots=True)
class Wander:
    """How a token's price wanders: per hour, the share by which it changes typically, and its pull to `anchor`."""

    symbol: str
    anchor: float
    hourly: float
    pull: float
    decimals: int


WETH = Wander("WETH", 3100.0, 0.0055, 0.0006, 2)
LOYAL = Wander("LOYAL", 0.82, 0.0085, 0.0012, 4)
_STORM_FACTOR = 4.2
_STORM_FALL = 0.24
"""WETH loses about this share in the storm's first two days, and finds most of it again in the next three."""


class Market:
    """Prices of WETH and LOYAL for every hour of the story; USDC is a dollar."""

    def __init__(self, seed: str) -> None:
        self._hours = (STORY_END - STORY_START) // HOUR_SECONDS + 2
        self._prices = {path.symbol: self._walk(path, Random(f"{seed}/market/{path.symbol}")) for path in (WETH, LOYAL)}

    def usd(self, symbol: str, time: int) -> int:
        """The price at `time`, on the straight line between two hours, in 1e-8 USD."""
        if symbol == "USDC":
            return _DOLLAR
        hour, seconds = divmod(time - STORY_START, HOUR_SECONDS)
        before, after = self._prices[symbol][hour : hour + 2]
        return before + (after - before) * seconds // HOUR_SECONDS

    def write(self, symbol: str, file: Path, start: int, end: int) -> None:
        """The hourly prices over [start, end] as `time,usd`."""
        with file.open("w", newline="") as out:
            rows = csv.writer(out, lineterminator="\n")
            rows.writerow(["time", "usd"])
            for time in range(start, end + 1, HOUR_SECONDS):
                rows.writerow([time_text(time), format_units(self.usd(symbol, time), PRICE_DECIMALS)])

    def _walk(self, path: Wander, random: Random) -> list[int]:
        level, prices, unit = math.log(path.anchor), [], 10 ** (PRICE_DECIMALS - path.decimals)
        for hour in range(self._hours):
            prices.append(round(math.exp(level) * 10**path.decimals) * unit)
            time = STORY_START + hour * HOUR_SECONDS
            storm = week(STORM[0]) <= time < week(STORM[1])
            level += random.gauss(_drift(time), path.hourly * (_STORM_FACTOR if storm else 1))
            level += (math.log(path.anchor) - level) * path.pull
        return prices


def _drift(time: int) -> float:
    """The storm's fall and recovery, per hour."""
    day = (time - week(STORM[0])) / 86_400
    if 0 <= day < 2:
        return math.log(1 - _STORM_FALL) / 48
    return -0.8 * math.log(1 - _STORM_FALL) / 72 if 2 <= day < 5 else 0.0
