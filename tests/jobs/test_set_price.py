"""Set a price: the operator fills holes, never what has a price, and leaves a line in the audit log."""

import json
from typing import Any

import pytest

from loyalty.core.errors import Conflict, Invalid
from loyalty.core.spans import Span
from loyalty.jobs.set_price import PriceSet, set_price
from loyalty.state import StateTransaction, prices, tokens
from tests.jobs.stage import NOW, Stage, at, cell


def set_to(stage: Stage, first: str, last: str, usd: int = 3, reason: str = "the source was down") -> PriceSet:
    with StateTransaction(stage.state, durable=True) as connection:
        span = Span(at(first), at(last))
        return set_price(connection, stage.rules, stage.rules.tokens["B"], span, usd * 10**8, reason, "ops", NOW)


def operators(stage: Stage) -> list[int]:
    with stage.state.read() as connection:
        points = prices.points(connection, tokens.ids(connection)["B"])
    return [point.valid_time for point in points if point.source == "operator"]


def audit(stage: Stage) -> list[Any]:
    with stage.state.read() as connection:
        rows = connection.exec_driver_sql("SELECT detail FROM audit_log WHERE action = 'price set'").scalars().all()
    return [json.loads(row) for row in rows]


def test_a_hole_gets_points_as_often_as_max_age_asks_and_its_epoch_can_settle(stage: Stage) -> None:
    """Hourly points up to 10:00 are valid until 12:00; the operator's begin a second later and end before 22:00."""
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 10:00")
    stage.hourly("B", "0d 22:00", "2d 00:00")
    stage.play("""
        0d 00:00  mint  alice  100
        2d 01:00  seen
    """)
    stage.accrue()
    assert stage.statuses()[0] == "unpriced"
    assert set_to(stage, "0d 00:00", "0d 23:59") == PriceSet(10, 0)
    assert operators(stage) == [at(f"0d {hour}:00:01") for hour in range(12, 22)]
    stage.accrue()
    seconds = 22 * 3_600 - 12 * 3_600 - 1
    a_half_each = cell(100, 86_400 - seconds) + cell(200, seconds)  # $50 of A at $1, $50 of B at $3
    assert stage.cells()["one", "alice", 0][0] in (a_half_each, a_half_each + 1)
    assert [each.status for each in stage.settle()] == ["settled", "provisional"]


def test_what_has_a_valid_price_keeps_it(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "1d 00:00")
    with pytest.raises(Conflict, match="every moment from 2024-10-04T00:30:00Z to 2024-10-04T05:30:00Z has a price"):
        set_to(stage, "0d 00:30", "0d 05:30")
    assert (operators(stage), audit(stage)) == ([], [])


def test_moments_that_a_settled_epoch_names_are_refused_and_counted(stage: Stage) -> None:
    stage.set_up(fixed="A").play("2d 01:00  seen")
    stage.accrue()
    stage.settle()
    done = set_to(stage, "1d 23:00", "2d 01:30")
    assert done == PriceSet(stored=1, refused=2)  # 23:00 and the boundary itself are named, 01:00 is not
    assert audit(stage) == [
        {
            "token": "B",
            "from": at("1d 23:00"),
            "to": at("2d 01:30"),
            "usd": "3",
            "reason": "the source was down",
            "points": 1,
            "refused": 2,
        }
    ]


def test_a_single_moment_can_be_set(stage: Stage) -> None:
    stage.set_up(fixed="A")
    assert set_to(stage, "0d 05:00", "0d 05:00") == PriceSet(1, 0)
    assert operators(stage) == [at("0d 05:00")]


@pytest.mark.parametrize(
    ("first", "last", "usd", "reason", "told"),
    [
        ("0d 02:00", "0d 01:00", 3, "x", "is after --to"),
        ("0d 02:00", "0d 03:00", 0, "x", "a price is above zero"),
        ("0d 02:00", "0d 03:00", 3, "  ", "needs a --reason"),
        ("7d 00:00", "8d 00:00", 3, "x", "concerns the program, which runs from"),
        ("-2d 00:00", "-1d 00:00", 3, "x", "concerns the program, which runs from"),
    ],
)
def test_what_cannot_be_meant_is_refused(stage: Stage, first: str, last: str, usd: int, reason: str, told: str) -> None:
    stage.set_up(fixed="A")
    with pytest.raises(Invalid, match=told):
        set_to(stage, first, last, usd, reason)
    assert operators(stage) == []


def test_a_span_far_beyond_the_program_costs_no_more_than_the_program(stage: Stage) -> None:
    stage.set_up(fixed="A")
    with StateTransaction(stage.state) as connection:
        token = stage.rules.tokens["B"]
        done = set_price(connection, stage.rules, token, Span(0, 10**15), 10**8, "all", "ops", NOW)
    assert done.stored == 6 * 24 + 2 + 1
