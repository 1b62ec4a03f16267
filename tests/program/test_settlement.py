"""An epoch evaluated: ledgers that add up, budgets that roll over, exclusions that leave the denominator."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.program.budget import Budget, epoch_budgets, own_budget
from loyalty.program.settlement import Ledger, evaluate_epoch

MICRO = 10**6


def test_a_budget_is_split_by_weight(program: Any) -> None:
    """Alice 100 dollars, Bob 300: a quarter and three quarters of 1000 units."""
    rules = program.rules(epochs=1, rewards=(program.total("ARB", 1000),))
    (result,) = program.play(rules, [{program.alice: 100, program.bob: 300}])
    assert result.rewards == {"ARB": {program.alice: 250, program.bob: 750}}
    assert result.ledgers == (Ledger("ARB", 1000, 0, 1000, 0, 0),)
    assert (result.usd_micro_days, result.providers, result.total_weight) == (2800 * MICRO, 2, Fraction(2800))


def test_an_epoch_without_weight_adds_its_budget_to_the_next(program: Any) -> None:
    rules = program.rules(epochs=4, rewards=(program.total("ARB", 10),))
    results = program.play(rules, [{}, {}, {program.alice: 1}, {program.alice: 1}])
    assert [result.ledgers[0] for result in results] == [
        Ledger("ARB", 2, 0, 0, 2, 0),
        Ledger("ARB", 3, 2, 0, 5, 0),
        Ledger("ARB", 2, 5, 7, 0, 0),
        Ledger("ARB", 3, 0, 3, 0, 0),
    ]


def test_what_is_left_after_the_last_epoch_is_unallocated(program: Any) -> None:
    rules = program.rules(epochs=3, rewards=(program.total("ARB", 10),))
    results = program.play(rules, [{program.alice: 1}, {}, {}])
    assert results[-1].ledgers == (Ledger("ARB", 4, 3, 0, 0, 7),)
    assert results[-1].carried_out == {"ARB": 0}


def test_an_excluded_providers_part_leaves_the_denominator(program: Any) -> None:
    """Without Carol's 600 dollars, Alice and Bob share everything as if she were not there."""
    usd = {program.alice: 100, program.bob: 300, program.carol: 600}
    rules = program.rules(epochs=1, rewards=(program.total("ARB", 1000),))
    excluding = program.rules(epochs=1, rewards=rules.rewards, exclusions=(program.exclude(program.carol),))
    (everyone,), (without,) = program.play(rules, [usd]), program.play(excluding, [usd])
    assert everyone.rewards["ARB"] == {program.alice: 100, program.bob: 300, program.carol: 600}
    assert without.rewards["ARB"] == {program.alice: 250, program.bob: 750}
    assert without.usd_micro_days == 2800 * MICRO


def test_dollar_days_count_those_too_who_do_not_qualify(program: Any) -> None:
    rules = program.rules(minimum_usd_micro=50 * MICRO)
    (result,) = program.play(rules, [{program.alice: 100, program.bob: 49}])
    assert [p.provider for p in result.participations] == [program.alice]
    assert result.usd_micro_days == 7 * 149 * MICRO


def test_several_tokens_are_split_by_the_same_weights_each_to_the_unit(program: Any) -> None:
    rules = program.rules(epochs=1, rewards=(program.total("ARB", 10), program.total("T", 7)))
    (result,) = program.play(rules, [{program.alice: 1, program.bob: 2}])
    assert result.rewards == {"ARB": {program.alice: 3, program.bob: 7}, "T": {program.alice: 2, program.bob: 5}}


def test_a_provider_with_a_reward_of_any_token_is_counted_once(program: Any) -> None:
    rules = program.rules(epochs=1, rewards=(program.total("ARB", 1), program.total("T", 10)))
    (result,) = program.play(rules, [{program.alice: 2, program.bob: 1}])
    assert result.rewards == {"ARB": {program.alice: 1}, "T": {program.alice: 7, program.bob: 3}}
    assert result.providers == 2


def test_a_qualifying_provider_of_a_pool_with_weight_zero_earns_nothing_and_the_budget_rolls_over(program: Any) -> None:
    rules = program.rules(pools=(program.pool_rule(weight="0"),), rewards=(program.total("ARB", 300),))
    (result,) = program.play(rules, [{program.alice: 1}])
    assert [p.participation_epoch for p in result.participations] == [1]
    assert result.ledgers == (Ledger("ARB", 10, 0, 0, 10, 0),)


@pytest.mark.parametrize("budgets", [(), (Budget("T", 1, 0),), (Budget("ARB", 1, 0), Budget("ARB", 1, 0))])
def test_a_budget_is_needed_for_each_reward_and_for_nothing_else(program: Any, budgets: Any) -> None:
    rules = program.rules()
    with pytest.raises(Inconsistent, match="epoch 1 has budgets of"):
        evaluate_epoch(rules, rules.epoch(1), [], {}, budgets)


providers = st.sampled_from([Address(f"0x{number:040x}") for number in range(1, 7)])
histories = st.lists(st.dictionaries(providers, st.integers(0, 10**7), max_size=6), min_size=1, max_size=6)


@settings(max_examples=80, deadline=None)
@given(history=histories, total=st.integers(0, 1000) | st.integers(0, 10**24), later=st.integers(0, 3))
def test_paid_and_unallocated_and_future_are_the_total_after_every_epoch(
    program: Any, history: list[dict[Address, int]], total: int, later: int
) -> None:
    rules = program.rules(
        epochs=len(history) + later, rewards=(program.total("ARB", total),), minimum_usd_micro=1000 * MICRO
    )
    paid = 0
    for result in program.play(rules, history):
        (ledger,) = result.ledgers
        paid += sum(result.rewards["ARB"].values())
        future = sum(
            own_budget(rules.rewards[0], n, rules.epochs) for n in range(result.epoch.number + 1, rules.epochs + 1)
        )
        assert paid + ledger.unallocated_units + ledger.carried_out_units + future == total


@settings(max_examples=60, deadline=None)
@given(history=histories)
def test_every_ledger_adds_up_and_pays_all_or_nothing(program: Any, history: list[dict[Address, int]]) -> None:
    rules = program.rules(epochs=len(history), rewards=(program.total("ARB", 10**20), program.total("T", 17)))
    for result in program.play(rules, history):
        for ledger in result.ledgers:
            available = ledger.own_units + ledger.carried_in_units
            assert available == ledger.paid_units + ledger.carried_out_units + ledger.unallocated_units
            assert ledger.paid_units == (available if result.total_weight else 0)
            assert sum(result.rewards[ledger.token].values()) == ledger.paid_units


@settings(max_examples=50, deadline=None)
@given(usd=st.dictionaries(providers, st.integers(1, 10**7), max_size=6), data=st.data())
def test_the_order_of_cells_changes_nothing(program: Any, usd: dict[Address, int], data: st.DataObject) -> None:
    rules = program.rules(pools=(program.pool_rule(weight="1.5"), program.pool_rule(program.second_pool, "0.3")))
    epoch = rules.epoch(1)
    cells = program.held(epoch, usd) + program.held(epoch, usd, program.second_pool)
    shuffled = data.draw(st.permutations(cells))
    assert program.evaluate(rules, 1, shuffled) == program.evaluate(rules, 1, cells)


@settings(max_examples=60, deadline=None)
@given(usd=st.dictionaries(providers, st.integers(1, 10**7), min_size=1, max_size=6), data=st.data())
def test_an_exclusion_is_as_if_the_provider_had_never_been_there(
    program: Any, usd: dict[Address, int], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(usd)))
    rules, excluding = program.rules(), program.rules(exclusions=(program.exclude(gone),))
    without = {provider: dollars for provider, dollars in usd.items() if provider != gone}
    assert program.play(excluding, [usd]) == program.play(rules, [without])


@settings(max_examples=60, deadline=None)
@given(usd=st.dictionaries(providers, st.integers(1, 10**6), min_size=2, max_size=6), more=st.integers(1, 10**6))
def test_holding_more_never_costs_a_reward(program: Any, usd: dict[Address, int], more: int) -> None:
    first = min(usd)
    (less,), (grown,) = (program.play(program.rules(), [held]) for held in (usd, {**usd, first: usd[first] + more}))
    assert less.rewards["ARB"][first] <= grown.rewards["ARB"][first]


def test_a_usd_share_is_divided_like_any_budget(program: Any) -> None:
    rules = program.rules(rewards=(program.total("ARB", 30 * 10**18), program.share("USDC", "ARB", "0.25")))
    budgets = epoch_budgets(rules, 1, {"ARB": 50_000_000, "USDC": 100_000_000}, {})
    cells = program.held(rules.epoch(1), {program.alice: 1, program.bob: 2})
    result = evaluate_epoch(rules, rules.epoch(1), cells, {}, budgets)
    assert result.rewards["USDC"] == {program.alice: 41_667, program.bob: 83_333}
    assert result.ledgers[1] == Ledger("USDC", 125_000, 0, 125_000, 0, 0)
