"""Boundaries: the ticks at which positions begin or end, and the buckets of ticks between them."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from loyalty.accrual.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, inverse, sqrt_ratio_at_tick


class Bucket(NamedTuple):
    """Bucket `number`: the ticks [lower, upper), and the sqrt prices that go with them, both ends included.

    At `highest_root` the tick is `upper` or, after a swap downwards that ends there, `upper` - 1.
    """

    number: int
    lower: int
    upper: int
    lowest_root: int
    highest_root: int


class Boundaries:
    """Ascending ticks with their sqrt ratios and inverses. Bucket i lies below boundary i; the last lies above all."""

    def __init__(self, ticks: Iterable[int]) -> None:
        """Raises Invalid when a tick is beyond the grid."""
        self.ticks = sorted(set(ticks))
        self.roots = [sqrt_ratio_at_tick(tick) for tick in self.ticks]
        self.inverses = [inverse(root) for root in self.roots]
        self.index = {tick: index for index, tick in enumerate(self.ticks)}
        self._edge_ticks = [MIN_TICK, *self.ticks, MAX_TICK + 1]
        self._edge_roots = [MIN_SQRT_RATIO, *self.roots, MAX_SQRT_RATIO]

    @property
    def buckets(self) -> int:
        return len(self.ticks) + 1

    def bucket_of(self, tick: int) -> Bucket:
        """The bucket in which `tick` lies."""
        index = bisect_right(self.ticks, tick)
        ticks, roots = self._edge_ticks, self._edge_roots
        return Bucket(index, ticks[index], ticks[index + 1], roots[index], roots[index + 1])
