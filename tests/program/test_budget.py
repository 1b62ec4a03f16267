"""Budgets: exact units per epoch, by total, by list, or as a USD share of another token's budget."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Inconsistent, Invalid, Unavailable
from loyalty.program.budget import Budget, Priced, epoch_budgets, own_budget, share_budget, tokens_priced_at_end

ARB = 10**18


def test_a_total_is_spread_by_floors_of_its_running_sum(program: Any) -> None:
    """10 units over 3 epochs: 3, 6 and 10 have been given by their ends."""
    assert [own_budget(program.total("ARB", 10), n, 3) for n in (1, 2, 3)] == [3, 3, 4]


def test_fifty_thousand_arb_over_thirty_weeks(program: Any) -> None:
    reward = program.total("ARB", 50_000 * ARB)
    assert own_budget(reward, 1, 30) == 1_666_666_666_666_666_666_666
    assert own_budget(reward, 2, 30) == 1_666_666_666_666_666_666_667
    assert own_budget(reward, 3, 30) == 1_666_666_666_666_666_666_667


@settings(max_examples=100, deadline=None)
@given(total=st.integers(0, 10**30), epochs=st.integers(1, 60))
def test_a_totals_epochs_add_up_to_it_and_differ_by_one_unit_at_most(program: Any, total: int, epochs: int) -> None:
    units = [own_budget(program.total("ARB", total), n, epochs) for n in range(1, epochs + 1)]
    assert sum(units) == total
    assert max(units) - min(units) <= 1


def test_a_list_gives_each_epoch_its_entry(program: Any) -> None:
    assert [own_budget(program.per_epoch("ARB", 5, 0, 7), n, 3) for n in (1, 2, 3)] == [5, 0, 7]


@pytest.mark.parametrize("number", [0, 31])
def test_an_epoch_outside_the_program_has_no_budget(program: Any, number: int) -> None:
    with pytest.raises(Invalid, match=f"epoch {number} is not one of the program's epochs 1 to 30"):
        own_budget(program.total("ARB", 1), number, 30)


def test_a_list_of_another_length_is_refused(program: Any) -> None:
    with pytest.raises(Invalid, match=r"rewards\[ARB\].per_epoch has 2 entries, the program has 3 epochs"):
        own_budget(program.per_epoch("ARB", 1, 2), 1, 3)


def test_a_usd_share_is_worth_the_fraction_at_the_two_prices(program: Any) -> None:
    """1,000 ARB at 0.80 are 800 USD; a quarter, 200 USD, is 8,000 T at 0.025."""
    arb, t = Priced(program.token("ARB"), 80_000_000), Priced(program.token("T"), 2_500_000)
    assert share_budget(1000 * ARB, arb, Fraction("0.25"), t) == 8000 * 10**18


def test_a_usd_share_is_exact_across_decimals_and_price_scales(program: Any) -> None:
    """1,000 ARB at 0.80 (8 decimals), a quarter in a token of 6 decimals at 0.999 (12 decimals): 200.2002002 tokens."""
    arb = Priced(program.token("ARB"), 80_000_000)
    usdc = Priced(program.token("USDC", decimals=6, price_decimals=12), 999_000_000_000)
    assert share_budget(1000 * ARB, arb, Fraction("0.25"), usdc) == 200_200_200


@settings(max_examples=100, deadline=None)
@given(
    units=st.integers(0, 10**28),
    prices=st.tuples(st.integers(1, 10**16), st.integers(1, 10**16)),
    decimals=st.tuples(*[st.integers(0, 24)] * 2),
    price_decimals=st.tuples(*[st.integers(0, 18)] * 2),
    hundredths=st.integers(1, 300),
)
def test_a_usd_share_is_the_floor_of_the_exact_quotient(
    program: Any, units: int, prices: Any, decimals: Any, price_decimals: Any, hundredths: int
) -> None:
    of, share = (
        Priced(program.token(symbol, decimals[i], price_decimals[i]), prices[i]) for i, symbol in enumerate(["A", "B"])
    )
    usd = Fraction(units, 10 ** decimals[0]) * Fraction(prices[0], 10 ** price_decimals[0])
    tokens = usd * Fraction(hundredths, 100) / Fraction(prices[1], 10 ** price_decimals[1])
    assert share_budget(units, of, Fraction(hundredths, 100), share) == int(tokens * 10 ** decimals[1])


def test_a_price_of_zero_is_never_divided_by_nor_paid_out(program: Any) -> None:
    arb, t = Priced(program.token("ARB"), 1), Priced(program.token("T"), 0)
    with pytest.raises(Inconsistent, match="the price of T is 0"):
        share_budget(1, arb, Fraction(1), t)
    with pytest.raises(Inconsistent, match="the price of T is 0"):
        share_budget(1, t, Fraction(1), arb)


def _shared(program: Any) -> Any:
    rewards = (program.total("ARB", 30_000 * ARB), program.share("T", "ARB", "0.25"))
    return program.rules(rewards=rewards)


def test_a_usd_share_follows_the_epochs_own_budget_not_what_was_carried_in(program: Any) -> None:
    prices = {"ARB": 80_000_000, "T": 2_500_000}
    budgets = epoch_budgets(_shared(program), 2, prices, {"ARB": 1000 * ARB, "T": 77})
    assert budgets == (Budget("ARB", 1000 * ARB, 1000 * ARB), Budget("T", 8000 * 10**18, 77))
    assert [budget.units for budget in budgets] == [2000 * ARB, 8000 * 10**18 + 77]


def test_only_a_usd_share_needs_prices_at_the_end(program: Any) -> None:
    assert tokens_priced_at_end(program.rules()) == []
    assert tokens_priced_at_end(_shared(program)) == ["ARB", "T"]


def test_a_missing_price_at_the_end_is_told_and_never_a_budget_of_zero(program: Any) -> None:
    message = "the budget of epoch 2 needs the price of T at 2024-09-23T00:00:00Z, and none is valid then"
    with pytest.raises(Unavailable, match=message):
        epoch_budgets(_shared(program), 2, {"ARB": 1}, {})


def test_a_share_of_a_token_that_is_no_reward_is_refused(program: Any) -> None:
    rules = program.rules(rewards=(program.share("T", "USDC", "0.25"),))
    with pytest.raises(Invalid, match=r"rewards\[T\].usd_share.of is USDC"):
        epoch_budgets(rules, 1, {"USDC": 1, "T": 1}, {})
