"""Buckets: what the time spent between two neighbouring boundaries adds up to, and what the time below one does."""

from itertools import accumulate
from typing import NamedTuple


class Sums(NamedTuple):
    """The four sums of docs/accrual.md and the plain seconds, over some stretches of time.

    p0, p1 are USD prices as integers at the tokens' price scales, s the sqrt price X96, I(s) its inverse.
    """

    usd0: int
    """A = ∫ p0 dt"""
    usd1: int
    """B = ∫ p1 dt"""
    usd0_inverse: int
    """C = ∫ p0 I(s) dt"""
    usd1_root: int
    """D = ∫ p1 s dt"""
    seconds: int


class Buckets:
    """One `Sums` a bucket, with a second level of sums over blocks of about sqrt(count) buckets.

    Adding costs the same whichever path the price takes; `below` costs O(sqrt(count)), `running` O(count) for all.
    """

    def __init__(self, count: int) -> None:
        self._shift = count.bit_length() // 2
        blocks = (count >> self._shift) + 1
        self._fine = [[0] * count for _ in Sums._fields]
        self._coarse = [[0] * blocks for _ in Sums._fields]
        self._last = count - 1

    def add(self, bucket: int, sums: Sums) -> None:
        block = bucket >> self._shift
        for fine, coarse, amount in zip(self._fine, self._coarse, sums, strict=True):
            fine[bucket] += amount
            coarse[block] += amount

    def below(self, boundary: int) -> Sums:
        """Over all time spent strictly below boundary number `boundary`."""
        end = boundary + 1
        blocks = end >> self._shift
        rest = blocks << self._shift
        levels = zip(self._fine, self._coarse, strict=True)
        return Sums(*(sum(coarse[:blocks]) + sum(fine[rest:end]) for fine, coarse in levels))

    def total(self) -> Sums:
        """Over all time."""
        return self.below(self._last)

    def running(self) -> list[Sums]:
        """`below` of every boundary, in order, and at the end the total."""
        return [Sums(*sums) for sums in zip(*map(accumulate, self._fine), strict=True)]
