"""Rules as text: canonical, exact, and read back as they were."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.program.rules import Exclusion, PoolKey, PoolRule, Reward, Rules, Tier, Token, UsdShare
from loyalty.program.rules_text import rules_from_json, rules_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
addresses = st.integers(0, 2**160 - 1).map(lambda number: Address(f"0x{number:040x}"))
decimals = st.builds(lambda whole, places: Fraction(whole, 10**places), st.integers(0, 10**20), st.integers(0, 18))
days = st.none() | st.integers(0, 100_000)
units = st.integers(0, 10**78)
tokens = st.builds(
    Token,
    texts,
    st.integers(0, 2**62),
    st.none() | addresses,
    st.integers(0, 36),
    st.integers(0, 18),
    st.integers(0, 10**6),
)
budgets = st.one_of(
    st.tuples(units, st.none(), st.none()),
    st.tuples(st.none(), st.lists(units, max_size=4).map(tuple), st.none()),
    st.tuples(st.none(), st.none(), st.builds(UsdShare, texts, decimals)),
)
rules_strategy = st.builds(
    Rules,
    name=texts,
    start=st.integers(0, 10**10),
    epochs=st.integers(1, 500),
    epoch_seconds=st.integers(1, 10**9),
    count=st.sampled_from(["full", "in_range"]),
    minimum_usd_micro=st.integers(0, 10**18),
    on_lapse=st.sampled_from(["reset", "pause"]),
    settle_after=st.integers(0, 10**7),
    tiers=st.lists(st.builds(Tier, texts, st.integers(1, 99), decimals, st.integers(0, 10**15)), max_size=3).map(tuple),
    rewards=st.lists(st.builds(lambda token, budget: Reward(token, *budget), texts, budgets), max_size=3).map(tuple),
    tokens=st.lists(tokens, max_size=4).map(lambda found: {token.symbol: token for token in found}),
    pools=st.lists(
        st.builds(
            PoolRule,
            st.builds(PoolKey, st.integers(1, 2**62), addresses),
            st.tuples(texts, texts),
            decimals,
            days,
            days,
        ),
        max_size=3,
    ).map(tuple),
    exclusions=st.lists(st.builds(Exclusion, addresses, texts, days, days), max_size=3).map(tuple),
    unresolved_usd_micro=st.integers(0, 10**15),
)


@settings(max_examples=100, deadline=None)
@given(rules=rules_strategy)
def test_rules_are_read_back_as_they_were_written(rules: Rules) -> None:
    text = rules_json(rules)
    assert rules_from_json(text) == rules
    assert rules_json(rules_from_json(text)) == text


def test_the_order_in_which_tokens_came_is_not_in_the_text(program: Any) -> None:
    rules = program.rules()
    assert rules_json(replace(rules, tokens=dict(reversed(rules.tokens.items())))) == rules_json(rules)


def test_amounts_are_strings_that_no_reader_of_json_rounds(program: Any) -> None:
    stored = json.loads(rules_json(program.rules(minimum_usd_micro=12_500_000)))
    assert stored["rewards"][0]["total_units"] == "50000000000000000000000"
    assert stored["minimum_usd"] == "12.5"
    assert stored["start"] == "2024-09-09T00:00:00Z"
    assert [tier["multiplier"] for tier in stored["tiers"]] == ["1", "1.2", "1.5", "2"]
    assert list(stored) == sorted(stored)


def test_rules_of_a_later_format_are_refused(program: Any) -> None:
    later = rules_json(program.rules()).replace('"format":1', '"format":2')
    with pytest.raises(Inconsistent, match="the stored rules have format 2, this release reads 1"):
        rules_from_json(later)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"format":1}', "7"])
def test_anything_else_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(Inconsistent, match="restore the database from a backup"):
        rules_from_json(text)
