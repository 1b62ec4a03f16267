"""A sweep: one pass over a pool's swaps that sorts the time spent at each price into buckets."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter

from loyalty.accrual.boundaries import Boundaries
from loyalty.accrual.buckets import Buckets, Sums
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import PoolPrice
from loyalty.core.times import time_text

_TIME = itemgetter(0)


class Sweep:
    """Goes from second to second through `swaps`; between two of them the pool's price stands still.

    Before the pool has a price (its Initialize) no time is counted. Nothing that is asked here depends on the order of
    swaps and questions within one second: such a stretch has no length.
    """

    def __init__(self, boundaries: Boundaries, start: int, price: PoolPrice | None, swaps: Sequence[PoolPrice]) -> None:
        self._boundaries = boundaries
        self._now = start
        self._price = price
        self._swaps = swaps
        self._next = 0
        self.buckets = Buckets(boundaries.buckets)

    def advance(self, until: int, price0: int, price1: int) -> None:
        """Counts the time up to `until`, during which the tokens' USD prices stand still at `price0`, `price1`.

        Raises Inconsistent when the swaps go back in time or a price contradicts its tick.
        """
        end = bisect_left(self._swaps, until, lo=self._next, key=_TIME)
        swaps = self._swaps[self._next : end]
        self._next = end
        if self._price is None and swaps:
            first = swaps[0]
            if first.time < self._now:
                raise _backwards(self._now, first.time)
            self._price, self._now, swaps = first, first.time, swaps[1:]
        if self._price is not None:
            self._count(self._price, swaps, until, price0, price1)
            self._price = swaps[-1] if swaps else self._price
        self._now = until

    def finish(self) -> None:
        """Raises Inconsistent when swaps are left that no `advance` reached."""
        if self._next < len(self._swaps):
            late = self._swaps[self._next]
            raise Inconsistent(f"a swap at {time_text(late.time)} lies outside the span or out of order")

    def _count(self, price: PoolPrice, swaps: Sequence[PoolPrice], until: int, price0: int, price1: int) -> None:
        """The inner loop: local names only, and a bucket is written when the price leaves it, not at each swap."""
        one_x256 = 1 << 256
        now = self._now
        _, root, tick = price
        index = lower = upper = lowest_root = highest_root = 0
        seconds = inverse_seconds = root_seconds = 0
        for time, next_root, next_tick in chain(swaps, (PoolPrice(until, root, tick),)):
            elapsed = time - now
            if elapsed:
                if not lower <= tick < upper:
                    self._add(index, seconds, inverse_seconds, root_seconds, price0, price1)
                    seconds = inverse_seconds = root_seconds = 0
                    index, lower, upper, lowest_root, highest_root = self._boundaries.bucket_of(tick)
                if elapsed < 0:
                    raise _backwards(now, time)
                if not lowest_root <= root <= highest_root or not lower <= tick < upper:
                    raise _contradiction(now, root, tick)
                seconds += elapsed
                inverse_seconds += elapsed * (one_x256 // root)
                root_seconds += elapsed * root
                now = time
            root = next_root
            tick = next_tick
        self._add(index, seconds, inverse_seconds, root_seconds, price0, price1)

    def _add(self, index: int, seconds: int, inverses: int, roots: int, price0: int, price1: int) -> None:
        if seconds:
            sums = Sums(price0 * seconds, price1 * seconds, price0 * inverses, price1 * roots, seconds)
            self.buckets.add(index, sums)


def _backwards(now: int, time: int) -> Inconsistent:
    return Inconsistent(f"{time_text(time)} comes after {time_text(now)}: the pool's swaps go back in time")


def _contradiction(now: int, root: int, tick: int) -> Inconsistent:
    return Inconsistent(
        f"the pool's price from {time_text(now)} on contradicts itself: sqrtPriceX96 {root}, tick {tick}"
    )
