"""Shares of a pool over time: exact numbers, the laws of the index, and a second-by-second oracle in fractions."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import Cell, PriceStep, TokenScale
from loyalty.accrual.shares import (
    Coin,
    HoldingsChange,
    PerShareDay,
    ShareChange,
    ShareDay,
    Shares,
    SupplyChange,
    accrue_per_share,
    accrue_shares,
    credit_between,
    per_share_index,
    per_share_scale,
    share_cells,
    share_index,
    share_scale,
)
from loyalty.core.address import Address
from loyalty.core.amounts import Overflow
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS

ALICE, BOB, CARL, POOL = (Address(name) for name in ("alice", "bob", "carl", "pool"))
USDC, DAI = TokenScale(6, 8), TokenScale(18, 8)
DAY = Span(0, DAY_SECONDS)
ONE = [PriceStep(0, 10**8)]


def day(balances, changes=(), coins=None, holdings=(), supply=None, supplies=(), span=DAY, nobody=(POOL,)):
    shares = Shares(balances, sum(balances.values()) if supply is None else supply, changes, supplies)
    coins = coins or [Coin(100 * 10**6, ONE, USDC)]
    return ShareDay(span, shares, coins, holdings, nobody)


def dollars(share_day):
    """Each holder's dollar-seconds."""
    scale = share_scale([coin.scale for coin in share_day.coins])
    return {holder: Fraction(raw, scale) for holder, raw in accrue_shares(share_day).items()}


def near(left, right):
    return abs(left - right) < Fraction(1, 10**20)


# Who gets what --------------------------------------------------------------------------------------------------------


def test_holders_share_the_pool_s_dollars_by_balance():
    found = dollars(day({ALICE: 30, BOB: 10}, span=Span(0, 10)))
    assert near(found[ALICE], 750)
    assert near(found[BOB], 250)


def test_two_coins_of_other_decimals_are_worth_what_they_are_worth():
    coins = [Coin(60 * 10**6, ONE, USDC), Coin(40 * 10**18, [PriceStep(0, 2 * 10**12)], TokenScale(18, 12))]
    found = dollars(day({ALICE: 1}, coins=coins, span=Span(0, 10)))
    assert near(found[ALICE], 10 * (60 + 40 * 2))


def test_shares_that_move_take_their_time_with_them():
    moved = [ShareChange(4, ALICE, -10), ShareChange(4, BOB, 10)]
    found = dollars(day({ALICE: 10}, moved, span=Span(0, 10)))
    assert near(found[ALICE], 400)
    assert near(found[BOB], 600)


def test_a_deposit_brings_holdings_and_supply_at_once():
    found = dollars(
        day(
            {ALICE: 10},
            [ShareChange(5, BOB, 30)],
            holdings=[HoldingsChange(5, 0, 300 * 10**6)],
            supplies=[SupplyChange(5, 30)],
            span=Span(0, 10),
        )
    )
    assert near(found[ALICE], 100 * 10)
    assert near(found[BOB], 300 * 5)


def test_a_price_step_counts_from_its_own_second_on():
    coins = [Coin(100 * 10**6, [PriceStep(-9, 10**8), PriceStep(7, 5 * 10**7)], USDC)]
    assert near(dollars(day({ALICE: 1}, coins=coins, span=Span(0, 10)))[ALICE], 100 * 7 + 50 * 3)


def test_shares_of_nobody_take_their_part_and_get_none():
    found = dollars(day({ALICE: 30, POOL: 10}, span=Span(0, 10)))
    assert near(found[ALICE], 750)
    assert POOL not in found


def test_shares_that_nobody_is_told_to_hold_count_in_the_supply():
    assert near(dollars(day({ALICE: 30}, supply=40, span=Span(0, 10)))[ALICE], 750)


def test_while_no_share_exists_the_holdings_are_nobody_s_and_need_no_price():
    late = day(
        {},
        [ShareChange(6, ALICE, 5)],
        coins=[Coin(100 * 10**6, [PriceStep(6, 10**8)], USDC)],
        supplies=[SupplyChange(6, 5)],
        span=Span(0, 10),
    )
    assert near(dollars(late)[ALICE], 400)
    assert share_index(late).total == 400 * share_scale([USDC])


def test_credit_from_before_a_time_without_shares_stays():
    gap = day(
        {ALICE: 10},
        [ShareChange(4, ALICE, -10), ShareChange(7, BOB, 5)],
        supplies=[SupplyChange(4, -10), SupplyChange(7, 5)],
        span=Span(0, 10),
    )
    found = dollars(gap)
    assert near(found[ALICE], 400)
    assert near(found[BOB], 300)


def test_in_and_out_within_one_second_is_zero_and_named():
    changes = [ShareChange(5, BOB, 1000), ShareChange(5, BOB, -1000)]
    supplies = [SupplyChange(5, 1000), SupplyChange(5, -1000)]
    found = dollars(day({ALICE: 10}, changes, supplies=supplies, span=Span(0, 10)))
    assert found[BOB] == 0
    assert near(found[ALICE], 1000)


def test_the_index_grows_by_the_floor_of_each_stretch():
    coins = [Coin(1, [PriceStep(0, 1), PriceStep(3, 2)], TokenScale(0, 0))]
    thirds = day({ALICE: 3}, coins=coins, span=Span(0, 10))
    index = share_index(thirds)
    assert index.at(1) == 2**128 // 3
    assert index.at(3) == 2**128
    assert index.at(4) == 2**128 + 2 * 2**128 // 3
    assert accrue_shares(thirds) == {ALICE: 3 * (2**128 + 14 * 2**128 // 3)}


# Value that is told per share -----------------------------------------------------------------------------------------


def test_a_told_price_per_share_times_the_asset_s_price_is_exact():
    told = PerShareDay(
        Span(0, 10),
        Shares({ALICE: 5 * 10**18, POOL: 10**18}, 6 * 10**18, [ShareChange(4, ALICE, -(10**18))], []),
        18,
        [PriceStep(-5, 1_100_000), PriceStep(6, 1_200_000)],
        [PriceStep(0, 10**8), PriceStep(8, 99_000_000)],
        USDC,
        (POOL,),
    )
    exact = Fraction("1.1") * (5 * 4 + 4 * 2) + Fraction("1.2") * 4 * (2 + 2 * Fraction("0.99"))
    assert {holder: Fraction(raw, per_share_scale(18, USDC)) for holder, raw in accrue_per_share(told).items()} == {
        ALICE: exact
    }


def test_a_missing_price_per_share_is_refused():
    told = PerShareDay(Span(0, 10), Shares({ALICE: 1}, 1, [], []), 18, [PriceStep(1, 5)], ONE, USDC)
    with pytest.raises(
        Invalid, match="the price per share has no price at 1970-01-01T00:00:00Z, while there are shares"
    ):
        per_share_index(told)
    with pytest.raises(Invalid, match="the asset has the price 0 at"):
        per_share_index(replace(told, steps=[PriceStep(0, 0)]))


# Cells ----------------------------------------------------------------------------------------------------------------


def test_a_cell_is_the_floor_in_micro_dollar_days_and_all_in_range():
    whole = day({ALICE: 1, BOB: 2})
    assert share_cells(accrue_shares(whole), share_scale([USDC])) == {
        ALICE: Cell(33_333_333, 33_333_333),
        BOB: Cell(66_666_666, 66_666_666),
    }


def test_cells_of_zero_are_left_out_and_too_large_ones_refused():
    assert share_cells({ALICE: 0, BOB: share_scale([USDC]) // 100}, share_scale([USDC])) == {}
    with pytest.raises(Overflow):
        share_cells({ALICE: share_scale([USDC]) * 2**63 * DAY_SECONDS}, share_scale([USDC]))


def test_the_documented_example_is_what_the_program_computes():
    page = (Path(__file__).resolve().parents[2] / "docs" / "shares.md").read_text()
    written = {Address(name): int(units) for name, units in re.findall(r"^\| (\w+) \| (\d+) \|$", page, re.MULTILINE)}
    six = DAY_SECONDS // 4
    example = day(
        {ALICE: 60, BOB: 30, POOL: 10},
        [ShareChange(six, BOB, -30), ShareChange(six, CARL, 30), ShareChange(2 * six, CARL, 25)],
        coins=[Coin(400 * 10**6, [PriceStep(0, 10**8), PriceStep(3 * six, 9 * 10**7)], USDC)],
        holdings=[HoldingsChange(2 * six, 0, 100 * 10**6)],
        supplies=[SupplyChange(2 * six, 25)],
    )
    cells = share_cells(accrue_shares(example), share_scale([USDC]))
    assert {holder: cell.usd_micro_days for holder, cell in cells.items()} == written
    assert len(written) == 3


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (day({ALICE: 1}, [ShareChange(5, ALICE, -2)], supply=9), "alice would hold -1 shares at 1970-01-01T00:00:05Z"),
        (day({ALICE: -1}, supply=9), "alice would hold -1 shares at 1970-01-01T00:00:00Z"),
        (day({ALICE: 5}, supply=4), "the holders have 5 shares at 1970-01-01T00:00:00Z, and 4 exist"),
        (day({ALICE: 5}, [ShareChange(5, BOB, 1)]), "the holders have 6 shares at 1970-01-01T00:00:05Z, and 5 exist"),
        (day({ALICE: 5}, supplies=[SupplyChange(5, -1)]), "the holders have 5 shares at .*, and 4 exist"),
        (day({}, supplies=[SupplyChange(5, -1)]), "the supply of shares is -1 at 1970-01-01T00:00:05Z"),
        (day({ALICE: 5}, holdings=[HoldingsChange(5, 0, -(10**9))]), r"the pool's holdings are \[-900000000\]"),
        (day({ALICE: 5}, [ShareChange(DAY_SECONDS, ALICE, -1)]), "shares changed at 1970-01-02T00:00:00Z, outside"),
        (
            day({}, supplies=[SupplyChange(5, 1), SupplyChange(4, 1)]),
            "the supply changed at .*:04Z, told after a later",
        ),
    ],
)
def test_facts_that_contradict_each_other_are_refused(wrong, told):
    with pytest.raises(Inconsistent, match=told):
        accrue_shares(wrong)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], "coin 0 has no price at 1970-01-01T00:00:00Z, while there are shares"),
        ([PriceStep(1, 1)], "coin 0 has no price at 1970-01-01T00:00:00Z"),
        ([PriceStep(0, 0)], "coin 0 has the price 0"),
        ([PriceStep(0, 1), PriceStep(0, 2)], "coin 0 has a price step at 1970-01-01T00:00:00Z out of order"),
    ],
)
def test_holdings_without_a_price_are_refused(steps, told):
    with pytest.raises(Invalid, match=told):
        accrue_shares(day({ALICE: 1}, coins=[Coin(1, steps, USDC)]))


# Laws -----------------------------------------------------------------------------------------------------------------

HOLDERS = [ALICE, BOB, CARL, POOL]
LENGTH = 40


@st.composite
def days(draw):
    """A span of 40 seconds with deposits, withdrawals, transfers, swaps and price steps, several of them in one."""
    balances = {holder: draw(st.integers(0, 9)) for holder in HOLDERS}
    held, start = dict(balances), dict(balances)
    lost = draw(st.integers(0, 3))
    supply = sum(held.values()) + lost
    units = [draw(st.integers(0, 10**20)), draw(st.integers(0, 10**8))]
    first, changes, supplies, holdings = tuple(units), [], [], []
    for time in sorted(draw(st.lists(st.integers(0, LENGTH - 1), max_size=12))):
        holder, amount = draw(st.sampled_from(HOLDERS)), draw(st.integers(-9, 9))
        coin = draw(st.integers(0, 1))
        move = max(draw(st.integers(-(10**7), 10**7)), -units[coin])
        units[coin] += move
        holdings.append(HoldingsChange(time, coin, move))
        amount = max(amount, -held[holder])
        other = draw(st.sampled_from([None, *HOLDERS]))
        if other is None or amount > 0:
            supplies.append(SupplyChange(time, amount))
        else:
            held[other] -= amount
            changes.append(ShareChange(time, other, -amount))
        held[holder] += amount
        changes.append(ShareChange(time, holder, amount))
    coins = [
        Coin(amount, [PriceStep(-3, draw(st.integers(1, 10**12))), *later], scale)
        for amount, scale, later in zip(
            first,
            (DAI, USDC),
            ([PriceStep(draw(st.integers(0, LENGTH)), draw(st.integers(1, 10**12)))] for _ in range(2)),
            strict=True,
        )
    ]
    return ShareDay(Span(0, LENGTH), Shares(start, supply, changes, supplies), coins, holdings, (POOL,))


def at(changes, time):
    return [change for change in changes if change.time <= time]


def oracle(share_day):
    """Second by second, in fractions: each holder's dollar-seconds, and the pool's while shares exist."""
    found, whole = dict.fromkeys(HOLDERS, Fraction(0)), Fraction(0)
    for time in range(share_day.span.start, share_day.span.end):
        value = Fraction(0)
        for number, coin in enumerate(share_day.coins):
            units = coin.units + sum(c.delta for c in at(share_day.holdings_changes, time) if c.coin == number)
            price = [step.price for step in coin.steps if step.time <= time][-1]
            value += Fraction(units * price, 10 ** (coin.scale.decimals + coin.scale.price_decimals))
        supply = share_day.shares.supply + sum(c.delta for c in at(share_day.shares.supply_changes, time))
        if supply:
            whole += value
            for holder in HOLDERS:
                changed = sum(c.delta for c in at(share_day.shares.changes, time) if c.holder == holder)
                found[holder] += value * (share_day.shares.balances.get(holder, 0) + changed) / supply
    return found, whole


def parts_of(share_day, cut):
    """The day in two: what stands at `cut`, and the changes on either side."""
    before = [c for c in share_day.shares.changes if c.time < cut]
    supplies = [c for c in share_day.shares.supply_changes if c.time < cut]
    holdings = [c for c in share_day.holdings_changes if c.time < cut]
    balances = dict(share_day.shares.balances)
    for change in before:
        balances[change.holder] = balances.get(change.holder, 0) + change.delta
    supply = share_day.shares.supply + sum(c.delta for c in supplies)
    coins = [
        replace(coin, units=coin.units + sum(c.delta for c in holdings if c.coin == number))
        for number, coin in enumerate(share_day.coins)
    ]
    first = replace(
        share_day,
        span=Span(0, cut),
        shares=Shares(share_day.shares.balances, share_day.shares.supply, before, supplies),
        holdings_changes=holdings,
    )
    shares = Shares(
        balances, supply, share_day.shares.changes[len(before) :], share_day.shares.supply_changes[len(supplies) :]
    )
    later = share_day.holdings_changes[len(holdings) :]
    return first, replace(share_day, span=Span(cut, LENGTH), shares=shares, coins=coins, holdings_changes=later)


def stretches(share_day):
    """How many stretches of constant value and supply the day has at most."""
    steps = sum(len(coin.steps) for coin in share_day.coins)
    return 1 + len(share_day.holdings_changes) + len(share_day.shares.supply_changes) + steps


def most_held(share_day):
    return share_day.shares.supply + sum(abs(change.delta) for change in share_day.shares.changes)


@settings(max_examples=40, deadline=None)
@given(days())
def test_credits_are_the_oracle_s_less_a_floor_a_stretch(share_day):
    found, whole = oracle(share_day)
    scale = share_scale([coin.scale for coin in share_day.coins])
    credited = accrue_shares(share_day)
    bound = (stretches(share_day) + len(share_day.shares.changes)) * most_held(share_day)
    assert POOL not in credited
    for holder, raw in credited.items():
        assert abs(found[holder] * scale - raw) <= bound
    assert share_index(share_day).total == whole * scale


@settings(max_examples=40, deadline=None)
@given(days())
def test_credits_add_up_to_no_more_than_the_pool_s_integral_and_hardly_less(share_day):
    everyone = replace(share_day, nobody=())
    total, lost = share_index(share_day).total, share_day.shares.supply - sum(share_day.shares.balances.values())
    held = replace(share_day.shares, balances={**share_day.shares.balances, Address("lost"): lost})
    credited = sum(accrue_shares(replace(everyone, shares=held)).values())
    assert total - stretches(share_day) * most_held(share_day) <= credited <= total
    assert sum(accrue_shares(share_day).values()) <= total


@settings(max_examples=40, deadline=None)
@given(days(), st.integers(1, LENGTH - 1))
def test_parts_of_a_day_add_up_within_one_unit_a_share(share_day, cut):
    whole = accrue_shares(share_day)
    first, second = (accrue_shares(part) for part in parts_of(share_day, cut))
    for holder, raw in whole.items():
        together = first.get(holder, 0) + second.get(holder, 0)
        assert abs(raw - together) <= 2 * most_held(share_day)


@settings(max_examples=40, deadline=None)
@given(days(), st.randoms())
def test_the_order_of_different_holders_changes_within_a_second_does_not_matter(share_day, dice):
    order = {holder: dice.random() for holder in HOLDERS}
    changes = sorted(share_day.shares.changes, key=lambda change: (change.time, order[change.holder]))
    holdings = sorted(share_day.holdings_changes, key=lambda change: (change.time, -change.coin))
    shuffled = replace(share_day, shares=replace(share_day.shares, changes=changes), holdings_changes=holdings)
    assert accrue_shares(shuffled) == accrue_shares(share_day)


@settings(max_examples=40, deadline=None)
@given(days(), st.lists(st.integers(1, LENGTH - 1), max_size=4))
def test_a_holder_s_credit_between_moments_adds_up_to_the_whole_exactly(share_day, moments):
    cuts = sorted({0, *moments, LENGTH})
    index = share_index(share_day)
    for holder, raw in accrue_shares(share_day).items():
        parts = credit_between(index, share_day.shares, holder, cuts)
        assert len(parts) == len(cuts) - 1
        assert min(parts) >= 0
        assert sum(parts) == raw


def test_what_others_do_among_themselves_changes_nothing_for_a_holder():
    quiet = day({ALICE: 7, BOB: 5, CARL: 0}, span=Span(0, 10))
    busy = [ShareChange(time, who, sign) for time in range(1, 9) for who, sign in ((BOB, -1), (CARL, 1))][:10]
    lively = replace(quiet, shares=replace(quiet.shares, changes=busy))
    assert accrue_shares(lively)[ALICE] == accrue_shares(quiet)[ALICE]
