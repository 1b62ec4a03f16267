"""Dividing units by weight: floors, then the largest remainders, ties to the lower address."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.program.rewards import divide

addresses = st.integers(1, 10**6).map(lambda number: Address(f"0x{number:040x}"))
fractions = st.fractions(min_value=0, max_value=10**12, max_denominator=1000)
weightings = st.dictionaries(addresses, st.integers(0, 20) | st.integers(0, 10**24) | fractions, max_size=12)


def test_the_largest_remainder_gets_the_unit_that_floors_leave(program: Any) -> None:
    """10 by 5 : 3 : 6 is 3.57, 2.14, 4.29: floors 3, 2, 4; the tenth goes to 0.57."""
    weights = {program.alice: 5, program.bob: 3, program.carol: 6}
    assert divide(10, weights) == {program.alice: 4, program.bob: 2, program.carol: 4}


def test_a_tie_goes_to_the_lower_address(program: Any) -> None:
    assert divide(1, {program.bob: 7, program.alice: 7}) == {program.alice: 1}
    assert divide(5, {program.carol: 1, program.bob: 1, program.alice: 1}) == {
        program.alice: 2,
        program.bob: 2,
        program.carol: 1,
    }


def test_an_exact_share_gets_no_unit_on_top(program: Any) -> None:
    """Remainders 0, 1/2, 1/2 of 4: the unit goes to Bob, though Alice's address is lower."""
    weights = {program.alice: 4, program.bob: 2, program.carol: 2}
    assert divide(6, weights) == {program.alice: 3, program.bob: 2, program.carol: 1}


@pytest.mark.parametrize("weights", [{}, {"0x" + "a" * 40: 0}, {"0x" + "a" * 40: Fraction(0)}])
def test_without_weight_nothing_is_paid(weights: Any) -> None:
    assert divide(100, weights) == {}


def test_without_units_nobody_has_a_reward(program: Any) -> None:
    assert divide(0, {program.alice: 1}) == {}


def test_a_part_of_zero_is_not_a_reward(program: Any) -> None:
    assert divide(1, {program.alice: 10**30, program.bob: 1}) == {program.alice: 1}


def test_negative_weights_and_budgets_are_errors(program: Any) -> None:
    with pytest.raises(Inconsistent, match="the weight of 0xaaaa"):
        divide(1, {program.alice: -1, program.bob: 2})
    with pytest.raises(Inconsistent, match="-1 units cannot be divided"):
        divide(-1, {program.alice: 1})


@settings(max_examples=150, deadline=None)
@given(units=st.integers(0, 100) | st.integers(0, 10**24), weights=weightings)
def test_the_parts_are_those_of_a_division_done_slowly_with_fractions(units: int, weights: dict[Address, Any]) -> None:
    assert divide(units, weights) == _slowly(units, weights)


def _slowly(units: int, weights: dict[Address, Any]) -> dict[Address, int]:
    """One unit after the other to whoever is furthest below its exact quota, once everybody has its floor."""
    total = sum((Fraction(weight) for weight in weights.values()), Fraction(0))
    if not total:
        return {}
    quotas = {address: units * Fraction(weight) / total for address, weight in weights.items()}
    parts = {address: quota.__floor__() for address, quota in quotas.items()}
    while sum(parts.values()) < units:
        furthest = min(parts, key=lambda address: (parts[address] - quotas[address], address))
        parts[furthest] += 1
    return {address: part for address, part in parts.items() if part}


@settings(max_examples=100, deadline=None)
@given(units=st.integers(0, 10**24), weights=weightings, data=st.data())
def test_the_order_in_which_weights_come_changes_nothing(units: int, weights: Any, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(weights.items()))))
    assert list(divide(units, shuffled).items()) == list(divide(units, weights).items())


@settings(max_examples=100, deadline=None)
@given(units=st.integers(0, 10**24), weights=weightings)
def test_every_part_is_within_one_unit_of_its_exact_quota_and_the_sum_is_exact(units: int, weights: Any) -> None:
    parts, total = divide(units, weights), sum(map(Fraction, weights.values()), Fraction(0))
    assert sum(parts.values()) == (units if total else 0)
    for address, weight in weights.items():
        quota = units * Fraction(weight) / total if total else Fraction(0)
        assert quota - 1 < parts.get(address, 0) < quota + 1


@settings(max_examples=80, deadline=None)
@given(units=st.integers(0, 10**24), weights=weightings)
def test_a_heavier_weight_never_gets_less(units: int, weights: Any) -> None:
    parts = divide(units, weights)
    by_weight = sorted((Fraction(weight), parts.get(address, 0)) for address, weight in weights.items())
    for (lighter, less), (heavier, more) in pairwise(by_weight):
        assert less <= more or lighter == heavier


@settings(max_examples=60, deadline=None)
@given(units=st.integers(0, 10**24), weights=weightings, factor=st.fractions(Fraction(1, 1000), 1000))
def test_only_the_ratio_of_weights_matters(units: int, weights: Any, factor: Fraction) -> None:
    assert divide(units, {address: weight * factor for address, weight in weights.items()}) == divide(units, weights)
