"""Look-through: what a contract is credited in a pool-day belongs to the holders behind it.

Between changes of its shares an index in units of 2**-128 grows by floor(credit * 2**128 / shares); a holder's weight
is balance times the growth. At the day's end the contract's cell is divided by these weights to the unit, by largest
remainder (docs/look-through.md). Holders can be contracts that are looked through themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from loyalty.accrual.day import Cell
from loyalty.accrual.shares import INDEX_BITS, ShareChange, SupplyChange
from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.spans import Span
from loyalty.core.times import time_text


class Stretch(NamedTuple):
    """What a contract was credited itself over a part of the day, in the pool-day's raw USD. Exact, not rounded."""

    span: Span
    credit_raw: int
    in_range_raw: int


@dataclass(frozen=True, slots=True)
class Backing:
    """What a contract holds one unit of for each of its shares (a gauge its LP tokens): units at the span's start, and
    changes. What it holds beyond its shares was sent to it by a plain transfer and is nobody's."""

    units: int
    changes: Sequence[SupplyChange]


@dataclass(frozen=True, slots=True)
class LookThrough:
    """A contract that holds for others, and who holds its shares: at the span's start, and changes inside it in order.

    Without `backing` all it is credited belongs to its shares, whatever one of them stands for. The shares of one with
    `only_own` (a gauge) stand for the pool's own tokens alone: what it has of another contract's shares was sent to it
    by a plain transfer and is nobody's.
    """

    contract: Address
    balances: Mapping[Address, int]
    changes: Sequence[ShareChange]
    backing: Backing | None = None
    only_own: bool = False

    @property
    def holders(self) -> set[Address]:
        """Everyone with shares at some moment of the span."""
        return self.balances.keys() | {change.holder for change in self.changes}


class Resolution(NamedTuple):
    """`cells` of all holders; what could not be given to anyone stays in the contract's own cell, and that part stands
    in `unresolved` too. The cells add up to what they were, total and in range.

    `passed` is what each contract, in their order, gave to each of its holders, other contracts among them.
    """

    cells: dict[Address, Cell]
    unresolved: dict[Address, Cell]
    passed: dict[Address, dict[Address, Cell]]


class _Credit(NamedTuple):
    """Raw USD times 2**128: all of it, and in range."""

    total: int
    in_range: int


_NOTHING = _Credit(0, 0)


def cut_times(span: Span, contracts: Sequence[LookThrough]) -> list[int]:
    """The moments between which the contracts' credit must be known: the span's ends, and every change inside."""
    times = {change.time for contract in contracts for change in contract.changes}
    times |= {change.time for contract in contracts if contract.backing for change in contract.backing.changes}
    if any(not span.contains(time) for time in times):
        raise Inconsistent("shares of a contract changed outside the span")
    return sorted({span.start, *times, span.end})


def resolve(
    span: Span,
    contracts: Sequence[LookThrough],
    credits: Mapping[Address, Sequence[Stretch]],  # noqa: A002
    cells: Mapping[Address, Cell],
) -> Resolution:
    """The cells of a pool-day with those of `contracts` given to the holders behind them.

    `contracts` stand in the order in which one holds the shares of another, the pool's own holders first: a holder that
    is a later contract passes its part on. One that is an earlier contract, the contract itself or one of `only_own`
    keeps it unresolved: anyone can send a token back, so a circle is no error, and nothing runs in it. `credits` has,
    for each contract with a cell of its own, stretches that meet at least at `cut_times`. Raises Inconsistent where
    these contradict each other, Invalid for a contract named twice.
    """
    check_named_once(contracts)
    chain_of = _Chain(cut_times(span, contracts), contracts, credits, cells)
    for contract in contracts:
        chain_of.pass_on(contract)
    return chain_of.resolution()


def check_named_once(contracts: Sequence[LookThrough]) -> None:
    named: set[Address] = set()
    for contract in contracts:
        if contract.contract in named:
            raise Invalid(f"{contract.contract} is looked through twice: name it once")
        named.add(contract.contract)


class _Chain:
    """Goes from contract to contract. `_waiting` holds what the contracts still to come are credited, cut by cut."""

    def __init__(
        self,
        cuts: Sequence[int],
        contracts: Sequence[LookThrough],
        credits: Mapping[Address, Sequence[Stretch]],  # noqa: A002
        cells: Mapping[Address, Cell],
    ) -> None:
        self._cuts = cuts
        self._waiting = {each.contract: _by_cut(each.contract, cuts, credits) for each in contracts}
        self._closed = {each.contract for each in contracts if each.only_own}
        """Those that pass on nothing more: what they are given stays with them."""
        self._cells = dict(cells)
        self._unresolved: dict[Address, Cell] = {}
        self._passed: dict[Address, dict[Address, Cell]] = {}

    def resolution(self) -> Resolution:
        cells = self._cells
        for contract, cell in self._unresolved.items():
            cells[contract] = _sum(cells.get(contract), cell)
        return Resolution(cells, self._unresolved, self._passed)

    def pass_on(self, contract: LookThrough) -> None:
        """The contract's cell goes to its holders."""
        credit = self._waiting.pop(contract.contract)
        self._closed.add(contract.contract)
        cell = self._cells.pop(contract.contract, Cell(0, 0))
        if cell.usd_micro_days and not any(each.total for each in credit):
            raise Inconsistent(f"{contract.contract} has a cell of {cell.usd_micro_days} and no credit to divide it by")
        weights = self._weights(contract, credit)
        parts = _divide(cell, weights, contract.contract)
        for holder, part in parts.items():
            given = self._unresolved if holder in self._closed else self._cells
            given[holder] = _sum(given.get(holder), part)
        self._passed[contract.contract] = {
            holder: part for holder, part in parts.items() if holder != contract.contract
        }

    def _weights(self, contract: LookThrough, credit: Sequence[_Credit]) -> dict[Address, _Credit]:
        """Each holder's part of the credit; the contract itself stands for nobody's."""
        supplies = _running(self._cuts, sum(contract.balances.values()), contract.changes)
        units = supplies
        if contract.backing is not None:
            held = _running(self._cuts, contract.backing.units, contract.backing.changes)
            units = [max(pair) for pair in zip(supplies, held, strict=True)]
        growth = [_per_share(each, shares) for each, shares in zip(credit, units, strict=True)]
        weights = dict(self._of_holders(contract, growth))
        nobody = [
            _Credit((all_ - shares) * each.total, (all_ - shares) * each.in_range) if all_ else whole
            for all_, shares, each, whole in zip(units, supplies, growth, credit, strict=True)
        ]
        weights[contract.contract] = _add(weights.get(contract.contract, _NOTHING), *nobody)
        return weights

    def _of_holders(self, contract: LookThrough, growth: Sequence[_Credit]) -> Iterator[tuple[Address, _Credit]]:
        """Balance * index - Σ delta * index at its change; for contracts still to come also cut by cut."""
        index = list(accumulate(growth, _add, initial=_NOTHING))
        place = {time: number for number, time in enumerate(self._cuts)}
        for holder, changes in _changes_of(contract).items():
            start = contract.balances.get(holder, 0)
            balances = list(accumulate((change.delta for change in changes), initial=start))
            if min(balances) < 0:
                raise Inconsistent(f"{holder} would hold {min(balances)} shares of {contract.contract}")
            if holder in self._waiting and holder not in self._closed:
                self._add_to_waiting(holder, _running(self._cuts, start, changes), growth)
            booked = (_times(-change.delta, index[place[change.time]]) for change in changes)
            yield holder, _add(_times(balances[-1], index[-1]), *booked)

    def _add_to_waiting(self, holder: Address, balances: Sequence[int], growth: Sequence[_Credit]) -> None:
        own = self._waiting[holder]
        part = (_times(units, each) for units, each in zip(balances, growth, strict=True))
        self._waiting[holder] = [_add(*pair) for pair in zip(own, part, strict=True)]


def _by_cut(
    contract: Address,
    cuts: Sequence[int],
    credits: Mapping[Address, Sequence[Stretch]],  # noqa: A002
) -> list[_Credit]:
    """The contract's own credit between the cuts. Raises Inconsistent unless its stretches fill the span and meet at
    every cut."""
    stretches = credits.get(contract)
    if stretches is None:
        return [_NOTHING] * (len(cuts) - 1)
    ends = [stretch.span.end for stretch in stretches]
    starts = [stretch.span.start for stretch in stretches]
    if [*starts, cuts[-1]] != [cuts[0], *ends] or not set(cuts) <= {*starts, cuts[-1]}:
        raise Inconsistent(f"the credit of {contract} is not known at every change of the shares behind it")
    found = dict.fromkeys(cuts[:-1], _NOTHING)
    at = iter(pairwise(cuts))
    start, end = next(at)
    for stretch in stretches:
        while stretch.span.start >= end:
            start, end = next(at)
        found[start] = _add(found[start], _raised(contract, stretch))
    return list(found.values())


def _raised(contract: Address, stretch: Stretch) -> _Credit:
    if not 0 <= stretch.in_range_raw <= stretch.credit_raw:
        raise Inconsistent(
            f"the credit of {contract} from {time_text(stretch.span.start)} on is {stretch.credit_raw}, in range "
            f"{stretch.in_range_raw}"
        )
    return _Credit(stretch.credit_raw << INDEX_BITS, stretch.in_range_raw << INDEX_BITS)


def _changes_of(contract: LookThrough) -> dict[Address, list[ShareChange]]:
    """Every holder of the span with its changes, in order."""
    changes: dict[Address, list[ShareChange]] = {holder: [] for holder in contract.balances}
    for change in contract.changes:
        changes.setdefault(change.holder, []).append(change)
    return changes


def _running(cuts: Sequence[int], start: int, changes: Sequence[ShareChange] | Sequence[SupplyChange]) -> list[int]:
    """The number in force from each cut but the last on, all changes of a second made."""
    deltas = dict.fromkeys(cuts[:-1], 0)
    for change in changes:
        deltas[change.time] += change.delta
    return list(accumulate(deltas.values(), initial=start))[1:]


def _per_share(credit: _Credit, shares: int) -> _Credit:
    return _Credit(credit.total // shares, credit.in_range // shares) if shares else _NOTHING


def _times(units: int, credit: _Credit) -> _Credit:
    return _Credit(units * credit.total, units * credit.in_range)


def _add(*parts: _Credit) -> _Credit:
    return _Credit(sum(each.total for each in parts), sum(each.in_range for each in parts))


def _sum(cell: Cell | None, part: Cell) -> Cell:
    return Cell(*map(sum, zip(cell, part, strict=True))) if cell else part


# Dividing a cell ------------------------------------------------------------------------------------------------------


def _divide(cell: Cell, weights: Mapping[Address, _Credit], contract: Address) -> dict[Address, Cell]:
    """The cell by weights, total and in range each; nobody's in range part is above its total. Empty cells left out."""
    total = apportion(cell.usd_micro_days, {holder: each.total for holder, each in weights.items()}, contract)
    in_range = {holder: each.in_range for holder, each in weights.items()}
    if not any(in_range.values()):
        in_range = dict(total)
    limited = apportion(cell.usd_micro_days_in_range, in_range, contract, total)
    return {holder: Cell(units, limited.get(holder, 0)) for holder, units in sorted(total.items()) if units}


def apportion(
    units: int, weights: Mapping[Address, int], otherwise: Address, limits: Mapping[Address, int] | None = None
) -> dict[Address, int]:
    """`units` by weight in whole numbers that add up to it: floor, then one each to the largest remainders, ties to the
    lower address.

    No one gets more than its limit; what that leaves goes round again, one each by the same order, as often as it takes
    (as many rounds at once as leave nobody at its limit). Without any weight all goes
    to `otherwise`. Raises Inconsistent where the limits do not hold that much.
    """
    whole = sum(weights.values())
    if not whole:
        return {otherwise: units}
    exact = {holder: divmod(units * weight, whole) for holder, weight in weights.items()}
    room = {holder: limits.get(holder, 0) if limits is not None else units for holder in weights}
    if sum(room.values()) < units:
        raise Inconsistent(f"{units} micro-dollar-days do not fit into the {sum(room.values())} of their holders")
    parts = {holder: min(floor, room[holder]) for holder, (floor, _) in exact.items()}
    left = units - sum(parts.values())
    in_turn = sorted(weights, key=lambda holder: (-exact[holder][1], holder))
    while left:
        open_to_more = [holder for holder in in_turn if parts[holder] < room[holder]]
        rounds = min(left // len(open_to_more), *(room[holder] - parts[holder] for holder in open_to_more))
        for holder in open_to_more if rounds else open_to_more[:left]:
            parts[holder] += rounds or 1
            left -= rounds or 1
    return parts
