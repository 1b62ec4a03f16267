"""Two levels of sums answer as one list would."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.boundaries import Boundaries
from loyalty.accrual.buckets import Buckets, Sums
from loyalty.accrual.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, sqrt_ratio_at_tick
from loyalty.core.errors import Invalid

AMOUNTS = st.builds(Sums, *[st.integers(0, 2**200)] * 5)


def _plus(left: Sums, right: Sums) -> Sums:
    return Sums(*(a + b for a, b in zip(left, right, strict=True)))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), AMOUNTS))))
)
def test_below_a_boundary_is_the_sum_of_the_buckets_up_to_it(case: tuple[int, list[tuple[int, Sums]]]) -> None:
    count, added = case
    buckets, plain = Buckets(count), [Sums(0, 0, 0, 0, 0)] * count
    for bucket, sums in added:
        buckets.add(bucket, sums)
        plain[bucket] = _plus(plain[bucket], sums)
    expected, so_far = [], Sums(0, 0, 0, 0, 0)
    for sums in plain:
        so_far = _plus(so_far, sums)
        expected.append(so_far)
    assert [buckets.below(boundary) for boundary in range(count)] == expected
    assert buckets.running() == expected
    assert buckets.total() == expected[-1]


def test_a_boundary_s_own_tick_lies_above_it() -> None:
    boundaries = Boundaries([60, -60, 60])
    assert boundaries.ticks == [-60, 60]
    assert boundaries.buckets == 3
    assert [boundaries.bucket_of(tick).number for tick in (-61, -60, 59, 60)] == [0, 1, 1, 2]


def test_a_bucket_reaches_from_boundary_to_boundary_and_to_the_ends_of_the_grid() -> None:
    low, middle, high = sqrt_ratio_at_tick(-60), sqrt_ratio_at_tick(0), sqrt_ratio_at_tick(60)
    boundaries = Boundaries([-60, 0, 60])
    assert boundaries.bucket_of(MIN_TICK) == (0, MIN_TICK, -60, MIN_SQRT_RATIO, low)
    assert boundaries.bucket_of(0) == (2, 0, 60, middle, high)
    assert boundaries.bucket_of(MAX_TICK) == (3, 60, MAX_TICK + 1, high, MAX_SQRT_RATIO)


def test_a_boundary_beyond_the_grid_is_refused() -> None:
    with pytest.raises(Invalid, match="tick 900000 is not on the grid"):
        Boundaries([0, 900_000])


@pytest.mark.parametrize(("count", "most"), [(1, 2), (100, 24), (10_000, 230), (29_577, 360)])
def test_a_question_adds_up_about_two_square_roots_of_the_bucket_count(count: int, most: int) -> None:
    additions = 0

    class Counted(int):
        def __radd__(self, other: int) -> int:
            nonlocal additions
            additions += 1
            return other + int(self)

    buckets = Buckets(count)
    for level in (buckets._fine, buckets._coarse):
        for sums in level:
            sums[:] = [Counted(0)] * len(sums)
    buckets.below(count - 1)
    assert 0 < additions <= most * len(Sums._fields)
