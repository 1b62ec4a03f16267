"""Contracts that own positions: a pool-day of concentrated liquidity looked through them.

What an owner has earned until a moment is Σ booked + liquidity * G over its positions (ledger.py), exactly; between two
moments it is the difference. So any cutting of the day adds up to the owner's whole credit to the last unit, and a cut
costs the owner's positions, nobody else's (docs/look-through.md).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import NamedTuple

from loyalty.accrual.concentrated import RangeIntegral
from loyalty.accrual.day import Cell, ConcentratedDay, Credit, Walk, accrue_concentrated, cells
from loyalty.accrual.ledger import Ledger
from loyalty.accrual.look_through import LookThrough, Stretch
from loyalty.accrual.looked_through import look_through
from loyalty.core.address import Address
from loyalty.core.facts import PositionKey
from loyalty.core.spans import Span


class OwnedDay(NamedTuple):
    """`credits` is every position's exact credit, the contracts' too. `passed`, `cells` and `unresolved` as in
    `LookedThrough`: `cells` are the providers' own, floored once, and their parts of each contract."""

    credits: Mapping[PositionKey, Credit]
    passed: Mapping[Address, Mapping[Address, Cell]]
    cells: Mapping[Address, Cell]
    unresolved: Mapping[Address, Cell]


def accrue_owned(day: ConcentratedDay, contracts: Sequence[LookThrough]) -> OwnedDay:
    """The credits of a pool-day, looked through `contracts` in their order.

    Without a contract that has anything it is `accrue_concentrated` and nothing more. Raises as that and `look_through`
    do.
    """
    credited = accrue_concentrated(day)
    own = cells(credited, day.scale0, day.scale1)
    found = look_through(day.span, contracts, lambda asked: stretches_of(day, asked), own)
    return OwnedDay(credited, found.passed, found.cells, found.unresolved)


def stretches_of(day: ConcentratedDay, cuts: Mapping[Address, Sequence[int]]) -> dict[Address, list[Stretch]]:
    """What each owner was credited between its cuts, in raw USD (`scale_of` has its unit): n + 1 ascending moments of
    the span give n stretches. One pass over the swaps for all owners."""
    walk = Walk(_only(day, cuts.keys()))
    positions = _positions_of(day, cuts.keys())
    owners_at: dict[int, list[Address]] = defaultdict(list)
    for owner, times in cuts.items():
        for time in times:
            owners_at[time].append(owner)
    earned: dict[Address, list[_Earned]] = {owner: [] for owner in cuts}
    for time, until_then in walk.moments(owners_at):
        for owner in owners_at.get(time, ()):
            earned[owner].append(_earned(walk.ledger, positions[owner], until_then))
    return {owner: _stretches(times, earned[owner]) for owner, times in cuts.items()}


class _Earned(NamedTuple):
    """Raw USD since the span began."""

    total: int
    in_range: int


def _only(day: ConcentratedDay, owners: Collection[Address]) -> ConcentratedDay:
    """The day as if no one else had been in the pool."""
    held = {position: liquidity for position, liquidity in day.positions.items() if position.owner in owners}
    changes = [change for change in day.changes if change.position.owner in owners]
    return replace(day, positions=held, changes=changes)


def _positions_of(day: ConcentratedDay, owners: Collection[Address]) -> dict[Address, list[PositionKey]]:
    found: dict[Address, list[PositionKey]] = {owner: [] for owner in owners}
    for position in dict.fromkeys(chain(day.positions, (change.position for change in day.changes))):
        if position.owner in owners:
            found[position.owner].append(position)
    return found


def _earned(ledger: Ledger, positions: Sequence[PositionKey], until_then: RangeIntegral) -> _Earned:
    total = in_range = 0
    for position in positions:
        entry = ledger.entries.get(position)
        if entry is not None:
            unit = until_then.of(position.lower, position.upper)
            total += entry.usd + entry.liquidity * unit.usd
            in_range += entry.usd_in_range + entry.liquidity * unit.usd_in_range
    return _Earned(total, in_range)


def _stretches(times: Sequence[int], earned: Sequence[_Earned]) -> list[Stretch]:
    return [
        Stretch(Span(*ends), after.total - before.total, after.in_range - before.in_range)
        for ends, (before, after) in zip(pairwise(times), pairwise(earned), strict=True)
    ]
