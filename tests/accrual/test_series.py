"""Which price is in force, against a look at every single second."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import PriceStep
from loyalty.accrual.series import FIXED, Missing, may_accept, points_in_force, steps_in_force
from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span

EXAMPLES = settings(max_examples=150, deadline=None)
SECONDS = 40


def _point(time: int, price: int = 1, source: str = "file") -> PricePoint:
    return PricePoint(time, price, source, asked_time=10**9)


def _points(*times: int) -> list[PricePoint]:
    return [_point(time, 100 + time) for time in times]


@st.composite
def series(draw: st.DrawFn) -> list[PricePoint]:
    times = sorted(draw(st.sets(st.integers(0, SECONDS), max_size=8)))
    sources = st.sampled_from(["file", "file", "file", FIXED])
    return [_point(time, draw(st.integers(1, 9)), draw(sources)) for time in times]


def spans() -> st.SearchStrategy[Span]:
    return st.tuples(st.integers(0, SECONDS), st.integers(0, SECONDS)).map(lambda ends: Span(min(ends), max(ends)))


MAX_AGES = st.one_of(st.none(), st.integers(0, 12))


def _in_force_at(points: Sequence[PricePoint], second: int, max_age: int | None) -> PricePoint | None:
    last = next((point for point in reversed(points) if point.valid_time <= second), None)
    if last is None or max_age is None or last.source == FIXED:
        return last
    return last if second - last.valid_time <= max_age else None


def _price_by(steps: Sequence[PriceStep], second: int) -> int:
    return next(step.price for step in reversed(steps) if step.time <= second)


@EXAMPLES
@given(series(), spans(), MAX_AGES, st.booleans())
def test_the_steps_give_at_every_second_the_price_in_force_or_the_seconds_without_one_are_named(
    points: list[PricePoint], span: Span, max_age: int | None, closed_end: bool
) -> None:
    found = steps_in_force(points, span, max_age, closed_end)
    wanted = range(span.start, span.end + closed_end)
    prices = {second: _in_force_at(points, second, max_age) for second in wanted}
    without = [second for second, point in prices.items() if point is None]
    if isinstance(found, Missing):
        assert [second for part in found.spans for second in range(part.start, part.end)] == without != []
        assert all(before.end < after.start for before, after in zip(found.spans, found.spans[1:], strict=False))
    else:
        assert without == []
        assert [_price_by(found, second) for second in wanted] == [p.price for p in prices.values() if p]


@EXAMPLES
@given(series(), spans(), MAX_AGES)
def test_the_points_in_force_are_those_that_some_second_or_the_end_sees(
    points: list[PricePoint], span: Span, max_age: int | None
) -> None:
    seen = {_in_force_at(points, second, max_age) for second in range(span.start, span.end + 1)}
    assert points_in_force(points, span, max_age) == sorted(point for point in seen if point)


@settings(max_examples=300, deadline=None)
@given(
    series(),
    st.integers(0, SECONDS),
    st.sampled_from(["file", FIXED]),
    st.lists(spans(), max_size=3),
    st.one_of(st.none(), st.integers(0, 12)),
)
def test_a_late_point_is_accepted_exactly_when_no_used_second_sees_another_point(
    existing: list[PricePoint], time: int, source: str, used: list[Span], max_age: int | None
) -> None:
    late = _point(time, 77, source)
    joined = sorted([*(point for point in existing if point.valid_time != time), late])
    changed = any(
        _in_force_at(existing, second, max_age) != _in_force_at(joined, second, max_age)
        for span in used
        for second in range(span.start, span.end + 1)
    )
    assert may_accept(late, existing, used, max_age) is not changed


def test_a_price_is_valid_for_its_max_age_and_not_a_second_longer() -> None:
    points = _points(0, 100)
    assert steps_in_force(points, Span(0, 131), 30, closed_end=False) == Missing(
        "no valid price from 1970-01-01T00:00:31Z on, 69 s in all: "
        "the last point before is of 1970-01-01T00:00:00Z, and one is valid for 30 s",
        (Span(31, 100),),
    )
    assert steps_in_force(points, Span(100, 131), 30, closed_end=False) == (PriceStep(100, 200),)
    assert isinstance(steps_in_force(points, Span(100, 131), 30, closed_end=True), Missing)


def test_a_closed_end_takes_in_the_point_at_the_end_itself() -> None:
    points = _points(0, 60)
    assert steps_in_force(points, Span(10, 60), 100, closed_end=False) == (PriceStep(0, 100),)
    assert steps_in_force(points, Span(10, 60), 100, closed_end=True) == (PriceStep(0, 100), PriceStep(60, 160))


def test_a_fixed_price_never_ages() -> None:
    fixed = [_point(0, 10**8, FIXED)]
    day = Span(1_700_000_000, 1_700_086_400)
    assert steps_in_force(fixed, day, 7_200, closed_end=True) == (PriceStep(0, 10**8),)
    assert points_in_force(fixed, day, 7_200) == fixed


def test_without_any_point_every_second_is_missing() -> None:
    assert steps_in_force([], Span(0, 60), 7_200, closed_end=True) == Missing(
        "no valid price from 1970-01-01T00:00:00Z on, 61 s in all: no point is older", (Span(0, 61),)
    )


def test_the_second_at_the_end_of_a_used_span_is_used() -> None:
    used = [Span(0, 3_600)]
    assert not may_accept(_point(3_600), _points(0), used, 7_200)
    assert may_accept(_point(3_601), _points(0), used, 7_200)


def test_a_point_before_used_seconds_is_accepted_when_a_later_one_or_its_age_hides_it() -> None:
    used = [Span(3_600, 7_200)]
    assert may_accept(_point(1_800), _points(3_600), used, 7_200)
    assert may_accept(_point(1_800), [], used, 1_799)
    assert not may_accept(_point(1_800), [], used, 1_800)


def test_a_point_that_would_end_the_force_of_a_fixed_price_changes_what_comes_after_its_own_age_too() -> None:
    fixed = [_point(0, 10**8, FIXED)]
    assert not may_accept(_point(1_000), fixed, [Span(9_000, 9_100)], 60)
    assert may_accept(_point(1_000), [*fixed, _point(2_000)], [Span(9_000, 9_100)], 60)


def test_a_point_that_would_take_a_used_one_s_place_is_refused_even_at_the_same_price() -> None:
    assert not may_accept(_point(0, 100), _points(0), [Span(10, 20)], 7_200)
    assert may_accept(_point(0, 100), _points(0), [], 7_200)


def test_points_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(Invalid, match="do not ascend"):
        steps_in_force(_points(0, 5, 5), Span(0, 60), None, closed_end=False)
