"""A pool's day with gauges: who staked is credited as if it still held, nothing is lost, nobody's stays nobody's."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.behind import HeldShares
from loyalty.accrual.day import Cell, PriceStep, TokenScale
from loyalty.accrual.gauged import GaugedDay, Holdings, accrue_gauged, lp_units_of, shares_usd_micro
from loyalty.accrual.look_through import Backing, LookThrough
from loyalty.accrual.shares import (
    Coin,
    ShareChange,
    ShareDay,
    Shares,
    SupplyChange,
    accrue_shares,
    share_cells,
    share_scale,
)
from loyalty.core.address import Address
from loyalty.core.spans import Span

ALICE, BOB, CARL = (Address("0x" + letter * 40) for letter in "abc")
POOL = Address("0x" + "90" * 20)
GAUGE, OTHER_GAUGE, VAULT = (Address("0x" + each * 20) for each in ("60", "61", "70"))
DAY = Span(0, 86_400)
HALF = 43_200
USDC = TokenScale(6, 8)


def pool_day(balances: dict[Address, int], changes: list[ShareChange] | None = None, dollars: int = 400) -> ShareDay:
    """A pool that holds `dollars` USDC at one dollar all day; `balances` of LP tokens are all that exist."""
    coins = [Coin(dollars * 10**6, [PriceStep(0, 10**8)], USDC)]
    return ShareDay(DAY, Shares(balances, sum(balances.values()), changes or [], []), coins, [], {POOL})


def gauge(address: Address, staked: dict[Address, int], units: int) -> LookThrough:
    return LookThrough(address, staked, [], Backing(units, []))


def dollars(found: GaugedDay) -> dict[Address, Fraction]:
    return {holder: Fraction(cell.usd_micro_days, 10**6) for holder, cell in found.cells.items()}


def test_a_staked_share_counts_like_one_in_the_hand() -> None:
    day = pool_day({ALICE: 10, GAUGE: 90})
    assert dollars(accrue_gauged(day, [gauge(GAUGE, {ALICE: 30, BOB: 60}, 90)])) == {ALICE: 160, BOB: 240}


def test_who_stakes_at_noon_is_credited_before_and_after() -> None:
    changes = [ShareChange(HALF, ALICE, -50), ShareChange(HALF, GAUGE, 50)]
    staked = LookThrough(GAUGE, {BOB: 50}, [ShareChange(HALF, ALICE, 50)], Backing(50, [SupplyChange(HALF, 50)]))
    found = accrue_gauged(pool_day({ALICE: 50, GAUGE: 50}, changes), [staked])
    assert dollars(found) == {ALICE: 200, BOB: 200}
    assert found.staked[GAUGE] == {ALICE: Cell(100 * 10**6, 100 * 10**6), BOB: Cell(200 * 10**6, 200 * 10**6)}


def test_what_lies_in_a_gauge_without_a_deposit_in_the_pool_or_in_another_gauge_is_nobodys() -> None:
    balances = {ALICE: 20, POOL: 20, GAUGE: 40, OTHER_GAUGE: 20}
    gauges = [gauge(GAUGE, {BOB: 10, POOL: 10, OTHER_GAUGE: 10}, 40), gauge(OTHER_GAUGE, {}, 20)]
    assert dollars(accrue_gauged(pool_day(balances), gauges)) == {ALICE: 80, BOB: 40}


def test_gauge_and_lp_tokens_in_a_vault_are_its_holders_and_what_is_nobodys_is_told() -> None:
    vault = LookThrough(VAULT, {CARL: 3, POOL: 1}, [])
    day = pool_day({ALICE: 20, VAULT: 20, GAUGE: 60})
    found = accrue_gauged(day, [gauge(GAUGE, {BOB: 30, VAULT: 20}, 60)], [vault])
    assert dollars(found) == {ALICE: 80, BOB: 120, CARL: 120}
    assert found.unresolved == {GAUGE: Cell(40 * 10**6, 40 * 10**6), POOL: Cell(40 * 10**6, 40 * 10**6)}
    assert found.staked[VAULT][CARL] == Cell(120 * 10**6, 120 * 10**6)
    assert found.direct.keys() == {ALICE}
    now = lp_units_of(
        day.shares.balances, {GAUGE: {BOB: 30, VAULT: 20}}, frozenset({POOL}), [HeldShares(VAULT, vault.balances)]
    )
    assert now == {ALICE: 20, BOB: 30, CARL: 30}


@settings(max_examples=60)
@given(
    direct=st.dictionaries(st.sampled_from([ALICE, BOB, CARL]), st.integers(1, 10**24), max_size=3),
    staked=st.dictionaries(st.sampled_from([ALICE, BOB, CARL]), st.integers(1, 10**24), min_size=1, max_size=3),
    worth=st.integers(1, 10**9),
)
def test_the_cells_add_up_to_those_before_looking_through(
    direct: dict[Address, int], staked: dict[Address, int], worth: int
) -> None:
    units = sum(staked.values())
    day = pool_day({**direct, GAUGE: units}, dollars=worth)
    found = accrue_gauged(day, [gauge(GAUGE, staked, units)])
    before = share_cells(accrue_shares(day), share_scale([USDC]))
    assert sum(cell.usd_micro_days for cell in found.cells.values()) == sum(c.usd_micro_days for c in before.values())
    for holder, cell in found.cells.items():
        exact = Fraction((direct.get(holder, 0) + staked.get(holder, 0)) * worth * 10**6, sum(direct.values()) + units)
        assert abs(cell.usd_micro_days - exact) < 3  # its own floor, its part of the gauge's, and a remainder's unit


def test_balances_are_a_holders_part_of_what_the_pool_holds_floored_once() -> None:
    held = lp_units_of({ALICE: 1, POOL: 1, GAUGE: 5}, {GAUGE: {ALICE: 3, BOB: 1}}, frozenset({POOL}))
    assert held == {ALICE: Fraction(4), BOB: Fraction(1)}
    tbtc = TokenScale(18, 2)
    holdings = Holdings((10 * 10**6, 10**15), (10**8, 60_000_00), (USDC, tbtc), 7)
    assert shares_usd_micro(held, holdings) == {ALICE: 40_000_000, BOB: 10_000_000}
    assert shares_usd_micro({}, holdings._replace(supply=0)) == {}


def test_a_gauge_that_holds_fewer_than_it_issued_gives_its_holders_a_part_each() -> None:
    assert lp_units_of({GAUGE: 3}, {GAUGE: {ALICE: 4, BOB: 2}}, frozenset()) == {ALICE: 2, BOB: 1}


@pytest.mark.parametrize("staked", [{}, {POOL: 5}])
def test_a_gauge_with_nobody_behind_it_credits_nobody(staked: dict[Address, int]) -> None:
    assert accrue_gauged(pool_day({GAUGE: 5}), [gauge(GAUGE, staked, 5)]).cells == {}
