"""Concentrated liquidity: what one unit of it on a range earns, from the sums at the range's two ends.

With phi_k(s) = p0 max(I(s) - I_k, 0) * factor0 + p1 min(s, s_k) * factor1, one unit of liquidity on [lower, upper) is
worth phi_upper(s) - phi_lower(s): a position is a call spread. Its time integral needs four sums at each end
(docs/accrual.md). Units: USD at the larger of the two price scales, times 2**160 * 10**(decimals0 + decimals1).
"""

from collections.abc import Callable
from typing import NamedTuple

from loyalty.accrual.boundaries import Boundaries
from loyalty.accrual.buckets import Sums


class Factors(NamedTuple):
    """What brings price0 * I(s) and price1 * s to the same unit."""

    token0: int
    token1: int


class UnitCredit(NamedTuple):
    """What one unit of liquidity on a range has earned so far: USD-seconds in full and in range, seconds in range."""

    usd: int
    usd_in_range: int
    in_range_seconds: int


NOTHING = UnitCredit(0, 0, 0)


class RangeIntegral:
    """Answers for one moment what each range has earned up to it; asked again for a range it remembers."""

    def __init__(self, boundaries: Boundaries, below: Callable[[int], Sums], total: Sums, factors: Factors) -> None:
        """`below(i)` are the sums over the time spent below boundary i until this moment, `total` over all of it."""
        self._boundaries = boundaries
        self._below = below
        self._total = total
        self._factors = factors
        self._known: dict[tuple[int, int], UnitCredit] = {}

    def of(self, lower: int, upper: int) -> UnitCredit:
        known = self._known.get((lower, upper))
        if known is None:
            known = self._known[lower, upper] = self._integral(lower, upper)
        return known

    def _integral(self, lower: int, upper: int) -> UnitCredit:
        """Time below the range holds token0 only, time above it token1 only; what is between is in range."""
        bounds, factors = self._boundaries, self._factors
        low, high = bounds.index[lower], bounds.index[upper]
        below, until = self._below(low), self._below(high)
        inverse_low, inverse_high = bounds.inverses[low], bounds.inverses[high]
        root_low, root_high = bounds.roots[low], bounds.roots[high]
        token0 = until.usd0_inverse - below.usd0_inverse - (until.usd0 - below.usd0) * inverse_high
        token1 = until.usd1_root - below.usd1_root - (until.usd1 - below.usd1) * root_low
        usd_in_range = token0 * factors.token0 + token1 * factors.token1
        usd_below = below.usd0 * (inverse_low - inverse_high) * factors.token0
        usd_above = (self._total.usd1 - until.usd1) * (root_high - root_low) * factors.token1
        return UnitCredit(usd_in_range + usd_below + usd_above, usd_in_range, until.seconds - below.seconds)
