"""Correct a price: a new version where nothing is settled, days computed again, both prices in the audit log."""

import json
from typing import Any

import pytest

from loyalty.core.errors import Conflict, Invalid
from loyalty.core.spans import Span
from loyalty.jobs.commands import Desk, execute
from loyalty.jobs.correct_price import PriceCorrected, correct_price
from loyalty.reports.prices import token_prices
from loyalty.reports.snapshot import Snapshot
from loyalty.state import StateTransaction, prices, tokens
from loyalty.state.prices import PriceVersion
from tests.jobs.stage import NOW, Stage, at, cell


def correct(stage: Stage, first: str, last: str, usd: int = 3, reason: str = "a typing error") -> PriceCorrected:
    with StateTransaction(stage.state, durable=True) as connection:
        span = Span(at(first), at(last))
        return correct_price(connection, stage.rules, stage.rules.tokens["B"], span, usd * 10**8, reason, "ops", NOW)


def versions(stage: Stage, moment: str) -> list[PriceVersion]:
    with stage.state.read() as connection:
        return prices.versions(connection, tokens.ids(connection)["B"], Span(at(moment), at(moment) + 1))


def audit(stage: Stage) -> list[Any]:
    with stage.state.read() as connection:
        rows = connection.exec_driver_sql("SELECT detail FROM audit_log WHERE action = 'price corrected'").scalars()
        return [json.loads(row) for row in rows]


def two_priced_days(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "4d 02:00")
    stage.play("""
        0d 00:00  mint  alice  100
        2d 00:30  seen
    """)
    stage.accrue()


def test_closed_days_that_are_not_settled_are_computed_again_with_the_new_price(stage: Stage) -> None:
    two_priced_days(stage)
    assert stage.cells()["one", "alice", 1][0] == cell(100)
    assert correct(stage, "1d 06:00", "1d 11:00") == PriceCorrected(6, 4)
    assert stage.statuses() == {0: "closed"}
    stage.accrue()
    six_hours = 6 * 3_600
    expected = cell(100, 86_400 - six_hours) + cell(200, six_hours)  # $50 of A at $1, $50 of B at $3 for six hours
    assert stage.cells()["one", "alice", 0][0] == cell(100)
    assert stage.cells()["one", "alice", 1][0] in (expected, expected + 1)


def test_the_older_version_stays_with_its_source_and_the_audit_log_has_both(stage: Stage) -> None:
    two_priced_days(stage)
    correct(stage, "1d 06:00", "1d 06:30")
    correct(stage, "1d 06:00", "1d 06:30", usd=4, reason="once more")
    assert [(v.version, v.price, v.source, v.reason) for v in versions(stage, "1d 06:00")] == [
        (1, 10**8, "coingecko", None),
        (2, 3 * 10**8, "operator", "a typing error"),
        (3, 4 * 10**8, "operator", "once more"),
    ]
    first, second = audit(stage)
    assert first["before"] == [{"time": at("1d 06:00"), "usd": "1", "source": "coingecko"}]
    assert (first["after"], second["before"][0]["usd"], second["after"]) == ("3", "3", "4")


def test_a_point_at_midnight_touches_the_day_before_too(stage: Stage) -> None:
    two_priced_days(stage)
    correct(stage, "1d 00:00", "1d 00:00")
    assert stage.statuses() == {}


def test_a_settled_epoch_is_named_and_nothing_is_corrected(stage: Stage) -> None:
    two_priced_days(stage)
    stage.play("2d 01:00  seen")
    stage.accrue()
    assert stage.settle()[0].status == "settled"
    before = stage.cells()
    with pytest.raises(Conflict, match=r"epoch 1 is settled and has used the price of B of 2024-10-06T00:00:00Z"):
        correct(stage, "2d 00:00", "2d 05:00")
    assert [v.version for v in versions(stage, "2d 00:00")] == [1]
    assert stage.cells() == before
    assert correct(stage, "2d 00:01", "2d 05:00").corrected == 5
    stage.accrue()
    assert {day: status for day, status in stage.statuses().items() if day < 2} == {0: "closed", 1: "closed"}


def test_where_no_point_stands_there_is_nothing_to_correct(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 01:00")
    with pytest.raises(Conflict, match=r"no price point .* set a price without --correct"):
        correct(stage, "0d 02:00", "0d 05:00")
    with pytest.raises(Invalid, match="needs a --reason"):
        correct(stage, "0d 00:00", "0d 01:00", reason=" ")
    with pytest.raises(Invalid, match="above zero"):
        correct(stage, "0d 00:00", "0d 01:00", usd=0)
    assert audit(stage) == []


def test_the_command_corrects_and_is_shown_with_every_version(stage: Stage) -> None:
    two_priced_days(stage)
    desk = Desk(stage.state, stage.rules, lambda until: [], dict)
    arguments = {"token": "B", "from": at("1d 06:00"), "to": at("1d 06:00"), "usd": "2.5", "reason": "wrong"}
    with pytest.raises(Conflict):
        execute(desk, "price set", arguments, "ops", NOW)
    assert execute(desk, "price set", {**arguments, "correct": True}, "ops", NOW)["points"] == 1
    with stage.state.read() as connection:
        shown = token_prices(Snapshot.of(connection), "B", Span(at("1d 06:00"), at("1d 06:30")))
    assert [(p["time"], p["version"], p["in_force"], p["usd"], p["source"], p["reason"]) for p in shown["points"]] == [
        ("2024-10-05T06:00:00Z", 1, False, "1", "coingecko", None),
        ("2024-10-05T06:00:00Z", 2, True, "2.5", "operator", "wrong"),
    ]
    assert shown["refusals"] == []
