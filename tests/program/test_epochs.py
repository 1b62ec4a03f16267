"""Epochs: where a moment lies, which have begun, which are due."""

from typing import Any

import pytest

from loyalty.program.epochs import begun, due, due_time, epoch_at, position_text
from loyalty.program.rules import Epoch

DAY = 86_400
WEEK = 7 * DAY
START = 1_725_840_000  # 2024-09-09T00:00:00Z


@pytest.mark.parametrize(
    ("time", "number"),
    [
        (START - 1, None),
        (START, 1),
        (START + WEEK - 1, 1),
        (START + WEEK, 2),
        (START + 30 * WEEK - 1, 30),
        (START + 30 * WEEK, None),
    ],
)
def test_a_moment_at_exactly_an_epochs_end_belongs_to_the_next(program: Any, time: int, number: int | None) -> None:
    epoch = epoch_at(program.rules(), time)
    assert (epoch.number if epoch else None) == number


def test_an_epoch_spans_whole_days_from_midnight_to_midnight(program: Any) -> None:
    assert program.rules().epoch(3) == Epoch(3, START + 2 * WEEK, START + 3 * WEEK)
    assert program.rules().epoch(3).days == (19_975 + 14, 19_975 + 21)


@pytest.mark.parametrize(
    ("time", "numbers"),
    [
        (START - 1, []),
        (START, [1]),
        (START + WEEK - 1, [1]),
        (START + WEEK, [1, 2]),
        (START + 99 * WEEK, [*range(1, 31)]),
    ],
)
def test_an_epoch_has_begun_from_its_first_second_on(program: Any, time: int, numbers: list[int]) -> None:
    assert [epoch.number for epoch in begun(program.rules(), time)] == numbers


def test_an_epoch_is_due_when_settle_after_has_passed_since_its_end(program: Any) -> None:
    rules = program.rules(settle_after=DAY)
    epoch = rules.epoch(1)
    assert due_time(rules, epoch) == START + WEEK + DAY
    assert not due(rules, epoch, START + WEEK + DAY - 1)
    assert due(rules, epoch, START + WEEK + DAY)


def test_without_settle_after_an_epoch_is_due_at_its_end(program: Any) -> None:
    rules = program.rules(settle_after=0)
    assert not due(rules, rules.epoch(1), START + WEEK - 1)
    assert due(rules, rules.epoch(1), START + WEEK)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (START - 1, "before the start at 2024-09-09T00:00:00Z"),
        (START, "week 1 of 30, day 1 of 7"),
        (START + 2 * WEEK + DAY, "week 3 of 30, day 2 of 7"),
        (START + 30 * WEEK, "ended at 2025-04-07T00:00:00Z"),
    ],
)
def test_the_programs_position_is_told_in_weeks(program: Any, time: int, text: str) -> None:
    assert position_text(program.rules(), time) == text


def test_epochs_of_another_length_are_not_called_weeks(program: Any) -> None:
    assert position_text(program.rules(epoch_seconds=DAY), START + DAY) == "epoch 2 of 30, day 1 of 1"
