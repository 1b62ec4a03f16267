"""Price: points are stored once; none comes so late that it would change what was counted."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from loyalty.core.errors import Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from loyalty.jobs.price import price, used_spans
from loyalty.prices.file import FileSource
from loyalty.prices.source import PriceSource
from loyalty.program.rules import PoolKey, PoolRule
from loyalty.state import StateTransaction, pools, prices, tokens
from tests.jobs.stage import CHAIN, NOW, START, START_DAY, TWO, Stage, at, cell, token


class Hourly:
    """A source of the hourly grid that knows every hour but those it was told to miss."""

    name = "coingecko"

    def __init__(self, missing: Sequence[int] = ()) -> None:
        self.missing = set(missing)
        self.asked: list[Span] = []

    def points(self, span: Span, now: int) -> list[PricePoint]:
        self.asked.append(span)
        hours = range(span.start, min(span.end, now + 1), HOUR_SECONDS)
        return [PricePoint(hour, 10**8, self.name, now) for hour in hours if hour not in self.missing]


class Broken:
    name = "file"

    def points(self, span: Span, now: int) -> list[PricePoint]:
        raise Unavailable("the price file cannot be read")


def stored(stage: Stage, symbol: str) -> list[int]:
    with stage.state.read() as connection:
        return [point.valid_time for point in prices.points(connection, tokens.ids(connection)[symbol])]


def ask(stage: Stage, now: int, **sources: Sequence[PriceSource]) -> None:
    price(stage.state, stage.rules, sources, now)


def test_a_grid_is_asked_from_max_age_before_the_start_to_now_and_then_only_for_what_is_missing(stage: Stage) -> None:
    stage.set_up(fixed="")
    source = Hourly(missing=[at("0d 03:00")])
    ask(stage, at("0d 05:10"), B=[source])
    assert stored(stage, "B") == [
        *range(START - 2 * HOUR_SECONDS, at("0d 03:00"), HOUR_SECONDS),
        at("0d 04:00"),
        at("0d 05:00"),
    ]
    source.missing.clear()
    source.asked.clear()
    ask(stage, at("0d 06:10"), B=[source])
    assert source.asked == [Span(at("0d 03:00"), at("0d 04:00")), Span(at("0d 06:00"), at("0d 07:00"))]
    assert len(stored(stage, "B")) == 9


def test_nothing_is_asked_of_the_grid_beyond_the_programs_end_or_before_its_start_is_near(stage: Stage) -> None:
    stage.set_up(fixed="")
    source = Hourly()
    ask(stage, START - DAY_SECONDS, B=[source])
    assert source.asked == []
    ask(stage, NOW, B=[source])
    assert stored(stage, "B")[-1] == stage.rules.end


def test_the_rows_of_a_file_are_points_whatever_the_wall_clock_says(stage: Stage, tmp_path: Path) -> None:
    """A recorded chain may lie in the future of the machine that replays it."""
    stage.set_up(fixed="")
    file = tmp_path / "b.csv"
    file.write_text(f"time,usd\n{START},1.5\n{START + 3600},2\n")
    ask(stage, START - 400 * DAY_SECONDS, B=[FileSource(file, 8, "B")])
    assert stored(stage, "B") == [START, START + 3600]
    file.write_text(file.read_text() + f"{START + 7200},2.5\n")
    ask(stage, START - 400 * DAY_SECONDS, B=[FileSource(file, 8, "B")])
    assert stored(stage, "B")[-1] == START + 7200


def test_a_token_whose_source_fails_disturbs_no_other(stage: Stage) -> None:
    stage.set_up(fixed="")
    done = price(stage.state, stage.rules, {"A": [Broken()], "B": [Hourly()]}, at("0d 01:00"))
    assert [(each.token, each.stored, len(each.faults)) for each in done] == [("A", 0, 1), ("B", 4, 0)]


def test_a_stored_point_is_never_overwritten(stage: Stage) -> None:
    stage.set_up(fixed="A")
    assert stage.price("B", at("0d 01:00"), "1") == (1, 0)
    assert stage.price("B", at("0d 01:00"), "2") == (0, 0)


def test_a_late_point_is_refused_where_a_closed_day_has_used_the_moment(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "2d 00:00")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 12:00  seen
    """)
    stage.accrue()
    assert stage.price("B", at("0d 12:30"), "9") == (0, 1)
    assert stage.price("B", at("1d 00:00") - 1, "9") == (0, 1)
    assert stage.price("B", at("1d 12:30"), "9") == (1, 0)
    stage.accrue()
    assert stage.cells()["one", "alice", 0] == (cell(100), cell(100))


def test_the_last_second_that_a_closed_day_used_is_its_end(stage: Stage) -> None:
    """The point at midnight decides the day before too: the day needed a price there."""
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 23:00")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 00:00  seen
    """)
    stage.accrue()
    assert stage.price("B", at("1d 00:00"), "9") == (0, 1)
    assert stage.price("B", at("1d 00:00") + 1, "9") == (1, 0)


def test_a_day_that_nobody_held_anything_on_leaves_its_prices_open(stage: Stage) -> None:
    stage.set_up(fixed="A").play("1d 00:00  seen")
    stage.accrue()
    assert stage.statuses()[0] == "empty"
    assert stage.price("B", at("0d 12:00"), "9") == (1, 0)


def test_the_points_that_a_settled_digest_names_stay_the_only_ones(stage: Stage) -> None:
    """Nobody held anything in epoch 1, but its digest names every point in force of the program's tokens."""
    stage.set_up(fixed="A").play("2d 01:00  seen")
    stage.accrue()
    stage.settle()
    assert stage.epoch(1).status == "settled"
    assert stage.price("B", at("1d 12:00"), "9") == (0, 1)
    assert stage.price("B", at("2d 00:00") + 1, "9") == (1, 0)


def test_a_token_that_joins_after_a_settlement_can_have_its_price_at_the_boundary(stage: Stage) -> None:
    """The settled epoch's digest names only the tokens of its own rules; else day one of the new pool had no price."""
    rules = stage.rules
    stage.set_up(pools=rules.pools[:1], tokens={**rules.tokens, "C": token("C")})
    stage.play("2d 01:00  seen")
    stage.accrue()
    stage.settle()
    stage.new_rules(
        pools=(*stage.rules.pools, PoolRule(PoolKey(CHAIN, TWO), ("A", "C"), Fraction(1), START_DAY + 2, None))
    )
    with StateTransaction(stage.state) as connection:
        ids = tokens.ids(connection)
        pools.ensure(connection, CHAIN, TWO, "uniswap_v3", ids["A"], ids["C"], 1, 500, 10)
    assert stage.price("C", at("2d 00:00"), "1") == (1, 0)
    with stage.state.read() as connection:
        assert used_spans(connection, stage.rules, "C") == []
        assert used_spans(connection, stage.rules, "B") == [Span(START, at("2d 00:00"))]


def test_what_is_late_does_not_hang_on_the_order_in_which_points_arrive(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "1d 00:00")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 12:00  seen
    """)
    stage.accrue()
    symbol = replace(stage.rules.tokens["B"])
    from loyalty.jobs.price import store_points

    times = [at("1d 06:30"), at("0d 23:30"), at("1d 02:00"), at("1d 00:30")]
    points = [PricePoint(time, 7 * 10**8, "coingecko", NOW) for time in times]
    assert store_points(stage.state, stage.rules, symbol, points) == (3, 1)
