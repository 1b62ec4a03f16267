"""A pool-day written as a timeline that one can read.

    0  tick  0
    0  mint  alice  -60..60  1000
   10  tick  75
   20  tick  60 falling
   25  move  alice  bob  -60..60
   30  end

`tick N` puts the price exactly at tick N; `tick N falling` at the same price, reached by a swap downwards: the tick is
N - 1. `mint` and `burn` give an owner, a range and liquidity; `move` hands a position to another owner. `usd0` and
`usd1` are USD per whole token. Until they are said both tokens cost one dollar; amounts have no decimals, prices 8.
"""

from collections.abc import Callable

from loyalty.accrual.day import ConcentratedDay, PriceStep, TokenScale
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.amounts import parse_units
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span

SCALE = TokenScale(decimals=0, price_decimals=8)


class _Reader:
    def __init__(self) -> None:
        self.swaps: list[PoolPrice] = []
        self.changes: list[PositionChange] = []
        self.steps: dict[str, dict[int, int]] = {"usd0": {0: 10**8}, "usd1": {0: 10**8}}
        self.held: dict[PositionKey, int] = {}
        self.end = 0

    def read(self, time: int, verb: str, words: list[str]) -> None:
        verbs: dict[str, Callable[..., None]] = {
            "tick": self._tick,
            "mint": self._mint,
            "burn": self._burn,
            "move": self._move,
            "end": self._end,
        }
        if verb in self.steps:
            self.steps[verb][time] = parse_units(words[0], SCALE.price_decimals)
        else:
            verbs[verb](time, *words)

    def _tick(self, time: int, tick: str, falling: str = "") -> None:
        self.swaps.append(PoolPrice(time, sqrt_ratio_at_tick(int(tick)), int(tick) - (falling == "falling")))

    def _mint(self, time: int, owner: str, ticks: str, liquidity: str) -> None:
        self._change(time, _key(owner, ticks), int(liquidity))

    def _burn(self, time: int, owner: str, ticks: str, liquidity: str) -> None:
        self._change(time, _key(owner, ticks), -int(liquidity))

    def _move(self, time: int, sender: str, recipient: str, ticks: str) -> None:
        liquidity = self.held[_key(sender, ticks)]
        self._change(time, _key(sender, ticks), -liquidity)
        self._change(time, _key(recipient, ticks), liquidity)

    def _change(self, time: int, position: PositionKey, delta: int) -> None:
        self.held[position] = self.held.get(position, 0) + delta
        self.changes.append(PositionChange(time, position, delta))

    def _end(self, time: int) -> None:
        self.end = time


def _key(owner: str, ticks: str) -> PositionKey:
    lower, upper = ticks.split("..")
    return PositionKey(Address(owner), int(lower), int(upper), None)


def timeline(text: str) -> ConcentratedDay:
    """The pool-day from second 0 to `end` that the lines tell."""
    reader = _Reader()
    for line in filter(None, map(str.strip, text.splitlines())):
        time, verb, *words = line.split()
        reader.read(int(time), verb, words)
    steps = {name: [PriceStep(*step) for step in sorted(prices.items())] for name, prices in reader.steps.items()}
    return ConcentratedDay(
        span=Span(0, reader.end),
        price=None,
        positions={},
        swaps=reader.swaps,
        changes=reader.changes,
        steps0=steps["usd0"],
        steps1=steps["usd1"],
        scale0=SCALE,
        scale1=SCALE,
    )
