"""Contracts that own positions: cut anywhere, their credit adds up to the last unit, and goes to who stands behind."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import Cell, ConcentratedDay, PriceStep, TokenScale, accrue_concentrated, cells
from loyalty.accrual.look_through import LookThrough
from loyalty.accrual.owned import accrue_owned, stretches_of
from loyalty.accrual.shares import ShareChange
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.amounts import Overflow
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span
from tests.accrual.histories import OWNERS, days
from tests.accrual.oracle import integer_credits, moments, raw_usd

ALICE, BOB, CARL = (Address("0x" + digit * 40) for digit in "123")
MANAGER, VAULT = (Address("0x" + digit * 40) for digit in "de")
DAY = Span(0, 86_400)
NOON = 43_200
WIDE = PositionKey(MANAGER, -600, 600, None)
HIGH = PositionKey(MANAGER, 1200, 1800, None)
WHOLE = TokenScale(0, 0)


def pool_day(positions: dict[PositionKey, int], changes: Sequence[PositionChange] = ()) -> ConcentratedDay:
    """A pool that stands at tick 0 all day, both tokens at one dollar."""
    steps = [PriceStep(0, 1)]
    price = PoolPrice(0, sqrt_ratio_at_tick(0), 0)
    return ConcentratedDay(DAY, price, positions, [], changes, steps, steps, WHOLE, WHOLE)


def halved(cell: Cell) -> Cell:
    return Cell(cell.usd_micro_days // 2, cell.usd_micro_days_in_range // 2)


def test_a_day_without_such_a_contract_is_as_it_was() -> None:
    day = pool_day({WIDE._replace(owner=ALICE): 10**9})
    found = accrue_owned(day, [LookThrough(MANAGER, {BOB: 1}, [])])
    assert found.cells == cells(accrue_concentrated(day), WHOLE, WHOLE)
    assert (found.passed, found.unresolved) == ({}, {})


def test_a_manager_s_ranges_are_those_of_its_share_holders_over_time() -> None:
    day = pool_day({WIDE: 10**9, WIDE._replace(owner=ALICE): 10**9})
    alice = cells(accrue_concentrated(day), WHOLE, WHOLE)[ALICE]
    shares = LookThrough(MANAGER, {BOB: 100}, [ShareChange(NOON, BOB, -100), ShareChange(NOON, CARL, 100)])
    found = accrue_owned(day, [shares])
    assert found.cells[ALICE] == alice
    assert found.cells[BOB].usd_micro_days + found.cells[CARL].usd_micro_days == alice.usd_micro_days
    assert abs(found.cells[BOB].usd_micro_days - halved(alice).usd_micro_days) <= 1
    assert found.passed == {MANAGER: {BOB: found.cells[BOB], CARL: found.cells[CARL]}}


def test_who_holds_while_a_manager_is_out_of_range_has_nothing_in_range() -> None:
    moves = [PositionChange(NOON, WIDE, -(10**9)), PositionChange(NOON, HIGH, 10**9)]
    shares = LookThrough(MANAGER, {BOB: 100}, [ShareChange(NOON, BOB, -100), ShareChange(NOON, CARL, 100)])
    found = accrue_owned(pool_day({WIDE: 10**9}, moves), [shares])
    assert found.cells[BOB].usd_micro_days == found.cells[BOB].usd_micro_days_in_range > 0
    assert found.cells[CARL].usd_micro_days > found.cells[CARL].usd_micro_days_in_range == 0


def test_a_manager_s_shares_in_a_vault_are_passed_on() -> None:
    day = pool_day({WIDE: 10**9})
    (whole,) = cells(accrue_concentrated(day), WHOLE, WHOLE).values()
    found = accrue_owned(day, [LookThrough(MANAGER, {VAULT: 7}, []), LookThrough(VAULT, {BOB: 1, MANAGER: 1}, [])])
    assert found.cells[BOB].usd_micro_days + found.unresolved[MANAGER].usd_micro_days == whole.usd_micro_days
    assert abs(found.cells[BOB].usd_micro_days - halved(whole).usd_micro_days) <= 1


# Laws -----------------------------------------------------------------------------------------------------------------


@st.composite
def cut_days(draw: st.DrawFn) -> tuple[ConcentratedDay, dict[Address, list[int]]]:
    day = draw(days())
    inside = st.sets(st.integers(day.span.start, day.span.end), max_size=6)
    owners = draw(st.lists(st.sampled_from(OWNERS), unique=True, min_size=1))
    return day, {owner: sorted({*day.span, *draw(inside)}) for owner in owners}


@settings(max_examples=60, deadline=None)
@given(cut_days())
def test_the_stretches_of_an_owner_add_up_to_its_whole_credit(
    cut: tuple[ConcentratedDay, dict[Address, list[int]]],
) -> None:
    day, cuts = cut
    credited = accrue_concentrated(day)
    for owner, stretches in stretches_of(day, cuts).items():
        whole = [credit for position, credit in credited.items() if position.owner == owner]
        assert sum(each.credit_raw for each in stretches) == sum(credit.usd for credit in whole)
        assert sum(each.in_range_raw for each in stretches) == sum(credit.usd_in_range for credit in whole)
        assert [each.span.start for each in stretches] == cuts[owner][:-1]


@settings(max_examples=40, deadline=None)
@given(cut_days())
def test_each_stretch_is_what_second_by_second_gives(cut: tuple[ConcentratedDay, dict[Address, list[int]]]) -> None:
    day, cuts = cut
    for owner, stretches in stretches_of(day, cuts).items():
        for stretch in stretches:
            mine = [each for each in moments(replace(day, span=stretch.span)) if each.position.owner == owner]
            in_range = [each for each in mine if each.position.lower <= each.price.tick < each.position.upper]
            assert stretch.credit_raw == sum(raw_usd(each, day.scale0, day.scale1) for each in mine)
            assert stretch.in_range_raw == sum(raw_usd(each, day.scale0, day.scale1) for each in in_range)


@settings(max_examples=40, deadline=None)
@given(days(), st.data())
def test_nothing_is_lost_or_doubled_behind_managers(day: ConcentratedDay, choice: st.DataObject) -> None:
    day, before = fitting(day)
    contracts = []
    for contract in OWNERS[:2]:
        balances = {ALICE: choice.draw(st.integers(0, 5)), OWNERS[1]: choice.draw(st.integers(0, 5))}
        time = choice.draw(st.integers(day.span.start, day.span.end - 1))
        changes = [ShareChange(time, ALICE, -balances[ALICE]), ShareChange(time, BOB, 3)]
        contracts.append(LookThrough(contract, balances, changes))
    found = accrue_owned(day, contracts)
    after = [*found.cells.values(), *found.unresolved.values()]
    for number in (0, 1):
        assert sum(cell[number] for cell in after) == sum(cell[number] for cell in before.values())


def fitting(day: ConcentratedDay) -> tuple[ConcentratedDay, dict[Address, Cell]]:
    """The day with so many decimals that its cells fit 63 bits, and these."""
    for decimals in range(0, 100, 6):
        scale = TokenScale(decimals, 14)
        finer = replace(day, scale0=scale, scale1=scale)
        try:
            return finer, cells(integer_credits(finer), scale, scale)
        except Overflow:
            continue
    raise AssertionError("no number of decimals is enough")
