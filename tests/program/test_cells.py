"""Which days count: those of the epoch, with the pool part of the program and the provider not excluded."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.spans import Span
from loyalty.program.cells import counted, holdings, in_program, of_providers
from loyalty.program.in_force import days_in_force, excluded_days, exclusions_in_force, pools_in_force
from loyalty.program.rules import Exclusion, LookThroughRule

MICRO = 10**6
open_day = st.none() | st.integers(19_970, 19_995)


def test_only_the_days_of_the_epoch_count(program: Any) -> None:
    rules = program.rules()
    cells = [program.cell(program.alice, day, 1) for day in ("2024-09-15", "2024-09-16", "2024-09-22", "2024-09-23")]
    assert list(counted(rules, rules.epoch(2), cells)) == cells[1:3]


def test_a_pool_counts_from_its_first_day_until_the_day_before_until(program: Any) -> None:
    pool = program.pool_rule(from_day="2024-09-10", until_day="2024-09-12")
    rules = program.rules(pools=(pool,))
    cells = [program.cell(program.alice, f"2024-09-{day:02}", 1) for day in range(9, 16)]
    assert list(counted(rules, rules.epoch(1), cells)) == cells[1:3]


def test_a_pool_that_the_rules_do_not_name_counts_nothing(program: Any) -> None:
    rules = program.rules(pools=(program.pool_rule(program.pool),))
    cells = program.held(rules.epoch(1), {program.alice: 5}, pool=program.second_pool)
    assert list(in_program(rules, rules.epoch(1), cells)) == []


def test_an_excluded_providers_days_do_not_count_but_stay_in_the_program(program: Any) -> None:
    rules = program.rules(exclusions=(program.exclude(program.alice, "2024-09-10", "2024-09-11"),))
    cells = program.held(rules.epoch(1), {program.alice: 5, program.bob: 7})
    excluded = program.cell(program.alice, "2024-09-10", 5)
    assert [cell for cell in cells if cell not in set(counted(rules, rules.epoch(1), cells))] == [excluded]
    assert list(in_program(rules, rules.epoch(1), cells)) == cells


def test_what_a_contract_that_is_looked_through_has_left_does_not_count_on_its_own_chain(program: Any) -> None:
    cells = program.held(program.rules().epoch(1), {program.alice: 5, program.bob: 7})
    for chain, left in ((cells[0].chain, [each for each in cells if each.provider == program.bob]), (1, cells)):
        rules = program.rules(look_through=(LookThroughRule(chain, program.alice, "nft_staker", None),))
        assert list(counted(rules, rules.epoch(1), cells)) == left
        assert list(of_providers(rules, rules.epoch(1), cells)) == left
        assert list(in_program(rules, rules.epoch(1), cells)) == cells


def test_an_exclusion_without_dates_holds_always(program: Any) -> None:
    rules = program.rules(exclusions=(program.exclude(program.alice),))
    for number in (1, 30):
        epoch = rules.epoch(number)
        assert list(counted(rules, epoch, program.held(epoch, {program.alice: 5}))) == []


def test_several_exclusions_of_one_provider_add_up(program: Any) -> None:
    exclusions = (program.exclude(program.alice, None, "2024-09-10"), program.exclude(program.alice, "2024-09-15"))
    rules = program.rules(exclusions=exclusions)
    assert excluded_days(rules, rules.epoch(1)) == {program.alice: frozenset({19_975, 19_981})}


def test_what_ends_where_the_epoch_begins_is_not_in_force(program: Any) -> None:
    rules = program.rules(
        pools=(
            program.pool_rule(until_day="2024-09-16"),
            program.pool_rule(program.second_pool, from_day="2024-09-22"),
        ),
        exclusions=(program.exclude(program.alice, until_day="2024-09-16"),),
    )
    assert [rule.pool for rule in pools_in_force(rules, rules.epoch(1))] == [program.pool]
    assert [rule.pool for rule in pools_in_force(rules, rules.epoch(2))] == [program.second_pool]
    assert exclusions_in_force(rules, rules.epoch(1)) == list(rules.exclusions)
    assert exclusions_in_force(rules, rules.epoch(2)) == []


def test_holdings_sum_the_epochs_days_per_pool_as_count_says(program: Any) -> None:
    cells = [
        program.cell(program.alice, "2024-09-09", 10, in_range=4),
        program.cell(program.alice, "2024-09-10", 20, in_range=0),
        program.cell(program.alice, "2024-09-10", 5, pool=program.second_pool),
        program.cell(program.bob, "2024-09-10", 8, in_range=0),
    ]
    full, in_range = program.rules(), program.rules(count="in_range")
    assert holdings(full, full.epoch(1), cells) == {
        program.alice: {program.pool: 30 * MICRO, program.second_pool: 5 * MICRO},
        program.bob: {program.pool: 8 * MICRO},
    }
    assert holdings(in_range, in_range.epoch(1), cells) == {
        program.alice: {program.pool: 4 * MICRO, program.second_pool: 5 * MICRO}
    }


@settings(max_examples=80, deadline=None)
@given(from_day=open_day, until_day=open_day)
def test_days_in_force_are_those_a_calendar_would_tick(
    program: Any, from_day: int | None, until_day: int | None
) -> None:
    epoch = program.rules().epoch(1)
    ticked = [
        day
        for day in range(19_975, 19_982)
        if (from_day is None or day >= from_day) and (until_day is None or day < until_day)
    ]
    days = days_in_force(from_day, until_day, epoch)
    assert list(range(*days)) == ticked
    assert bool(days) == bool(ticked)
    assert isinstance(days, Span)


@settings(max_examples=60, deadline=None)
@given(bounds=st.lists(st.tuples(open_day, open_day), max_size=4))
def test_a_day_is_excluded_by_any_exclusion_that_covers_it(program: Any, bounds: list[Any]) -> None:
    rules = program.rules(exclusions=tuple(Exclusion(program.alice, "why", *pair) for pair in bounds))
    epoch = rules.epoch(1)
    covered = {
        day
        for day in range(*epoch.days)
        for first, until in bounds
        if (first is None or day >= first) and (until is None or day < until)
    }
    assert excluded_days(rules, epoch).get(program.alice, frozenset()) == covered
