"""What a position is worth at a moment, beside what it earns over a second."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from loyalty.accrual.day import ConcentratedDay, PriceStep, TokenScale, accrue_concentrated, scale_of
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.accrual.value import position_value, usd_micro_of
from loyalty.core.amounts import Overflow
from loyalty.core.errors import Invalid
from loyalty.core.facts import PoolPrice
from loyalty.core.spans import Span
from tests.accrual.histories import days

WETH = TokenScale(decimals=18, price_decimals=8)
USDC = TokenScale(decimals=6, price_decimals=8)


@settings(max_examples=50, deadline=None)
@given(days())
def test_the_value_is_the_credit_over_one_second_in_which_everything_stands_still(day: ConcentratedDay) -> None:
    price = day.price or PoolPrice(0, 2**96, 0)
    price0, price1 = day.steps0[0].price, day.steps1[0].price
    still = replace(
        day,
        span=Span(day.span.start, day.span.start + 1),
        price=price,
        swaps=[],
        changes=[],
        steps0=[PriceStep(day.span.start, price0)],
        steps1=[PriceStep(day.span.start, price1)],
    )
    for position, credit in accrue_concentrated(still).items():
        value = position_value(
            day.positions[position], position.lower, position.upper, price, price0, price1, day.scale0, day.scale1
        )
        assert value.usd_raw == credit.usd
        assert value.in_range == bool(credit.in_range_seconds)


def test_below_its_range_a_position_is_token0_alone() -> None:
    # L = 10**18 on [0, 60): L * (1 - 1.0001**-30) = 0.00299535... WETH at $3,000
    price = PoolPrice(0, sqrt_ratio_at_tick(-60), -60)
    value = position_value(10**18, 0, 60, price, 3_000 * 10**8, 10**8, WETH, USDC)
    assert usd_micro_of(value.usd_raw, WETH, USDC) == 8_986_064
    assert not value.in_range


def test_above_its_range_a_position_is_token1_alone() -> None:
    # L = 10**12 on [0, 60): L * (1.0001**30 - 1) = 3004.35... USDC
    price = PoolPrice(0, sqrt_ratio_at_tick(60), 60)
    value = position_value(10**12, 0, 60, price, 3_000 * 10**8, 10**8, WETH, USDC)
    assert usd_micro_of(value.usd_raw, WETH, USDC) == 3_004_354_062


def test_on_a_boundary_the_tick_decides_what_is_in_range_and_not_what_it_is_worth() -> None:
    at_the_boundary = PoolPrice(0, sqrt_ratio_at_tick(60), 60)
    rising = position_value(10**12, 0, 60, at_the_boundary, 10**8, 10**8, WETH, USDC)
    falling = position_value(10**12, 0, 60, at_the_boundary._replace(tick=59), 10**8, 10**8, WETH, USDC)
    assert (rising.in_range, falling.in_range) == (False, True)
    assert rising.usd_raw == falling.usd_raw


def test_micro_dollars_are_rounded_down_and_must_fit_63_bits() -> None:
    micro_dollar = scale_of(WETH, USDC) // 10**6
    assert usd_micro_of(2 * micro_dollar - 1, WETH, USDC) == 1
    assert usd_micro_of((2**63 - 1) * micro_dollar, WETH, USDC) == 2**63 - 1
    with pytest.raises(Overflow):
        usd_micro_of(2**63 * micro_dollar, WETH, USDC)


@pytest.mark.parametrize(("price0", "price1"), [(0, 1), (1, 0), (-1, 1)])
def test_without_a_price_there_is_no_value(price0: int, price1: int) -> None:
    with pytest.raises(Invalid, match="a price is above zero"):
        position_value(1, 0, 60, PoolPrice(0, 2**96, 0), price0, price1, WETH, USDC)
