"""A pool-day looked through: its own cells, with those of contracts given to whoever stands behind them.

The one way for every kind of pool. What a kind must bring is its own cells, and the exact credit of a contract between
any moments of the day; contracts come in the order in which one holds the shares of another, gauges first. Contracts
that hold nothing of each other are resolved apart: what happens behind one cuts no stretch of the other's
(docs/look-through.md).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from loyalty.accrual.day import Cell
from loyalty.accrual.look_through import (
    LookThrough,
    Resolution,
    Stretch,
    check_named_once,
    cut_times,
    resolve,
)
from loyalty.core.address import Address
from loyalty.core.amounts import usd_micro
from loyalty.core.spans import Span

CreditsBetween = Callable[[Mapping[Address, Sequence[int]]], Mapping[Address, Sequence[Stretch]]]
"""Asked once a pool-day: the moments of each contract whose credit is wanted, ascending from the span's start to its
end; answers with the stretches between them."""


class LookedThrough(NamedTuple):
    """`cells` are the providers', `unresolved` what is nobody's, by whom it stays with: together the cells before.

    `passed` is what each contract that had anything gave to each of its holders, other contracts and nobody's among
    them: a provider's cell is its own before plus its part of each contract.
    """

    cells: dict[Address, Cell]
    unresolved: dict[Address, Cell]
    passed: dict[Address, dict[Address, Cell]]


def look_through(
    span: Span,
    contracts: Sequence[LookThrough],
    credits_between: CreditsBetween,
    cells: Mapping[Address, Cell],
    nobody: Collection[Address] = (),
) -> LookedThrough:
    """The cells of a pool-day, looked through `contracts`.

    `nobody` are the holders that are no providers (the pool itself, its LP token); a contract among them is not looked
    through in this pool's day. Raises as `resolve` does, and Overflow beyond 63 bits.
    """
    check_named_once(contracts)
    takers = _takers([each for each in contracts if each.contract not in nobody])
    groups = _groups(_reached(contracts, takers, cells), takers)
    asked = {each.contract: cut_times(span, group) for group in groups for each in group if each.contract in cells}
    credits = credits_between(asked) if asked else {}  # noqa: A001
    found = [resolve(span, group, credits, _of(group, cells)) for group in groups]
    merged = added([_others(groups, cells), *(each.cells for each in found)])
    apart = {each.contract for each in contracts}.union(nobody)
    return LookedThrough(
        {holder: cell for holder, cell in merged.items() if holder not in apart},
        {holder: cell for holder, cell in merged.items() if holder in apart},
        _passed(contracts, found),
    )


def added(parts: Iterable[Mapping[Address, Cell]]) -> dict[Address, Cell]:
    """The cells of each holder, added up. Raises Overflow beyond 63 bits."""
    found: dict[Address, Cell] = {}
    for part in parts:
        for holder, cell in part.items():
            before = found.get(holder, Cell(0, 0))
            found[holder] = Cell(
                usd_micro(before.usd_micro_days + cell.usd_micro_days),
                usd_micro(before.usd_micro_days_in_range + cell.usd_micro_days_in_range),
            )
    return found


def _takers(contracts: Sequence[LookThrough]) -> dict[Address, set[Address]]:
    """By contract, the later ones that have shares of it at some moment and pass on what these are credited."""
    takers: dict[Address, set[Address]] = {}
    later = {each.contract for each in contracts if not each.only_own}
    for each in contracts:
        later.discard(each.contract)
        takers[each.contract] = later & each.holders
    return takers


def _reached(
    contracts: Sequence[LookThrough], takers: Mapping[Address, set[Address]], cells: Mapping[Address, Cell]
) -> list[LookThrough]:
    """Those that have a cell, or shares of one before them that is reached."""
    reached: list[LookThrough] = []
    given: set[Address] = set()
    for each in contracts:
        if each.contract in takers and (each.contract in cells or each.contract in given):
            reached.append(each)
            given |= takers[each.contract]
    return reached


def _groups(contracts: Sequence[LookThrough], takers: Mapping[Address, set[Address]]) -> list[list[LookThrough]]:
    """Contracts that pass anything on to each other, however far, stand in one group; the order stays."""
    groups: list[list[LookThrough]] = []
    for each in contracts:
        joined = [group for group in groups if any(each.contract in takers[giver.contract] for giver in group)]
        members = {member.contract for group in joined for member in group} | {each.contract}
        groups = [group for group in groups if group not in joined]
        groups.append([member for member in contracts if member.contract in members])
    return groups


def _of(group: Sequence[LookThrough], cells: Mapping[Address, Cell]) -> dict[Address, Cell]:
    return {each.contract: cells[each.contract] for each in group if each.contract in cells}


def _others(groups: Sequence[Sequence[LookThrough]], cells: Mapping[Address, Cell]) -> dict[Address, Cell]:
    names = {each.contract for group in groups for each in group}
    return {holder: cell for holder, cell in cells.items() if holder not in names}


def _passed(contracts: Sequence[LookThrough], found: Sequence[Resolution]) -> dict[Address, dict[Address, Cell]]:
    """In the contracts' order."""
    passed = {contract: parts for each in found for contract, parts in each.passed.items()}
    return {each.contract: passed[each.contract] for each in contracts if each.contract in passed}
