"""Pool-days as timelines: what is credited, to whom, and what is refused."""

from dataclasses import replace

import pytest

from loyalty.accrual.day import (
    Cell,
    ConcentratedDay,
    Credit,
    PriceStep,
    TokenScale,
    accrue_concentrated,
    cells,
    scale_of,
)
from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.amounts import Overflow
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey, PositionToken
from loyalty.core.spans import Span
from tests.accrual.timeline import SCALE, timeline


def _credit(history: ConcentratedDay, owner: str) -> Credit:
    credited = [credit for position, credit in accrue_concentrated(history).items() if position.owner == owner]
    return Credit(*(sum(parts) for parts in zip(*credited, strict=True)))


def _dollar_seconds(raw: int) -> int:
    return raw // scale_of(SCALE, SCALE)


def test_liquidity_out_of_range_earns_nothing_in_range() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  -60..60  1000000
        10  tick  75
        25  tick  0
        30  end
    """)
    alice = _credit(history, "alice")
    assert alice.in_range_seconds == 10 + 5
    # in range 1000000 * (1 - 1.0001**-30) of each token, above it 1000000 * (1.0001**30 - 1.0001**-30) of token1
    assert _dollar_seconds(alice.usd_in_range) == int(15 * 5_990.70993)
    assert _dollar_seconds(alice.usd) == int(15 * 5_990.70993 + 15 * 5_999.70904)


def test_a_swap_down_onto_the_lower_boundary_leaves_the_range_and_one_up_onto_it_does_not() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  0..60  1000
         4  tick  0  falling
        10  end
    """)
    assert _credit(history, "alice").in_range_seconds == 4
    assert _credit(history, "alice").usd * 4 == _credit(history, "alice").usd_in_range * 10


def test_a_swap_down_onto_the_upper_boundary_comes_back_into_range() -> None:
    history = timeline("""
         0  tick  60
         0  mint  alice  0..60  1000
         4  tick  60  falling
        10  end
    """)
    assert _credit(history, "alice").in_range_seconds == 6


def test_the_range_of_a_moved_position_counts_for_each_owner_s_own_time() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  -60..60  1000
        10  move  alice  bob  -60..60
        40  end
    """)
    alice, bob = _credit(history, "alice"), _credit(history, "bob")
    assert (alice.in_range_seconds, bob.in_range_seconds) == (10, 30)
    assert bob.usd == 3 * alice.usd > 0


def test_a_price_step_counts_from_its_own_second_on() -> None:
    history = timeline("""
         0  tick  -60
         0  mint  alice  0..60  1000000
         0  usd0  2
         7  usd0  5
        10  end
    """)
    single = timeline("""
        0  tick  -60
        0  mint  alice  0..60  1000000
        1  end
    """)
    assert _credit(history, "alice").usd == (7 * 2 + 3 * 5) * _credit(single, "alice").usd


def test_steps_before_the_span_count_by_the_last_of_them_and_steps_after_it_not_at_all() -> None:
    history = timeline("""
         0  tick  -60
         0  mint  alice  0..60  1000000
        10  end
    """)
    steps = [PriceStep(-100, 9 * 10**8), PriceStep(-50, 3 * 10**8), PriceStep(10, 7 * 10**8)]
    tripled = replace(history, steps0=steps)
    assert _credit(tripled, "alice").usd == 3 * _credit(history, "alice").usd


def test_before_the_pool_has_a_price_nothing_has_value() -> None:
    history = timeline("""
         0  mint  alice  -60..60  1000
        15  tick  0
        20  end
    """)
    from_the_start = timeline("""
         0  tick  0
         0  mint  alice  -60..60  1000
        20  end
    """)
    assert _credit(history, "alice").in_range_seconds == 5
    assert 4 * _credit(history, "alice").usd == _credit(from_the_start, "alice").usd


def test_opened_and_closed_within_one_second_is_zero_and_named() -> None:
    history = timeline("""
         0  tick  0
         5  mint  alice  -60..60  1000
         5  burn  alice  -60..60  1000
        20  end
    """)
    assert accrue_concentrated(history) == {PositionKey(Address("alice"), -60, 60, None): Credit(0, 0, 0)}


def test_a_position_without_liquidity_all_day_is_left_out() -> None:
    empty = PositionKey(Address("alice"), -60, 60, None)
    assert accrue_concentrated(replace(timeline("9 end"), positions={empty: 0})) == {}


def test_a_reopened_position_counts_its_seconds_once() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  -60..60  10
         2  burn  alice  -60..60  4
         5  burn  alice  -60..60  6
         8  mint  alice  -60..60  1
         9  mint  alice  -60..60  1
        12  end
    """)
    unit = timeline("""
        0  tick  0
        0  mint  alice  -60..60  1
        1  end
    """)
    assert _credit(history, "alice").in_range_seconds == 5 + 4
    assert _credit(history, "alice").usd == (2 * 10 + 3 * 6 + 1 + 3 * 2) * _credit(unit, "alice").usd


def test_two_tokens_on_the_same_range_are_two_positions() -> None:
    manager = Address("0x" + "f" * 40)
    first, second = (PositionKey(Address("alice"), -60, 60, PositionToken(manager, number)) for number in (1, 2))
    day = replace(
        timeline("0 tick 0\n 10 end"),
        positions={first: 5},
        changes=[PositionChange(5, second, 10)],
    )
    credited = accrue_concentrated(day)
    assert credited[first] == credited[second]._replace(in_range_seconds=10)


def test_a_token_with_fewer_price_decimals_is_brought_to_the_larger() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  -60..60  1000000
        10  end
    """)
    finer = replace(history, scale0=TokenScale(0, 12), steps0=[PriceStep(0, 10**12)])
    (position,) = accrue_concentrated(history)
    coarse_usd, fine_usd = accrue_concentrated(history)[position].usd, accrue_concentrated(finer)[position].usd
    assert fine_usd == coarse_usd * 10**4
    assert scale_of(finer.scale0, finer.scale1) == scale_of(SCALE, SCALE) * 10**4 == 2**160 * 10**12


# What is refused ----------------------------------------------------------------------------------------------------


def test_liquidity_below_zero_is_refused_with_the_position_s_name() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  -60..60  1000
         5  burn  alice  -60..60  1001
        20  end
    """)
    with pytest.raises(Inconsistent, match=r"position of alice on \[-60, 60\): liquidity 1000 would change by -1001"):
        accrue_concentrated(history)


def test_a_position_token_is_named_in_the_refusal() -> None:
    token = PositionToken(Address("0x" + "f" * 40), 7)
    day = replace(timeline("9 end"), positions={PositionKey(Address("alice"), 0, 60, token): -1})
    with pytest.raises(Inconsistent, match="token 7 of 0xfff"):
        accrue_concentrated(day)


def test_an_empty_range_is_refused() -> None:
    history = timeline("""
         0  tick  0
         0  mint  alice  60..60  1000
        20  end
    """)
    with pytest.raises(Inconsistent, match=r"position of alice on \[60, 60\): the range is empty"):
        accrue_concentrated(history)


def test_liquidity_before_the_first_price_step_is_refused_with_the_token_and_the_time() -> None:
    history = timeline("""
         0  tick  0
         5  mint  alice  -60..60  1000
        20  end
    """)
    with pytest.raises(Invalid, match="token1 has no price at 1970-01-01T00:00:05Z"):
        accrue_concentrated(replace(history, steps1=[PriceStep(6, 10**8)]))


@pytest.mark.parametrize("first_step", [5, 3])
def test_without_liquidity_no_price_is_needed(first_step: int) -> None:
    history = timeline("""
         0  tick  0
         5  mint  alice  -60..60  1000
        20  end
    """)
    later = replace(history, steps0=[PriceStep(first_step, 10**8)], steps1=[PriceStep(first_step, 10**8)])
    assert accrue_concentrated(later) == accrue_concentrated(history)


def test_liquidity_that_leaves_in_the_first_second_needs_no_price() -> None:
    position = PositionKey(Address("alice"), -60, 60, None)
    leaves = replace(
        timeline("0 tick 0\n 9 end"), positions={position: 5}, changes=[PositionChange(0, position, -5)], steps0=[]
    )
    assert accrue_concentrated(leaves) == {position: Credit(0, 0, 0)}


@pytest.mark.parametrize("price", [0, -1])
def test_a_price_that_is_not_above_zero_is_refused(price: int) -> None:
    day = replace(timeline("0 tick 0\n 9 end"), steps0=[PriceStep(0, price)])
    with pytest.raises(Invalid, match=f"token0 has the price {price} at 1970-01-01T00:00:00Z"):
        accrue_concentrated(day)


def test_price_steps_out_of_order_are_refused() -> None:
    day = replace(timeline("9 end"), steps1=[PriceStep(0, 1), PriceStep(5, 1), PriceStep(5, 2)])
    with pytest.raises(Invalid, match="token1 has a price step at 1970-01-01T00:00:05Z out of order"):
        accrue_concentrated(day)


def test_swaps_that_go_back_in_time_are_refused() -> None:
    swaps = [PoolPrice(6, 2**96, 0), PoolPrice(5, 2**96, 0)]
    for price in (None, PoolPrice(0, 2**96, 0)):
        with pytest.raises(Inconsistent, match="1970-01-01T00:00:05Z comes after 1970-01-01T00:00:06Z"):
            accrue_concentrated(replace(timeline("9 end"), price=price, swaps=swaps))


def test_a_swap_before_the_span_is_refused() -> None:
    day = replace(timeline("9 end"), span=Span(3, 9), swaps=[PoolPrice(2, 2**96, 0)])
    with pytest.raises(Inconsistent, match="1970-01-01T00:00:02Z comes after 1970-01-01T00:00:03Z"):
        accrue_concentrated(day)


@pytest.mark.parametrize("time", [9, 10])
def test_a_swap_at_the_end_or_later_is_refused(time: int) -> None:
    with pytest.raises(Inconsistent, match="lies outside the span"):
        accrue_concentrated(replace(timeline("9 end"), swaps=[PoolPrice(time, 2**96, 0)]))


@pytest.mark.parametrize("time", [2, 9])
def test_a_change_outside_the_span_is_refused(time: int) -> None:
    change = PositionChange(time, PositionKey(Address("alice"), 0, 60, None), 5)
    with pytest.raises(Inconsistent, match=r"position of alice .* outside the span"):
        accrue_concentrated(replace(timeline("9 end"), span=Span(3, 9), changes=[change]))


def test_changes_that_go_back_in_time_are_refused() -> None:
    position = PositionKey(Address("alice"), 0, 60, None)
    changes = [PositionChange(6, position, 5), PositionChange(5, position, 5)]
    with pytest.raises(Inconsistent, match="1970-01-01T00:00:05Z, after a later change"):
        accrue_concentrated(replace(timeline("9 end"), changes=changes))


@pytest.mark.parametrize(
    "price",
    [
        PoolPrice(0, sqrt_ratio_at_tick(60), -61),
        PoolPrice(0, sqrt_ratio_at_tick(-60) - 1, -60),
        PoolPrice(0, sqrt_ratio_at_tick(60) + 1, 59),
        PoolPrice(0, 0, 0),
        PoolPrice(0, 2**96, 887_273),
        PoolPrice(0, 2**96, -887_273),
    ],
)
def test_a_price_on_the_other_side_of_a_boundary_than_its_tick_is_refused(price: PoolPrice) -> None:
    day = replace(timeline("9 end"), price=price, positions={PositionKey(Address("alice"), -60, 60, None): 5})
    with pytest.raises(Inconsistent, match="contradicts itself"):
        accrue_concentrated(day)


# Cells --------------------------------------------------------------------------------------------------------------

MICRO_DOLLAR_DAY = 86_400 * scale_of(SCALE, SCALE) // 10**6
"""Raw USD, exactly: 86,400 * 2**160 * 10**8 / 10**6."""


def _position(owner: str, lower: int) -> PositionKey:
    return PositionKey(Address(owner), lower, lower + 60, None)


def test_a_provider_s_positions_are_summed_first_and_rounded_once_and_down() -> None:
    credited = {
        _position("alice", 0): Credit(MICRO_DOLLAR_DAY // 2, MICRO_DOLLAR_DAY // 2, 1),
        _position("alice", 60): Credit(MICRO_DOLLAR_DAY // 2, 0, 0),
        _position("bob", 0): Credit(2 * MICRO_DOLLAR_DAY - 1, MICRO_DOLLAR_DAY, 1),
    }
    assert cells(credited, SCALE, SCALE) == {"alice": Cell(1, 0), "bob": Cell(1, 1)}


def test_a_cell_of_zero_is_left_out() -> None:
    credited = {_position("alice", 0): Credit(MICRO_DOLLAR_DAY - 1, 0, 0), _position("bob", 0): Credit(0, 0, 0)}
    assert cells(credited, SCALE, SCALE) == {}


def test_one_dollar_held_for_a_whole_day_is_a_million() -> None:
    dollar_day = Credit(86_400 * scale_of(SCALE, SCALE), 0, 0)
    assert cells({_position("alice", 0): dollar_day}, SCALE, SCALE) == {"alice": Cell(1_000_000, 0)}


def test_a_cell_beyond_63_bits_is_an_error() -> None:
    most = Credit(MICRO_DOLLAR_DAY * (2**63 - 1), 0, 0)
    assert cells({_position("alice", 0): most}, SCALE, SCALE) == {"alice": Cell(2**63 - 1, 0)}
    with pytest.raises(Overflow, match="does not fit 63 bits"):
        cells({_position("alice", 0): Credit(most.usd + MICRO_DOLLAR_DAY, 0, 0)}, SCALE, SCALE)
