"""Tiers: who qualifies, in which participation epoch a provider is, and what its liquidity weighs."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.program.tiers import participate, qualifies, qualifying_after, tier_of

MICRO = 10**6


def _seven_epochs(program: Any, on_lapse: str) -> list[Any]:
    """Alice holds 100 dollars for five weeks, nothing in the sixth, and 100 dollars again; Bob is always there."""
    both, bob = {program.alice: 100, program.bob: 50}, {program.bob: 50}
    results = program.play(program.rules(on_lapse=on_lapse), [both] * 5 + [bob, both])
    return [next((p for p in result.participations if p.provider == program.alice), None) for result in results]


@pytest.mark.parametrize(("on_lapse", "seventh", "multiplier"), [("reset", 1, "1"), ("pause", 6, "1.2")])
def test_the_fifth_qualifying_week_in_a_row_is_the_first_at_tier_two(
    program: Any, on_lapse: str, seventh: int, multiplier: str
) -> None:
    rows = [(p.participation_epoch, str(p.multiplier)) if p else None for p in _seven_epochs(program, on_lapse)]
    first_six = [(1, "1"), (2, "1"), (3, "1"), (4, "1"), (5, "6/5"), None]
    assert rows == [*first_six, (seventh, str(Fraction(multiplier)))]


@pytest.mark.parametrize(
    ("participation_epoch", "name", "multiplier"),
    [
        (1, "Tier 1", "1"), (4, "Tier 1", "1"), (5, "Tier 2", "1.2"), (12, "Tier 2", "1.2"), (13, "Tier 3", "1.5"),
        (20, "Tier 3", "1.5"), (21, "Tier 4", "2"), (30, "Tier 4", "2"),
    ],
)  # fmt: skip
def test_the_default_tiers_change_after_weeks_4_12_and_20(
    program: Any, participation_epoch: int, name: str, multiplier: str
) -> None:
    rules = program.rules()
    tier = tier_of(rules, rules.epoch(1), participation_epoch, 1)
    assert tier
    assert (tier.name, tier.multiplier) == (name, Fraction(multiplier))


def test_the_average_counts_every_day_of_the_epoch(program: Any) -> None:
    """70 dollars on one day are 10 dollars on average over seven."""
    cells = [program.cell(program.alice, "2024-09-11", 70)]
    at, above = program.rules(minimum_usd_micro=10 * MICRO), program.rules(minimum_usd_micro=10 * MICRO + 1)
    assert [p.usd_micro_days for p in participate(at, at.epoch(1), cells, {})] == [70 * MICRO]
    assert participate(above, above.epoch(1), cells, {}) == []


def test_a_minimum_of_zero_still_needs_something_held(program: Any) -> None:
    rules = program.rules(minimum_usd_micro=0)
    assert participate(rules, rules.epoch(1), [program.cell(program.alice, "2024-09-09", 0)], {}) == []
    tiny = program.cell(program.alice, "2024-09-09", 0)._replace(usd_micro_days=1)
    assert [p.weight for p in participate(rules, rules.epoch(1), [tiny], {})] == [Fraction(1, MICRO)]


def test_nothing_held_never_qualifies_and_one_micro_dollar_day_does(program: Any) -> None:
    rules = program.rules(minimum_usd_micro=0)
    assert [qualifies(rules, rules.epoch(1), usd_micro_days) for usd_micro_days in (0, 1)] == [False, True]


def test_the_minimum_is_compared_before_pool_weights(program: Any) -> None:
    rules = program.rules(pools=(program.pool_rule(weight="0.1"),), minimum_usd_micro=100 * MICRO)
    held = participate(rules, rules.epoch(1), program.held(rules.epoch(1), {program.alice: 100}), {})
    assert [(p.usd_micro_days, p.weight) for p in held] == [(700 * MICRO, Fraction(70))]


def test_the_weight_is_dollar_days_times_pool_weights_times_the_multiplier(program: Any) -> None:
    pools = (program.pool_rule(program.pool, "1.5"), program.pool_rule(program.second_pool, "0.25"))
    rules = program.rules(pools=pools)
    epoch = rules.epoch(6)
    cells = program.held(epoch, {program.alice: 10}) + program.held(epoch, {program.alice: 8}, program.second_pool)
    (alice,) = participate(rules, epoch, cells, {program.alice: 5})
    assert alice.weight == (70 * Fraction("1.5") + 56 * Fraction("0.25")) * Fraction("1.2") == Fraction("142.8")
    assert (alice.participation_epoch, alice.tier, alice.usd_micro_days) == (6, "Tier 2", 126 * MICRO)


def test_liquidity_out_of_range_neither_weighs_nor_qualifies_where_only_in_range_counts(program: Any) -> None:
    cells = [program.cell(program.alice, "2024-09-09", 10, in_range=0), program.cell(program.bob, "2024-09-09", 10, 4)]
    rules = program.rules(count="in_range")
    assert [(p.provider, p.usd_micro_days) for p in participate(rules, rules.epoch(1), cells, {})] == [
        (program.bob, 4 * MICRO)
    ]


def test_a_tier_with_a_minimum_is_passed_over_by_who_holds_less(program: Any) -> None:
    """The last tier that has begun and is reached: not the first that fails."""
    tiers = (program.tier(1, "1"), program.tier(2, "1.5", 1000), program.tier(3, "1.2"))
    rules = program.rules(tiers=tiers)
    both = (program.alice, program.bob)
    held = program.held(rules.epoch(4), dict(zip(both, (1000, 999), strict=True)))
    by_progress = {
        before: [str(p.multiplier) for p in participate(rules, rules.epoch(4), held, dict.fromkeys(both, before))]
        for before in (0, 1, 2)
    }
    assert by_progress == {0: ["1", "1"], 1: ["3/2", "1"], 2: ["6/5", "6/5"]}


def test_without_a_tier_that_applies_the_multiplier_is_one_and_the_tier_null(program: Any) -> None:
    rules = program.rules(tiers=(program.tier(3, "2"),))
    (alice,) = participate(rules, rules.epoch(1), program.held(rules.epoch(1), {program.alice: 10}), {})
    assert (alice.tier, alice.multiplier, alice.weight) == (None, Fraction(1), Fraction(70))


def test_a_wholly_excluded_epoch_does_not_qualify_and_is_a_lapse(program: Any) -> None:
    rules = program.rules(exclusions=(program.exclude(program.alice, "2024-09-16", "2024-09-23"),))
    results = program.play(rules, [{program.alice: 10}] * 3)
    assert [[p.participation_epoch for p in result.participations] for result in results] == [[1], [], [1]]


def test_a_partly_excluded_epoch_qualifies_by_the_days_that_are_left(program: Any) -> None:
    exclusion = program.exclude(program.alice, "2024-09-09", "2024-09-15")
    rules = program.rules(exclusions=(exclusion,), minimum_usd_micro=10 * MICRO)
    epoch = rules.epoch(1)
    assert participate(rules, epoch, program.held(epoch, {program.alice: 69}), {}) == []
    assert [p.usd_micro_days for p in participate(rules, epoch, program.held(epoch, {program.alice: 70}), {})] == [
        70 * MICRO
    ]


def test_what_is_below_the_minimum_earns_nothing_and_lapses(program: Any) -> None:
    rules = program.rules(minimum_usd_micro=10 * MICRO)
    results = program.play(rules, [{program.alice: 10}, {program.alice: 9}, {program.alice: 10}])
    assert [[p.participation_epoch for p in result.participations] for result in results] == [[1], [], [1]]
    assert results[1].rewards == {"ARB": {}}


def test_a_pause_keeps_the_count_of_who_is_away(program: Any) -> None:
    rules = program.rules(on_lapse="pause")
    assert qualifying_after(rules, {program.alice: 4, program.bob: 1}, []) == {program.alice: 4, program.bob: 1}
    assert qualifying_after(program.rules(), {program.alice: 4, program.bob: 1}, []) == {}


usd_per_epoch = st.lists(st.booleans(), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(present=usd_per_epoch, on_lapse=st.sampled_from(["reset", "pause"]))
def test_the_participation_epoch_counts_this_epoch_and_the_qualifying_ones_before(
    program: Any, present: list[bool], on_lapse: str
) -> None:
    rules = program.rules(on_lapse=on_lapse)
    results = program.play(rules, [{program.alice: 1} if held else {} for held in present])
    expected, count = [], 0
    for held in present:
        count = count + 1 if held else (0 if on_lapse == "reset" else count)
        expected.append([count] if held else [])
    assert [[p.participation_epoch for p in result.participations] for result in results] == expected


@settings(max_examples=60, deadline=None)
@given(usd=st.integers(1, 10**6), more=st.integers(1, 10**6), before=st.integers(0, 29))
def test_who_holds_more_never_weighs_less(program: Any, usd: int, more: int, before: int) -> None:
    """Monotone as long as the multipliers do not fall as the minimums rise."""
    tiers = (program.tier(1, "1"), program.tier(5, "1.2", 1000), program.tier(13, "1.5", 5000))
    rules = program.rules(tiers=tiers, minimum_usd_micro=500 * MICRO)
    epoch = rules.epoch(1)
    weights = [
        sum(
            p.weight
            for p in participate(rules, epoch, program.held(epoch, {program.alice: held}), {program.alice: before})
        )
        for held in (usd, usd + more)
    ]
    assert weights[0] <= weights[1]
