"""A pool-day looked through: chains of contracts pass on, what is nobody's is told, and nothing is lost."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import Cell
from loyalty.accrual.look_through import Backing, LookThrough, Stretch, cut_times, resolve
from loyalty.accrual.looked_through import CreditsBetween, LookedThrough, added, look_through
from loyalty.accrual.shares import ShareChange, SupplyChange
from loyalty.core.address import Address
from loyalty.core.errors import Invalid, LoyaltyError
from loyalty.core.spans import Span

ALICE, BOB, CARL, DORA = (Address(name) for name in ("alice", "bob", "carl", "dora"))
GAUGE, OTHER_GAUGE, VAULT, MANAGER = (Address(name) for name in ("gauge", "gauge2", "vault", "manager"))
POOL = Address("pool")
SPAN = Span(0, 100)


def whole(units: int) -> Cell:
    return Cell(units, units)


def evenly(per_second: Mapping[Address, int]) -> CreditsBetween:
    """Credit that comes evenly over the day, all of it in range."""

    def between(asked: Mapping[Address, Sequence[int]]) -> dict[Address, list[Stretch]]:
        return {
            contract: [
                Stretch(Span(start, end), per_second[contract] * (end - start), per_second[contract] * (end - start))
                for start, end in pairwise(cuts)
            ]
            for contract, cuts in asked.items()
        }

    return between


def gauge(
    contract: Address, balances: dict[Address, int], units: int, changes: Sequence[ShareChange] = ()
) -> LookThrough:
    return LookThrough(contract, balances, changes, Backing(units, []), only_own=True)


def steady(
    contracts: Sequence[LookThrough], cells: dict[Address, Cell], nobody: Sequence[Address] = ()
) -> LookedThrough:
    rates = {holder: cell.usd_micro_days for holder, cell in cells.items()}
    return look_through(SPAN, contracts, evenly(rates), cells, nobody)


def test_gauge_tokens_in_a_vault_are_the_vault_s_holders() -> None:
    contracts = [gauge(GAUGE, {ALICE: 20, VAULT: 80}, 100), LookThrough(VAULT, {BOB: 3, CARL: 1}, [])]
    found = steady(contracts, {GAUGE: whole(1000), DORA: whole(7)})
    assert found.cells == {DORA: whole(7), ALICE: whole(200), BOB: whole(600), CARL: whole(200)}
    assert found.unresolved == {}
    assert found.passed == {
        GAUGE: {ALICE: whole(200), VAULT: whole(800)},
        VAULT: {BOB: whole(600), CARL: whole(200)},
    }


def test_a_vault_that_holds_lp_and_gauge_tokens_passes_both_on() -> None:
    contracts = [gauge(GAUGE, {VAULT: 100}, 100), LookThrough(VAULT, {BOB: 3, CARL: 1}, [])]
    found = steady(contracts, {GAUGE: whole(1000), VAULT: whole(400)})
    assert found.cells == {BOB: whole(1050), CARL: whole(350)}


def test_what_lies_in_the_pool_or_in_another_gauge_is_nobody_s_and_told() -> None:
    contracts = [gauge(GAUGE, {ALICE: 50, OTHER_GAUGE: 20, POOL: 10}, 100), gauge(OTHER_GAUGE, {BOB: 1}, 1)]
    found = steady(contracts, {GAUGE: whole(1000), OTHER_GAUGE: whole(10)}, [POOL])
    assert found.cells == {ALICE: whole(500), BOB: whole(10)}
    assert found.unresolved == {GAUGE: whole(200), OTHER_GAUGE: whole(200), POOL: whole(100)}


def test_a_contract_that_is_the_pool_itself_is_not_looked_through_there() -> None:
    contracts = [gauge(GAUGE, {ALICE: 50, POOL: 50}, 100), LookThrough(POOL, {BOB: 1}, [])]
    found = steady(contracts, {GAUGE: whole(1000)}, [POOL])
    assert found.cells == {ALICE: whole(500)}
    assert found.unresolved == {POOL: whole(500)}


def test_a_contract_that_had_nothing_is_asked_nothing_and_passed_nothing() -> None:
    def unasked(asked: Mapping[Address, Sequence[int]]) -> dict[Address, list[Stretch]]:
        raise AssertionError(asked)

    found = look_through(SPAN, [LookThrough(VAULT, {BOB: 3}, [])], unasked, {ALICE: whole(5)})
    assert found == LookedThrough({ALICE: whole(5)}, {}, {})


def test_only_a_contract_with_a_cell_is_asked_and_only_at_changes_that_concern_it() -> None:
    asked_for: dict[Address, Sequence[int]] = {}

    def between(asked: Mapping[Address, Sequence[int]]) -> Mapping[Address, Sequence[Stretch]]:
        asked_for.update(asked)
        return evenly({GAUGE: 10, OTHER_GAUGE: 10})(asked)

    contracts = [
        gauge(GAUGE, {VAULT: 10}, 10, [ShareChange(20, ALICE, 0)]),
        gauge(OTHER_GAUGE, {BOB: 10}, 10, [ShareChange(30, BOB, 1)]),
        LookThrough(VAULT, {CARL: 1}, [ShareChange(40, CARL, 1)]),
        LookThrough(MANAGER, {DORA: 1}, [ShareChange(50, DORA, 1)]),
    ]
    look_through(SPAN, contracts, between, {GAUGE: whole(1000), OTHER_GAUGE: whole(1000)})
    assert asked_for == {GAUGE: [0, 20, 40, 100], OTHER_GAUGE: [0, 30, 100]}


def test_a_contract_without_shares_keeps_what_it_has_unresolved() -> None:
    found = steady([LookThrough(VAULT, {}, [])], {VAULT: whole(400), ALICE: whole(1)})
    assert (found.cells, found.unresolved) == ({ALICE: whole(1)}, {VAULT: whole(400)})


def test_a_contract_named_twice_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="vault is looked through twice: name it once"):
        steady([LookThrough(VAULT, {}, []), LookThrough(VAULT, {}, [])], {})


def test_cells_beyond_63_bits_are_refused() -> None:
    most = whole(2**63 - 1)
    with pytest.raises(LoyaltyError):
        added([{ALICE: most}, {ALICE: whole(1)}])


# Laws -----------------------------------------------------------------------------------------------------------------

PEOPLE = [ALICE, BOB, CARL, DORA]
GAUGES = [GAUGE, OTHER_GAUGE]
CONTRACTS = [*GAUGES, VAULT, MANAGER]
World = tuple[list[LookThrough], CreditsBetween, dict[Address, Cell]]


@st.composite
def contracts(draw: st.DrawFn, contract: Address) -> LookThrough:
    """People, the pool and any contract hold its shares, and change what they hold at any moment."""
    holders = draw(st.lists(st.sampled_from([*PEOPLE, *CONTRACTS, POOL]), unique=True, min_size=1, max_size=5))
    balances = {holder: draw(st.sampled_from([0, 1, 7, 10**20])) for holder in holders}
    held, changes = dict(balances), []
    for time in sorted(draw(st.lists(st.integers(0, 99), max_size=4))):
        holder = draw(st.sampled_from(holders))
        delta = max(draw(st.sampled_from([-(10**20), -7, 1, 5, 10**20])), -held[holder])
        held[holder] += delta
        changes.append(ShareChange(time, holder, delta))
    backing = Backing(9, [SupplyChange(50, 3)]) if draw(st.booleans()) else None
    return LookThrough(contract, balances, changes, backing, only_own=contract in GAUGES)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    through = [draw(contracts(each)) for each in draw(st.permutations([VAULT, MANAGER]))]
    through = [*(draw(contracts(each)) for each in GAUGES), *through]
    earning = draw(st.lists(st.sampled_from(CONTRACTS), unique=True))
    rates = {each: draw(st.integers(1, 10**30)) for each in earning}
    ranged = {each: draw(st.integers(0, 100)) for each in earning}
    cells = {each: Cell(rates[each] // 10**20, rates[each] * ranged[each] // 10**22) for each in earning}
    cells = {each: cell for each, cell in cells.items() if cell.usd_micro_days}

    def between(asked: Mapping[Address, Sequence[int]]) -> dict[Address, list[Stretch]]:
        return {
            each: [
                Stretch(Span(*ends), 100 * rates[each], ranged[each] * rates[each] * (number % 2))
                for number, ends in enumerate(pairwise(cuts))
            ]
            for each, cuts in asked.items()
        }

    return through, between, {ALICE: Cell(3, 1), POOL: Cell(2, 2), **cells}


def total(*parts: Mapping[Address, Cell]) -> tuple[int, int]:
    cells = [cell for part in parts for cell in part.values()]
    return sum(cell.usd_micro_days for cell in cells), sum(cell.usd_micro_days_in_range for cell in cells)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_nothing_is_lost_or_doubled_to_the_unit(world: World) -> None:
    through, between, cells = world
    found = look_through(SPAN, through, between, cells, [POOL])
    assert total(found.cells, found.unresolved) == total(cells)
    assert not found.cells.keys() & {POOL, *CONTRACTS}
    assert found.unresolved.keys() <= {POOL, *CONTRACTS}
    assert all(0 <= each.usd_micro_days_in_range <= each.usd_micro_days for each in found.cells.values())


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_a_provider_s_cell_is_its_own_and_its_part_of_each_contract(world: World) -> None:
    through, between, cells = world
    found = look_through(SPAN, through, between, cells, [POOL])
    parts = added([cells, *found.passed.values()])
    assert {holder: parts[holder] for holder in parts if holder in PEOPLE} == found.cells


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_gauges_that_no_other_contract_holds_are_each_resolved_alone(world: World) -> None:
    through, between, cells = world
    gauges = through[:2]
    found = look_through(SPAN, gauges, between, cells, [POOL])
    for each in gauges:
        if each.contract in cells:
            alone = between({each.contract: cut_times(SPAN, [each])})
            expected = resolve(SPAN, [each], alone, {each.contract: cells[each.contract]}).cells
            expected.pop(each.contract, None)
            assert found.passed[each.contract] == expected
