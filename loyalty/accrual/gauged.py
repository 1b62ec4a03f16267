"""A pool's day with gauges: what its LP tokens are credited, those in gauges and other contracts to whoever is behind.

A gauge's tokens stand for the pool's LP tokens alone: those of one gauge that lie in another gauge of the pool were
sent there by a plain transfer and are nobody's, as are those in the pool itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from loyalty.accrual.behind import HeldShares, behind
from loyalty.accrual.day import Cell, TokenScale
from loyalty.accrual.look_through import LookThrough, Stretch
from loyalty.accrual.looked_through import look_through
from loyalty.accrual.shares import (
    PerShareDay,
    ShareDay,
    credit_between,
    credited,
    index_of,
    scale_of_day,
    share_cells,
)
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.spans import Span


class GaugedDay(NamedTuple):
    """`direct` is the exact credit of each holder of LP tokens (`scale_of_day` has its unit), `staked` what the cell of
    each gauge or other contract gave to those behind it.

    `cells` adds both up: a holder's own credit is floored once, its parts are whole. `unresolved` is what is nobody's,
    by whom it stays with.
    """

    direct: Mapping[Address, int]
    staked: Mapping[Address, Mapping[Address, Cell]]
    cells: Mapping[Address, Cell]
    unresolved: Mapping[Address, Cell]


def accrue_gauged(
    day: ShareDay | PerShareDay, gauges: Sequence[LookThrough], contracts: Sequence[LookThrough] = ()
) -> GaugedDay:
    """The credits of a pool-day: `gauges` of this pool, then the program's other `contracts` in their order.

    `day` values LP tokens by the pool's holdings, or by what it tells.

    Raises as `credited` and `look_through` do.
    """
    through = [*(replace(gauge, only_own=True) for gauge in gauges), *contracts]
    credit = credited(day)
    own = share_cells(credit, scale_of_day(day))
    found = look_through(day.span, through, lambda asked: _credits_between(day, asked), own, day.nobody)
    apart = {*day.nobody, *(each.contract for each in through)}
    direct = {holder: raw for holder, raw in credit.items() if holder not in apart}
    staked = {each.contract: found.passed.get(each.contract, {}) for each in through}
    return GaugedDay(direct, staked, found.cells, found.unresolved)


def _credits_between(
    day: ShareDay | PerShareDay, asked: Mapping[Address, Sequence[int]]
) -> dict[Address, list[Stretch]]:
    """Shares are always in range."""
    index = index_of(day)
    return {
        contract: [
            Stretch(Span(*ends), raw, raw)
            for ends, raw in zip(pairwise(cuts), credit_between(index, day.shares, contract, cuts), strict=True)
        ]
        for contract, cuts in asked.items()
    }


class Holdings(NamedTuple):
    """What a pool holds at a moment: units of each coin, USD per whole coin, the scales of both; and the LP supply."""

    units: Sequence[int]
    prices: Sequence[int]
    scales: Sequence[TokenScale]
    supply: int


def shares_usd_micro(lp_units: Mapping[Address, Fraction], holdings: Holdings) -> dict[Address, int]:
    """Micro-dollars of each holder's LP tokens at a moment: its part of the pool's value, floored once.

    Raises Overflow beyond 63 bits.
    """
    places = [scale.decimals + scale.price_decimals for scale in holdings.scales]
    values = zip(holdings.units, holdings.prices, places, strict=True)
    raw = sum(units * price * 10 ** (max(places) - place) for units, price, place in values)
    micro = Fraction(raw * 10**USD_DECIMALS, holdings.supply * 10 ** max(places)) if holdings.supply else Fraction(0)
    return {holder: usd_micro(int(units * micro)) for holder, units in lp_units.items()}


def lp_units_of(
    balances: Mapping[Address, int],
    gauges: Mapping[Address, Mapping[Address, int]],
    nobody: frozenset[Address],
    contracts: Sequence[HeldShares] = (),
) -> dict[Address, Fraction]:
    """How many LP tokens are each holder's, in its hands, behind gauges and behind the program's other contracts.

    `gauges` has each gauge's own balances. A gauge token stands for one LP token, or less where the gauge holds fewer
    than it has issued.
    """
    staked = [HeldShares(gauge, held, balances.get(gauge, 0), only_own=True) for gauge, held in gauges.items()]
    units = {holder: Fraction(held) for holder, held in balances.items()}
    return behind(units, [*staked, *contracts], nobody)
