"""Paying: everything owed is paid or carried, to the unit, and nothing twice."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, Invalid
from loyalty.program.paying import PaymentLine, owed, plan_payment


def test_what_is_owed_is_what_was_earned_and_not_paid(program: Any) -> None:
    earned = {program.carol: 5, program.alice: 30, program.bob: 20}
    assert list(owed(earned, {program.alice: 10, program.bob: 20}).items()) == [(program.alice, 20), (program.carol, 5)]


def test_dust_below_the_threshold_is_carried_and_paid_once_it_has_grown(program: Any) -> None:
    first = plan_payment(1, "ARB", {program.alice: 100, program.bob: 9}, {}, 10)
    assert first.lines == (PaymentLine(program.alice, 100),)
    assert first.carried == (PaymentLine(program.bob, 9),)
    second = plan_payment(2, "ARB", {program.alice: 105, program.bob: 10}, {program.alice: 100}, 10)
    assert second.lines == (PaymentLine(program.bob, 10),)
    assert second.carried == (PaymentLine(program.alice, 5),)
    assert (second.total_units, second.carried_units) == (10, 5)


def test_exactly_the_threshold_is_paid(program: Any) -> None:
    assert plan_payment(1, "ARB", {program.alice: 10}, {}, 10).total_units == 10


@pytest.mark.parametrize("threshold", [0, 1])
def test_without_a_threshold_everything_is_paid(program: Any, threshold: int) -> None:
    plan = plan_payment(1, "ARB", {program.alice: 1, program.bob: 2}, {}, threshold)
    assert (plan.total_units, plan.carried) == (3, ())


def test_who_was_paid_more_than_was_earned_is_a_conflict(program: Any) -> None:
    with pytest.raises(
        Conflict, match="has earned 10 units in the epochs that are paid and was paid 25: the payments do not belong"
    ):
        plan_payment(1, "ARB", {program.alice: 10}, {program.alice: 25}, 0)


def test_who_was_paid_without_having_earned_is_a_conflict(program: Any) -> None:
    with pytest.raises(Conflict, match="has earned 0 units in the epochs that are paid and was paid 1"):
        owed({}, {program.alice: 1})


def test_a_negative_threshold_is_refused(program: Any) -> None:
    with pytest.raises(Invalid, match="a dust threshold of -1 units is not possible"):
        plan_payment(1, "ARB", {}, {}, -1)


providers = st.sampled_from([Address(f"0x{number:040x}") for number in range(1, 9)])
epochs = st.lists(st.tuples(st.dictionaries(providers, st.integers(1, 50)), st.integers(0, 60)), max_size=8)


@settings(max_examples=100, deadline=None)
@given(epochs=epochs)
def test_payment_after_payment_nothing_is_lost_and_nothing_paid_twice(epochs: Any) -> None:
    earned: dict[Address, int] = {}
    paid: dict[Address, int] = {}
    for number, (rewards, dust) in enumerate(epochs, 1):
        earned = {who: earned.get(who, 0) + rewards.get(who, 0) for who in {*earned, *rewards}}
        plan = plan_payment(number, "ARB", earned, paid, dust)
        paid.update({line.provider: paid.get(line.provider, 0) + line.units for line in plan.lines})
        assert sum(paid.values()) + plan.carried_units == sum(earned.values())
        assert all(line.units >= dust for line in plan.lines)
        assert all(line.units < dust for line in plan.carried)
        assert {line.provider: line.units for line in plan.carried} == owed(earned, paid)
