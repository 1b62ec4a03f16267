"""The engine against the definition, bit for bit, and the laws that follow from it."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.accrual.day import ConcentratedDay, Credit, accrue_concentrated, factors_of, scale_of
from loyalty.core.address import Address
from loyalty.core.facts import PoolPrice, PositionChange, PositionKey
from loyalty.core.spans import Span
from tests.accrual.histories import LIQUIDITY, OWNERS, days
from tests.accrual.oracle import integer_credits, moments, real_dollar_seconds
from tests.accrual.timeline import timeline

EXAMPLES = settings(max_examples=50, deadline=None)
FEWER = settings(max_examples=40, deadline=None)


@settings(max_examples=200, deadline=None)
@given(days())
def test_every_credit_equals_the_definition_bit_for_bit(day: ConcentratedDay) -> None:
    assert accrue_concentrated(day) == integer_credits(day)


@FEWER
@given(days())
def test_rounding_the_inverse_moves_a_credit_by_less_than_one_unit_per_liquidity_and_second(
    day: ConcentratedDay,
) -> None:
    credited, scale = accrue_concentrated(day), scale_of(day.scale0, day.scale1)
    factor0 = factors_of(day.scale0, day.scale1).token0
    for position, credit in credited.items():
        bound = sum(m.liquidity * m.price0 * factor0 for m in moments(day) if m.position == position)
        assert abs(credit.usd - real_dollar_seconds(day, position) * scale) <= bound


@EXAMPLES
@given(days(), st.data())
def test_the_parts_of_a_span_add_up_to_the_whole(day: ConcentratedDay, choice: st.DataObject) -> None:
    first, second = _split(day, choice.draw(st.integers(day.span.start, day.span.end), label="cut"))
    parts = accrue_concentrated(first), accrue_concentrated(second)
    for position, whole in accrue_concentrated(day).items():
        left, right = (part.get(position, Credit(0, 0, 0)) for part in parts)
        assert whole == Credit(*(a + b for a, b in zip(left, right, strict=True)))


def _split(day: ConcentratedDay, cut: int) -> tuple[ConcentratedDay, ConcentratedDay]:
    earlier = [swap for swap in day.swaps if swap.time < cut]
    held = dict(day.positions)
    for change in day.changes:
        if change.time < cut:
            held[change.position] = held.get(change.position, 0) + change.liquidity_delta
    first = replace(
        day, span=Span(day.span.start, cut), swaps=earlier, changes=[c for c in day.changes if c.time < cut]
    )
    second = replace(
        day,
        span=Span(cut, day.span.end),
        price=earlier[-1] if earlier else day.price,
        positions=held,
        swaps=day.swaps[len(earlier) :],
        changes=[c for c in day.changes if c.time >= cut],
    )
    return first, second


@FEWER
@given(days(), st.permutations(OWNERS))
def test_who_the_owners_are_does_not_matter(day: ConcentratedDay, order: list[Address]) -> None:
    renamed_owner = dict(zip(OWNERS, order, strict=True))

    def renamed(position: PositionKey) -> PositionKey:
        return position._replace(owner=renamed_owner[position.owner])

    swapped = replace(
        day,
        positions={renamed(position): liquidity for position, liquidity in day.positions.items()},
        changes=[change._replace(position=renamed(change.position)) for change in day.changes],
    )
    expected = {renamed(position): credit for position, credit in accrue_concentrated(day).items()}
    assert accrue_concentrated(swapped) == expected


@FEWER
@given(days(), st.integers(2, 10**30))
def test_more_liquidity_earns_in_exact_proportion(day: ConcentratedDay, times: int) -> None:
    larger = replace(
        day,
        positions={position: liquidity * times for position, liquidity in day.positions.items()},
        changes=[change._replace(liquidity_delta=change.liquidity_delta * times) for change in day.changes],
    )
    for position, credit in accrue_concentrated(day).items():
        expected = Credit(credit.usd * times, credit.usd_in_range * times, credit.in_range_seconds)
        assert accrue_concentrated(larger)[position] == expected


@EXAMPLES
@given(days())
def test_what_is_in_range_is_part_of_the_whole(day: ConcentratedDay) -> None:
    for credit in accrue_concentrated(day).values():
        assert 0 <= credit.usd_in_range <= credit.usd
        assert 0 <= credit.in_range_seconds <= day.span.length


@EXAMPLES
@given(days(), st.data())
def test_two_neighbouring_ranges_are_worth_the_range_they_make_up(day: ConcentratedDay, choice: st.DataObject) -> None:
    key = next(iter([*day.positions, *(change.position for change in day.changes)]), None)
    if key is None or key.upper - key.lower < 2:
        return
    middle = choice.draw(st.integers(key.lower + 1, key.upper - 1), label="middle")
    liquidity = choice.draw(LIQUIDITY, label="liquidity")
    parts = [key._replace(upper=middle), key._replace(lower=middle)]
    whole = accrue_concentrated(replace(day, positions={key: liquidity}, changes=[]))[key]
    split = accrue_concentrated(replace(day, positions=dict.fromkeys(parts, liquidity), changes=[]))
    assert whole.usd == sum(split[part].usd for part in parts)
    assert whole.in_range_seconds == sum(split[part].in_range_seconds for part in parts)


@EXAMPLES
@given(days())
def test_only_the_last_price_of_a_second_counts(day: ConcentratedDay) -> None:
    noise = [PoolPrice(swap.time, 4_295_128_740, -887_272) for swap in day.swaps]
    noisy = sorted([*noise, *day.swaps], key=lambda swap: swap.time)
    assert accrue_concentrated(replace(day, swaps=noisy)) == accrue_concentrated(day)


@EXAMPLES
@given(days(), st.data())
def test_the_order_of_swaps_and_changes_within_one_second_does_not_matter(
    day: ConcentratedDay, choice: st.DataObject
) -> None:
    moments_of_facts = sorted({day.span.start, *(swap.time for swap in day.swaps), *(c.time for c in day.changes)})
    _, rest = _split(day, choice.draw(st.sampled_from(moments_of_facts), label="second"))
    second = rest.span.start
    swaps = [swap for swap in rest.swaps if swap.time == second]
    swaps_first = replace(rest, price=swaps[-1] if swaps else rest.price, swaps=rest.swaps[len(swaps) :])
    held = dict(rest.positions)
    for change in (change for change in rest.changes if change.time == second):
        held[change.position] = held.get(change.position, 0) + change.liquidity_delta
    changes_first = replace(rest, positions=held, changes=[c for c in rest.changes if c.time > second])
    expected = _above_zero(rest)
    assert _above_zero(swaps_first) == expected
    assert _above_zero(changes_first) == expected


def _above_zero(day: ConcentratedDay) -> dict[PositionKey, Credit]:
    return {position: credit for position, credit in accrue_concentrated(day).items() if credit != (0, 0, 0)}


@FEWER
@given(days(), st.integers(1, 10**20))
def test_a_visit_of_no_second_earns_nothing_and_disturbs_nobody(day: ConcentratedDay, liquidity: int) -> None:
    visitor = PositionKey(OWNERS[0], -1_000, 1_000, None)
    for moment in {day.span.start, day.span.end - 1}:
        visit = [PositionChange(moment, visitor, liquidity), PositionChange(moment, visitor, -liquidity)]
        others = [change for change in day.changes if change.position != visitor]
        quiet = replace(day, changes=others)
        visited = replace(day, changes=sorted([*others, *visit], key=lambda change: change.time))
        before = accrue_concentrated(quiet)
        assert accrue_concentrated(visited) == {visitor: Credit(0, 0, 0), **before}


def test_the_oracle_itself_is_right_on_a_range_that_can_be_worked_out_by_hand() -> None:
    history = timeline("""
        0  tick  0
        0  mint  alice  -887272..887272  1000000
        10 end
    """)
    (position,) = integer_credits(history)
    dollar_seconds = real_dollar_seconds(history, position)
    assert Fraction(19_999_999) < dollar_seconds < Fraction(20_000_000)
