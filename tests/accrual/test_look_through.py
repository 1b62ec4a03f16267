"""Look-through: the people behind a contract get all that it is credited, to the unit, by what they hold when."""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import Cell, PriceStep, TokenScale
from loyalty.accrual.look_through import (
    Backing,
    LookThrough,
    Stretch,
    apportion,
    cut_times,
    resolve,
)
from loyalty.accrual.shares import (
    Coin,
    ShareChange,
    ShareDay,
    Shares,
    SupplyChange,
    accrue_shares,
    credit_between,
    share_cells,
    share_index,
    share_scale,
)
from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS

ALICE, BOB, CARL, DORA = (Address(name) for name in ("alice", "bob", "carl", "dora"))
GAUGE, STAKER, VAULT = (Address(name) for name in ("gauge", "staker", "vault"))
SPAN = Span(0, 100)


def steady(contracts, per_second, in_range=1, span=SPAN):
    """Credit that comes evenly, cut where it must be."""
    cuts = cut_times(span, contracts)
    return [
        Stretch(Span(start, end), per_second * (end - start), in_range * per_second * (end - start))
        for start, end in pairwise(cuts)
    ]


def gauge(balances, changes=(), backing=None, contract=GAUGE):
    return LookThrough(contract, balances, changes, backing)


# Who gets what --------------------------------------------------------------------------------------------------------


def test_a_contract_s_cell_goes_to_its_holders_by_balance():
    contracts = [gauge({ALICE: 30, BOB: 10})]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000), CARL: Cell(7, 7)})
    assert found.cells == {ALICE: Cell(750, 750), BOB: Cell(250, 250), CARL: Cell(7, 7)}
    assert found.unresolved == {}


def test_what_is_held_behind_and_directly_is_one_cell():
    contracts = [gauge({ALICE: 1})]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 0), ALICE: Cell(5, 5)})
    assert found.cells == {ALICE: Cell(1005, 5)}


def test_shares_count_for_the_time_they_are_held():
    contracts = [gauge({ALICE: 10}, [ShareChange(25, ALICE, -10), ShareChange(25, BOB, 10)])]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000)})
    assert found.cells == {ALICE: Cell(250, 250), BOB: Cell(750, 750)}


def test_credit_counts_when_it_comes_not_evenly_over_the_day():
    contracts = [gauge({ALICE: 10}, [ShareChange(25, ALICE, -10), ShareChange(25, BOB, 10)])]
    credit = [Stretch(Span(0, 25), 900, 0), Stretch(Span(25, 60), 40, 40), Stretch(Span(60, 100), 60, 10)]
    found = resolve(SPAN, contracts, {GAUGE: credit}, {GAUGE: Cell(1000, 50)})
    assert found.cells == {ALICE: Cell(900, 0), BOB: Cell(100, 50)}


def test_in_and_out_within_a_second_earns_nothing():
    contracts = [gauge({ALICE: 10}, [ShareChange(25, BOB, 990), ShareChange(25, BOB, -990)])]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000)})
    assert found.cells == {ALICE: Cell(1000, 1000)}


def test_gauge_tokens_staked_once_more_are_looked_through_too():
    contracts = [
        gauge({ALICE: 20, STAKER: 80}),
        gauge({BOB: 1, CARL: 1}, [ShareChange(50, CARL, -1)], contract=STAKER),
    ]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000)})
    assert found.cells == {ALICE: Cell(200, 200), BOB: Cell(600, 600), CARL: Cell(200, 200)}


def test_a_contract_that_earns_itself_and_through_another_divides_both():
    contracts = [gauge({ALICE: 1, VAULT: 1}), gauge({BOB: 3, CARL: 1}, contract=VAULT)]
    found = resolve(
        SPAN,
        contracts,
        {GAUGE: steady(contracts, 10), VAULT: steady(contracts, 3)},
        {GAUGE: Cell(1000, 1000), VAULT: Cell(300, 300)},
    )
    assert found.cells == {ALICE: Cell(500, 500), BOB: Cell(600, 600), CARL: Cell(200, 200)}


# Largest remainder ----------------------------------------------------------------------------------------------------


def test_the_last_units_go_to_the_largest_remainders_and_ties_to_the_lower_address():
    contracts = [gauge({BOB: 1, ALICE: 1, CARL: 1})]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(101, 100)})
    assert found.cells == {ALICE: Cell(34, 34), BOB: Cell(34, 33), CARL: Cell(33, 33)}
    assert apportion(10, {ALICE: 1, BOB: 7, CARL: 3}, GAUGE) == {ALICE: 1, BOB: 6, CARL: 3}


def one_each(units: int, weights: dict[Address, int], limits: dict[Address, int]) -> dict[Address, int]:
    """The rule word by word: floor, then round after round one unit each to whoever has room, in the same order."""
    whole = sum(weights.values())
    parts = {holder: min(units * weight // whole, limits[holder]) for holder, weight in weights.items()}
    in_turn = sorted(weights, key=lambda holder: (-(units * weights[holder] % whole), holder))
    while (left := units - sum(parts.values())) > 0:
        for holder in [holder for holder in in_turn if parts[holder] < limits[holder]][:left]:
            parts[holder] += 1
    return parts


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), min_size=1, max_size=5), st.integers(0, 100))
def test_many_rounds_at_once_give_what_one_after_the_other_gives(holders: list[tuple[int, int]], units: int):
    addresses = [Address(f"0x{number:040x}") for number in range(len(holders))]
    weights = dict(zip(addresses, (weight for weight, _ in holders), strict=True))
    limits = dict(zip(addresses, (limit for _, limit in holders), strict=True))
    units = min(units, sum(limits.values()))
    if sum(weights.values()):
        assert apportion(units, weights, GAUGE, limits) == one_each(units, weights, limits)


def test_what_a_limit_leaves_over_is_given_at_once_however_much_it_is():
    assert apportion(10**18, {ALICE: 10**18, BOB: 1}, GAUGE, {ALICE: 5, BOB: 10**18}) == {ALICE: 5, BOB: 10**18 - 5}


def test_nobody_s_part_in_range_is_above_its_total():
    assert apportion(4, {ALICE: 1, BOB: 1}, GAUGE, {ALICE: 1, BOB: 5}) == {ALICE: 1, BOB: 3}
    with pytest.raises(Inconsistent, match="7 micro-dollar-days do not fit into the 6 of their holders"):
        apportion(7, {ALICE: 1, BOB: 1}, GAUGE, {ALICE: 1, BOB: 5})


EARLY = [Stretch(Span(0, 50), 5, 0), Stretch(Span(50, 100), 5, 5)]
"""Half of the credit comes out of range, then half in range."""


def test_where_one_unit_is_divided_who_gets_it_gets_it_in_range_too():
    contracts = [gauge({ALICE: 1}, [ShareChange(50, ALICE, -1), ShareChange(50, BOB, 1)])]
    found = resolve(SPAN, contracts, {GAUGE: EARLY}, {GAUGE: Cell(1, 1)})
    assert found.cells == {ALICE: Cell(1, 1)}


def test_a_contract_that_got_such_a_unit_passes_it_on():
    contracts = [
        gauge({STAKER: 1}, [ShareChange(50, STAKER, -1), ShareChange(50, VAULT, 1)]),
        gauge({BOB: 1}, contract=STAKER),
    ]
    found = resolve(SPAN, contracts, {GAUGE: EARLY}, {GAUGE: Cell(1, 1)})
    assert found.cells == {BOB: Cell(1, 1)}


# Nobody's part --------------------------------------------------------------------------------------------------------


def test_credit_while_nobody_holds_shares_stays_with_the_contract_and_is_reported():
    contracts = [gauge({}, [ShareChange(40, ALICE, 5)])]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000)})
    assert found.cells == {ALICE: Cell(600, 600), GAUGE: Cell(400, 400)}
    assert found.unresolved == {GAUGE: Cell(400, 400)}


def test_lp_tokens_in_a_gauge_without_a_deposit_are_nobody_s():
    contracts = [gauge({ALICE: 60}, backing=Backing(60, [SupplyChange(50, 40)]))]
    credit = [Stretch(Span(0, 50), 300, 300), Stretch(Span(50, 100), 500, 500)]
    found = resolve(SPAN, contracts, {GAUGE: credit}, {GAUGE: Cell(800, 800)})
    assert found.cells == {ALICE: Cell(600, 600), GAUGE: Cell(200, 200)}
    assert found.unresolved == {GAUGE: Cell(200, 200)}


def test_a_gauge_that_keeps_its_tokens_elsewhere_gives_its_holders_all():
    contracts = [gauge({ALICE: 60, BOB: 20}, backing=Backing(8, []))]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(800, 800)})
    assert found.cells == {ALICE: Cell(600, 600), BOB: Cell(200, 200)}


def test_shares_that_a_contract_holds_of_itself_are_nobody_s():
    contracts = [gauge({ALICE: 60, GAUGE: 20})]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(800, 800)})
    assert found.unresolved == {GAUGE: Cell(200, 200)}
    assert found.cells == {ALICE: Cell(600, 600), GAUGE: Cell(200, 200)}


def test_a_circle_that_somebody_closes_by_sending_a_token_back_is_no_error():
    contracts = [gauge({STAKER: 100}), gauge({ALICE: 99, GAUGE: 1}, contract=STAKER)]
    found = resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(1000, 1000)})
    assert found.cells == {ALICE: Cell(990, 990), GAUGE: Cell(10, 10)}
    assert found.unresolved == {GAUGE: Cell(10, 10)}


# What is refused ------------------------------------------------------------------------------------------------------


def test_a_contract_named_twice_is_refused():
    with pytest.raises(Invalid, match="looked through twice"):
        resolve(SPAN, [gauge({ALICE: 1}), gauge({BOB: 1})], {}, {})


def test_a_cell_without_credit_is_refused():
    with pytest.raises(Inconsistent, match="gauge has a cell of 5 and no credit to divide it by"):
        resolve(SPAN, [gauge({ALICE: 1})], {}, {GAUGE: Cell(5, 5)})


@pytest.mark.parametrize(
    "credit",
    [
        [],
        [Stretch(Span(0, 100), 5, 5)],
        [Stretch(Span(0, 25), 5, 5)],
        [Stretch(Span(0, 25), 5, 5), Stretch(Span(26, 100), 5, 5)],
        [Stretch(Span(0, 30), 5, 5), Stretch(Span(30, 100), 5, 5)],
    ],
)
def test_credit_that_is_not_known_where_shares_change_is_refused(credit):
    contracts = [gauge({ALICE: 10}, [ShareChange(25, ALICE, -10)])]
    with pytest.raises(Inconsistent, match="the credit of gauge is not known at every change of the shares behind it"):
        resolve(SPAN, contracts, {GAUGE: credit}, {GAUGE: Cell(5, 5)})


@pytest.mark.parametrize("wrong", [(-1, -1), (4, 5), (4, -1)])
def test_credit_that_cannot_be_is_refused(wrong):
    with pytest.raises(Inconsistent, match="the credit of gauge from 1970-01-01T00:00:00Z on is"):
        resolve(SPAN, [gauge({ALICE: 1})], {GAUGE: [Stretch(SPAN, *wrong)]}, {GAUGE: Cell(5, 5)})


def test_balances_below_zero_and_changes_outside_the_span_are_refused():
    contracts = [gauge({ALICE: 1}, [ShareChange(5, ALICE, -2)])]
    with pytest.raises(Inconsistent, match="alice would hold -1 shares of gauge"):
        resolve(SPAN, contracts, {GAUGE: steady(contracts, 5)}, {GAUGE: Cell(5, 5)})
    with pytest.raises(Inconsistent, match="shares of a contract changed outside the span"):
        cut_times(SPAN, [gauge({ALICE: 1}, [ShareChange(100, ALICE, 2)])])


# Laws -----------------------------------------------------------------------------------------------------------------

PEOPLE = [ALICE, BOB, CARL, DORA]
CONTRACTS = [GAUGE, STAKER, VAULT]


@st.composite
def worlds(draw):
    """Three contracts in a row, whose shares people and any of the three hold, with credit and cells of their own."""
    contracts = []
    for contract in CONTRACTS:
        holders = [*PEOPLE, *CONTRACTS]
        balances = {holder: draw(st.sampled_from([0, 0, 1, 7, 10**20])) for holder in holders}
        held, changes = dict(balances), []
        for time in sorted(draw(st.lists(st.integers(0, 99), max_size=5))):
            holder = draw(st.sampled_from(holders))
            delta = max(draw(st.sampled_from([-(10**20), -7, -1, 1, 5, 10**20])), -held[holder])
            held[holder] += delta
            changes.append(ShareChange(time, holder, delta))
        backing = draw(st.sampled_from([None, Backing(9, [SupplyChange(50, 3)])]))
        contracts.append(LookThrough(contract, balances, changes, backing))
    cuts = cut_times(SPAN, contracts)
    credit, cells = {}, {ALICE: Cell(3, 1)}
    for contract in CONTRACTS:
        parts = [draw(st.integers(0, 10**30)) for _ in cuts[1:]]
        ranged = [draw(st.sampled_from([0, part, part // 3])) for part in parts]
        credit[contract] = [
            Stretch(Span(*pair), *raw)
            for pair, raw in zip(pairwise(cuts), zip(parts, ranged, strict=True), strict=True)
        ]
        cells[contract] = Cell(sum(parts) // 10**24, sum(ranged) // 10**24)
    return contracts, credit, cells


def total(cells):
    return tuple(map(sum, zip(*cells.values(), strict=True)))


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_nothing_is_lost_or_doubled_to_the_unit(world):
    contracts, credit, cells = world
    found = resolve(SPAN, contracts, credit, cells)
    assert total(found.cells) == total(cells)
    assert all(0 <= cell.usd_micro_days_in_range <= cell.usd_micro_days for cell in found.cells.values())
    left = {holder: cell for holder, cell in found.cells.items() if holder in CONTRACTS}
    assert left == found.unresolved


@settings(max_examples=20, deadline=None)
@given(worlds())
def test_every_holder_is_within_two_units_a_contract_of_the_exact_part(world):
    contracts, credit, cells = world
    found = resolve(SPAN, contracts, credit, cells)
    for holder, exact in exactly(contracts, credit, cells).items():
        assert abs(found.cells.get(holder, Cell(0, 0)).usd_micro_days - exact) <= 2 * len(CONTRACTS)


def exactly(contracts, credit, cells):
    """In fractions and second by second: each contract's cell by the time its holders held shares while credit came."""
    waiting = {contract: [Fraction(0)] * 100 for contract in CONTRACTS}
    for contract, stretches in credit.items():
        for stretch in stretches:
            for time in range(*stretch.span):
                waiting[contract][time] += Fraction(stretch.credit_raw, stretch.span.length)
    given_out = defaultdict(Fraction, {holder: Fraction(cell.usd_micro_days) for holder, cell in cells.items()})
    for contract in contracts:
        weights = defaultdict(Fraction)
        for time, credit_now in enumerate(waiting.pop(contract.contract)):
            for holder, part in parts_at(contract, time).items():
                weights[holder] += credit_now * part
                if holder in waiting:
                    waiting[holder][time] += credit_now * part
        cell, whole = given_out.pop(contract.contract, Fraction(0)), sum(weights.values())
        for holder, weight in weights.items():
            given_out[holder] += cell * weight / whole if whole else Fraction(0)
    return given_out


def parts_at(contract, time):
    """Which part of what comes in this second is whose; the contract itself stands for nobody."""
    held = defaultdict(int, contract.balances)
    for change in contract.changes:
        held[change.holder] += change.delta if change.time <= time else 0
    shares = sum(held.values())
    if contract.backing is not None:
        shares = max(shares, contract.backing.units + (3 if time >= 50 else 0))
    parts = {holder: Fraction(units, shares) if shares else Fraction(0) for holder, units in held.items()}
    parts[contract.contract] = parts.get(contract.contract, Fraction(0)) + 1 - sum(parts.values())
    return parts


@settings(max_examples=30, deadline=None)
@given(worlds(), st.randoms())
def test_the_order_in_which_holders_are_told_does_not_matter(world, dice):
    contracts, credit, cells = world
    shuffled = []
    for contract in contracts:
        names = list(contract.balances)
        dice.shuffle(names)
        rank = {name: dice.random() for name in names}
        changes = sorted(contract.changes, key=lambda change: (change.time, rank[change.holder]))
        balances = {name: contract.balances[name] for name in names}
        shuffled.append(replace(contract, balances=balances, changes=changes))
    assert resolve(SPAN, shuffled, credit, cells) == resolve(SPAN, contracts, credit, cells)


# From a pool's shares to the people behind a gauge --------------------------------------------------------------------


def test_a_pool_day_with_a_gauge_and_a_staker_from_end_to_end():
    """$1,000 all day. Alice has a quarter as LP tokens; the gauge has the rest, half of it staked once more at noon."""
    noon, span = DAY_SECONDS // 2, Span(0, DAY_SECONDS)
    shares = Shares({ALICE: 25, GAUGE: 75}, 100, [], [])
    coins = [Coin(1000 * 10**6, [PriceStep(0, 10**8)], TokenScale(6, 8))]
    pool_day = ShareDay(span, shares, coins, [])
    contracts = [
        gauge({BOB: 50, CARL: 25}, [ShareChange(noon, BOB, -50), ShareChange(noon, STAKER, 50)], Backing(75, [])),
        gauge({}, [ShareChange(noon, BOB, 50)], Backing(0, [SupplyChange(noon, 50)]), contract=STAKER),
    ]
    index, cuts = share_index(pool_day), cut_times(span, contracts)
    raw = credit_between(index, shares, GAUGE, cuts)
    credit = [Stretch(Span(*pair), part, part) for pair, part in zip(pairwise(cuts), raw, strict=True)]
    cells = share_cells(accrue_shares(pool_day), share_scale([coins[0].scale]))
    assert cells == {ALICE: Cell(250_000_000, 250_000_000), GAUGE: Cell(750_000_000, 750_000_000)}
    assert resolve(span, contracts, {GAUGE: credit}, cells).cells == {
        ALICE: Cell(250_000_000, 250_000_000),
        BOB: Cell(500_000_000, 500_000_000),
        CARL: Cell(250_000_000, 250_000_000),
    }
