"""The liquidity in range of one pool: the sum over all ranges with lower <= tick < upper, kept while the tick moves."""

from bisect import bisect_right, insort
from itertools import islice

_BELOW_ALL = -(1 << 24)
_ABOVE_ALL = 1 << 24
"""Ticks are int24: beyond every boundary."""


class InRangeLiquidity:
    """`liquidity` at `tick`; both None until the pool has a price.

    Each boundary k keeps the net liquidity that comes into range when the tick rises to k (`liquidityNet` of v3-core's
    Tick), so the liquidity at a tick is the sum over all boundaries at or below it. A move costs O(boundaries crossed),
    a new range O(boundaries).
    """

    __slots__ = ("_ceiling", "_floor", "_net", "_ticks", "liquidity", "tick")

    def __init__(self) -> None:
        self.tick: int | None = None
        self.liquidity: int | None = None
        self._net: dict[int, int] = {}
        self._ticks: list[int] = []
        self._floor = self._ceiling = 0  # boundaries next to the tick: floor <= tick < ceiling. None yet, so none holds

    def copy(self) -> "InRangeLiquidity":
        twin = InRangeLiquidity()
        twin.tick, twin.liquidity = self.tick, self.liquidity
        twin._net, twin._ticks = self._net.copy(), self._ticks.copy()
        twin._floor, twin._ceiling = self._floor, self._ceiling
        return twin

    def add(self, lower: int, upper: int, liquidity_delta: int) -> None:
        """The range [lower, upper) gained `liquidity_delta`."""
        self._add_net(lower, liquidity_delta)
        self._add_net(upper, -liquidity_delta)
        if self.tick is None or self.liquidity is None:
            return
        if lower <= self.tick < upper:
            self.liquidity += liquidity_delta
        self._look_around(bisect_right(self._ticks, self.tick))

    def move(self, tick: int) -> int:
        """The tick is `tick` from now on; the liquidity in range there."""
        if self.liquidity is not None and self._floor <= tick < self._ceiling:
            self.tick = tick
            return self.liquidity
        return self._cross(tick)

    def _cross(self, tick: int) -> int:
        old = 0 if self.tick is None else bisect_right(self._ticks, self.tick)
        new = bisect_right(self._ticks, tick)
        crossed = sum(map(self._net.__getitem__, islice(self._ticks, min(old, new), max(old, new))))
        self.liquidity = (self.liquidity or 0) + (crossed if new > old else -crossed)
        self.tick = tick
        self._look_around(new)
        return self.liquidity

    def _add_net(self, boundary: int, net: int) -> None:
        before = self._net.get(boundary, 0)
        if before + net == 0:
            del self._net[boundary]
            del self._ticks[bisect_right(self._ticks, boundary) - 1]
            return
        self._net[boundary] = before + net
        if before == 0:
            insort(self._ticks, boundary)

    def _look_around(self, index: int) -> None:
        """`index` counts the boundaries at or below the tick."""
        self._floor = self._ticks[index - 1] if index else _BELOW_ALL
        self._ceiling = self._ticks[index] if index < len(self._ticks) else _ABOVE_ALL
