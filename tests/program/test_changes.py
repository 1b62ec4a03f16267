"""Edits of the rules: what is versioned, what is a new program, and what would touch a settled epoch."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Conflict
from loyalty.program.budget import own_budget
from loyalty.program.changes import Change, check_change
from loyalty.program.in_force import excluded_days, pool_days

ARB = 10**18


def test_the_same_rules_change_nothing(program: Any) -> None:
    assert check_change(program.rules(), program.rules(), 5) == []


def test_the_order_of_the_file_changes_nothing(program: Any) -> None:
    rules = program.rules(exclusions=(program.exclude(program.alice), program.exclude(program.bob)))
    turned = replace(
        rules,
        pools=rules.pools[::-1],
        exclusions=rules.exclusions[::-1],
        tokens=dict(reversed(rules.tokens.items())),
    )
    assert check_change(rules, turned, 5) == []


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"name": "Another"}, "program.name is 'Another', the database belongs to a program where it is 'tBTC"),
        (
            {"start": 1_725_840_000 + 86_400},
            "program.start is 2024-09-10T00:00:00Z, .* where it is 2024-09-09T00:00:00Z",
        ),
        ({"epoch_seconds": 86_400}, "program.epoch is 1d, the database belongs to a program where it is 7d"),
    ],
)
@pytest.mark.parametrize("settled", [0, 3])
def test_another_name_start_or_epoch_is_a_different_program(
    program: Any, edit: dict[str, Any], message: str, settled: int
) -> None:
    with pytest.raises(Conflict, match=message):
        check_change(program.rules(), program.rules(**edit), settled)


VERSIONED: list[tuple[str, Callable[[Any, Any], Any], tuple[str | None, str | None]]] = [
    ("program.count", lambda words, rules: replace(rules, count="in_range"), ("full", "in_range")),
    ("program.minimum_usd", lambda words, rules: replace(rules, minimum_usd_micro=1_500_000), ("0", "1.5")),
    ("program.on_lapse", lambda words, rules: replace(rules, on_lapse="pause"), ("reset", "pause")),
    (
        "program.unresolved_usd",
        lambda words, rules: replace(rules, unresolved_usd_micro=250_000_000),
        ("1000", "250"),
    ),
    ("program.settle_after", lambda words, rules: replace(rules, settle_after=3600), ("1d", "1h")),
    (
        "tiers[Tier 4].multiplier",
        lambda words, rules: replace(
            rules, tiers=(*rules.tiers[:3], replace(rules.tiers[3], multiplier=Fraction("2.5")))
        ),
        ("2", "2.5"),
    ),
    (
        f"pools[42161/0x{'2' * 40}].weight",
        lambda words, rules: replace(rules, pools=(rules.pools[0], replace(rules.pools[1], weight=Fraction("0.5")))),
        ("1", "0.5"),
    ),
    (
        "tokens[WBTC].max_age",
        lambda words, rules: replace(
            rules, tokens={**rules.tokens, "WBTC": replace(rules.tokens["WBTC"], max_age=86_400)}
        ),
        ("2h", "1d"),
    ),
    (
        "rewards[T]",
        lambda words, rules: replace(rules, rewards=(*rules.rewards, words.share("T", "ARB", "0.25"))),
        (None, "usd_share 0.25 of ARB"),
    ),
]


@pytest.mark.parametrize(("key", "edit", "values"), VERSIONED, ids=[row[0] for row in VERSIONED])
def test_a_rule_without_dates_holds_from_the_first_unsettled_epoch(
    program: Any, key: str, edit: Callable[[Any, Any], Any], values: tuple[str | None, str | None]
) -> None:
    rules = program.rules()
    assert check_change(rules, edit(program, rules), 5) == [Change(key, *values, 6)]
    assert check_change(rules, edit(program, rules), 0) == [Change(key, *values, 1)]


def test_before_anything_is_settled_pools_exclusions_and_budgets_may_be_edited(program: Any) -> None:
    new = program.rules(
        pools=(program.pool_rule(from_day="2024-09-10"),),
        exclusions=(program.exclude(program.alice),),
        rewards=(program.per_epoch("T", *[1] * 12),),
        epochs=12,
    )
    assert {change.effective_from_epoch for change in check_change(program.rules(), new, 0)} == {1}
    assert "exclusions[0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa - to -]" in {
        change.key for change in check_change(program.rules(), new, 0)
    }


TOUCHING: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda words, rules: replace(rules, pools=rules.pools[:1]), rf"pools\[42161/0x{'2' * 40}\]: epoch 1 is settled"),
    (
        lambda words, rules: replace(rules, pools=(words.pool_rule(until_day="2024-09-20"), rules.pools[1])),
        rf"pools\[42161/0x{'1' * 40}\]: epoch 2 is settled with the days from 2024-09-16 until 2024-09-23 in "
        "WBTC and tBTC, the edit would make it the days from 2024-09-16 until 2024-09-20 in WBTC and tBTC",
    ),
    (
        lambda words, rules: replace(rules, pools=(replace(rules.pools[0], tokens=("WBTC", "ARB")), rules.pools[1])),
        "epoch 1 is settled with .* in WBTC and tBTC, the edit would make it .* in ARB and WBTC",
    ),
    (
        lambda words, rules: replace(rules, exclusions=(words.exclude(words.alice, "2024-09-29"),)),
        rf"exclusions\[0x{'a' * 40}\]: epoch 3 is settled with no day excluded, the edit would make it 2024-09-29\.",
    ),
    (
        lambda words, rules: replace(rules, rewards=(words.total("ARB", 60_000 * ARB),)),
        r"rewards\[ARB\]: epoch 1 is settled with a budget of 1666\.666666666666666666, .* it a budget of 2000\.",
    ),
    (
        lambda words, rules: replace(rules, epochs=31),
        r"rewards\[ARB\]: epoch 1 is settled with a budget of 1666\.6",
    ),
    (
        lambda words, rules: replace(rules, rewards=(*rules.rewards, words.total("T", 30))),
        r"rewards\[T\]: epoch 1 is settled with no budget, the edit would make it a budget of 0\.000000000000000001\.",
    ),
    (
        lambda words, rules: replace(rules, rewards=()),
        r"rewards\[ARB\]: epoch 1 is settled with a budget of .* would make it no budget\.",
    ),
    (
        lambda words, rules: replace(rules, rewards=(words.share("ARB", "T", "1"),)),
        r"rewards\[ARB\]: epoch 1 is settled with a budget of .* would make it a USD share\. Write `per_epoch`",
    ),
    (
        lambda words, rules: replace(
            rules, tokens={**rules.tokens, "WBTC": replace(rules.tokens["WBTC"], price_decimals=10)}
        ),
        r"tokens\[WBTC\]: epoch 1 is settled with no address, decimals 8, price_decimals 8, .* price_decimals 10",
    ),
]


@pytest.mark.parametrize(("edit", "message"), TOUCHING)
def test_an_edit_that_would_touch_a_settled_epoch_is_refused_and_named(
    program: Any, edit: Callable[[Any, Any], Any], message: str
) -> None:
    rules = program.rules()
    with pytest.raises(Conflict, match=message):
        check_change(rules, edit(program, rules), 3)


def test_a_pool_may_end_and_another_begin_after_the_settled_epochs(program: Any) -> None:
    rules = program.rules(pools=(program.pool_rule(),))
    new = replace(
        rules,
        pools=(
            program.pool_rule(from_day="2024-09-09", until_day="2024-09-30"),
            program.pool_rule(program.second_pool, from_day="2024-09-30"),
        ),
    )
    keys = [change.key for change in check_change(rules, new, 3)]
    assert keys == [
        f"pools[42161/0x{'1' * 40}].from",
        f"pools[42161/0x{'1' * 40}].until",
        *(f"pools[42161/0x{'2' * 40}].{field}" for field in ("from", "tokens", "until", "weight")),
    ]
    with pytest.raises(Conflict, match="epoch 4 is settled"):
        check_change(rules, new, 4)


def test_an_exclusion_may_begin_or_end_after_the_settled_epochs(program: Any) -> None:
    rules = program.rules(exclusions=(program.exclude(program.alice),))
    new = replace(
        rules,
        exclusions=(
            program.exclude(program.alice, until_day="2024-09-30"),
            program.exclude(program.bob, from_day="2024-09-30"),
        ),
    )
    changes = check_change(rules, new, 3)
    assert [(change.before, change.after) for change in changes] == [
        ("program treasury", None),
        (None, "program treasury"),
        (None, "program treasury"),
    ]


def test_a_budget_may_change_for_epochs_to_come_by_a_list_that_keeps_the_settled_ones(program: Any) -> None:
    rules = program.rules(epochs=4, rewards=(program.total("ARB", 10),))
    new = replace(rules, rewards=(program.per_epoch("ARB", 2, 3, 100, 0),))
    (change,) = check_change(rules, new, 2)
    assert change.after == (
        "per_epoch 0.000000000000000002, 0.000000000000000003, 0.0000000000000001, 0"
    )  # fmt: skip
    with pytest.raises(Conflict, match=r"rewards\[ARB\]: epoch 3 is settled"):
        check_change(rules, new, 3)


def test_a_reward_may_join_later_when_it_gave_nothing_to_settled_epochs(program: Any) -> None:
    rules = program.rules(epochs=4, rewards=(program.total("ARB", 10),))
    new = replace(rules, rewards=(*rules.rewards, program.per_epoch("T", 0, 0, 5, 5)))
    assert [change.key for change in check_change(rules, new, 2)] == ["rewards[T]"]


def test_a_usd_share_may_change_its_fraction_but_not_leave(program: Any) -> None:
    rules = program.rules(rewards=(program.total("ARB", 30), program.share("T", "ARB", "0.25")))
    more = replace(rules, rewards=(rules.rewards[0], program.share("T", "ARB", "0.5")))
    assert check_change(rules, more, 2) == [Change("rewards[T]", "usd_share 0.25 of ARB", "usd_share 0.5 of ARB", 3)]
    with pytest.raises(Conflict, match=r"with a USD share, the edit would make it no budget\. Keep the USD share"):
        check_change(rules, replace(rules, rewards=rules.rewards[:1]), 2)


@pytest.mark.parametrize(("before", "after", "settled"), [(4, 3, 3), (4, 2, 3), (3, 5, 3)])
def test_the_end_may_not_move_to_or_from_the_last_settled_epoch(
    program: Any, before: int, after: int, settled: int
) -> None:
    """Whether an epoch is the last decides if what is left is carried out or unallocated."""
    old, new = (program.rules(epochs=n, rewards=(program.per_epoch("ARB", *[1] * n),)) for n in (before, after))
    with pytest.raises(Conflict, match=f"program.epochs: epoch 3 is settled with {before} epochs"):
        check_change(old, new, settled)


def test_the_end_may_move_further_away(program: Any) -> None:
    old, new = (program.rules(epochs=n, rewards=(program.per_epoch("ARB", *[1] * n),)) for n in (4, 6))
    assert [change.key for change in check_change(old, new, 3)] == ["program.epochs", "rewards[ARB]"]


day = st.none() | st.integers(19_973, 19_998)
bounds = st.tuples(day, day)


@settings(max_examples=150, deadline=None)
@given(pools=st.tuples(bounds, bounds), exclusions=st.tuples(bounds, bounds), settled=st.integers(0, 3), data=st.data())
def test_an_edit_passes_exactly_when_every_settled_epoch_reads_the_same(
    program: Any, pools: Any, exclusions: Any, settled: int, data: st.DataObject
) -> None:
    totals = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    old, new = (
        program.rules(
            epochs=3,
            rewards=(program.total("ARB", totals[side]),),
            pools=(replace(program.pool_rule(), from_day=pools[side][0], until_day=pools[side][1]),),
            exclusions=(
                replace(program.exclude(program.alice), from_day=exclusions[side][0], until_day=exclusions[side][1]),
            ),
        )
        for side in (0, 1)
    )
    epochs = [old.epoch(number) for number in range(1, settled + 1)]
    same = all(
        pool_days(old, epoch) == pool_days(new, epoch)
        and excluded_days(old, epoch) == excluded_days(new, epoch)
        and own_budget(old.rewards[0], epoch.number, 3) == own_budget(new.rewards[0], epoch.number, 3)
        for epoch in epochs
    )
    if same:
        check_change(old, new, settled)
    else:
        with pytest.raises(Conflict):
            check_change(old, new, settled)
