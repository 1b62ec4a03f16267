"""A pool's day with gauges: what its LP tokens are credited, those in gauges to whoever staked them.

Each gauge is looked through alone: gauge tokens that lie in another gauge of the pool were sent there by a plain
transfer and are nobody's, as are those in the pool itself.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from loyalty.accrual.day import Cell, TokenScale
from loyalty.accrual.look_through import LookThrough, Stretch, cut_times, resolve
from loyalty.accrual.shares import (
    ShareDay,
    ShareIndex,
    accrue_shares,
    credit_between,
    share_cells,
    share_index,
    share_scale,
)
from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, usd_micro
from loyalty.core.spans import Span


class GaugedDay(NamedTuple):
    """`direct` is the exact credit of each holder of LP tokens (`share_scale` has its unit), `staked` what each gauge's
    cell gave to those behind it. `cells` adds both up: a holder's own credit is floored once, its parts are whole."""

    direct: Mapping[Address, int]
    staked: Mapping[Address, Mapping[Address, Cell]]
    cells: Mapping[Address, Cell]


def accrue_gauged(day: ShareDay, gauges: Sequence[LookThrough]) -> GaugedDay:
    """The credits of a pool-day. Raises as `accrue_shares` and `resolve` do."""
    scale = share_scale([coin.scale for coin in day.coins])
    credited = accrue_shares(day)
    own = share_cells(credited, scale)
    index = share_index(day)
    nobody = {*day.nobody, *(gauge.contract for gauge in gauges)}
    staked = {
        gauge.contract: {
            holder: cell for holder, cell in _behind(gauge, day, index, own).items() if holder not in nobody
        }
        for gauge in gauges
    }
    direct = {holder: raw for holder, raw in credited.items() if holder not in nobody}
    parts = [{holder: cell for holder, cell in own.items() if holder not in nobody}, *staked.values()]
    return GaugedDay(direct, staked, _added(parts))


def _behind(
    gauge: LookThrough, day: ShareDay, index: ShareIndex, own: Mapping[Address, Cell]
) -> Mapping[Address, Cell]:
    """The gauge's cell divided among its stakers; what cannot be given to any stays with the gauge."""
    cell = own.get(gauge.contract)
    if cell is None:
        return {}
    cuts = cut_times(day.span, [gauge])
    credits = credit_between(index, day.shares, gauge.contract, cuts)  # noqa: A001
    stretches = [Stretch(Span(*ends), raw, raw) for ends, raw in zip(pairwise(cuts), credits, strict=True)]
    return resolve(day.span, [gauge], {gauge.contract: stretches}, {gauge.contract: cell}).cells


def _added(parts: Sequence[Mapping[Address, Cell]]) -> dict[Address, Cell]:
    found: dict[Address, Cell] = {}
    for part in parts:
        for holder, cell in part.items():
            before = found.get(holder, Cell(0, 0))
            found[holder] = Cell(
                usd_micro(before.usd_micro_days + cell.usd_micro_days),
                usd_micro(before.usd_micro_days_in_range + cell.usd_micro_days_in_range),
            )
    return found


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
    balances: Mapping[Address, int], gauges: Mapping[Address, Mapping[Address, int]], nobody: frozenset[Address]
) -> dict[Address, Fraction]:
    """How many LP tokens are each holder's, in its hands and behind gauges.

    `gauges` has each gauge's own balances. A gauge token stands for one LP token, or less where the gauge holds fewer
    than it has issued.
    """
    left_out = nobody | gauges.keys()
    found = {holder: Fraction(units) for holder, units in balances.items() if holder not in left_out}
    for gauge, staked in gauges.items():
        issued, held = sum(staked.values()), balances.get(gauge, 0)
        for holder, units in staked.items():
            if holder not in left_out:
                part = Fraction(units * held, max(issued, held))
                found[holder] = found.get(holder, Fraction(0)) + part
    return found
