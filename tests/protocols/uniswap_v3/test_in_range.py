"""The liquidity in range, kept by crossing boundaries, is the sum over all ranges around the tick."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.protocols.uniswap_v3.in_range import InRangeLiquidity

TICKS = st.integers(-6, 6)
MOVES = st.tuples(st.just("move"), TICKS)
RANGES = st.tuples(st.just("add"), TICKS, st.integers(1, 6), st.integers(-3, 3).filter(bool))


def test_without_a_price_nothing_is_known():
    pool = InRangeLiquidity()
    pool.add(-10, 10, 5)
    assert pool.liquidity is None
    assert pool.tick is None


def test_a_range_holds_its_lower_and_not_its_upper_boundary():
    pool = InRangeLiquidity()
    pool.add(-10, 10, 5)
    assert [pool.move(tick) for tick in (-11, -10, 9, 10, 9, -10, -11)] == [0, 5, 5, 0, 5, 5, 0]


def test_a_range_added_around_the_tick_counts_at_once_and_leaves_again():
    pool = InRangeLiquidity()
    pool.move(0)
    pool.add(-10, 10, 5)
    pool.add(0, 20, 7)
    pool.add(-20, 0, 9)
    assert pool.liquidity == 12
    pool.add(-10, 10, -5)
    assert pool.liquidity == 7
    assert pool.move(-1) == 9


def test_a_copy_goes_its_own_way():
    pool = InRangeLiquidity()
    pool.add(-10, 10, 5)
    pool.move(0)
    twin = pool.copy()
    twin.add(-10, 10, 6)
    twin.move(50)
    assert (pool.tick, pool.liquidity, pool.move(-50), pool.move(3)) == (0, 5, 0, 5)
    assert twin.move(3) == 11


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(MOVES, RANGES), max_size=30))
def test_it_equals_the_plain_sum_at_every_step(steps):
    pool, ranges, tick = InRangeLiquidity(), [], None
    for step in steps:
        if step[0] == "move":
            tick = step[1]
            pool.move(tick)
        else:
            _, lower, width, delta = step
            ranges.append((lower, lower + width, delta))
            pool.add(lower, lower + width, delta)
        plain = None if tick is None else sum(delta for lower, upper, delta in ranges if lower <= tick < upper)
        assert pool.liquidity == plain
