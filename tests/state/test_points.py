"""Rounds and points: replaced at once, gone with the cells they follow from, and forgotten by time."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.amounts import INT63_MAX
from loyalty.state import State, StateTransaction, days, points, providers, rounds
from loyalty.state.points import PeriodRow, PointLine
from loyalty.state.rounds import RoundRow

ON_EACH_ENGINE = True

ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
HUGE = 10**60


@pytest.fixture
def ids(state: State) -> dict[Address, int]:
    with StateTransaction(state) as connection:
        return providers.ids_of(connection, [ALICE, BOB])


def day(pool_id: int, number: int, status: str = "closed", score: str = "drops") -> PeriodRow:
    return PeriodRow(score, pool_id, "day", number, status, None, None, "0.25", 9, number * 86_400)


def round_of(pool_id: int, number: int, as_of_time: int) -> PeriodRow:
    return PeriodRow("drops", pool_id, "round", number, "closed", None, HUGE, "1.5", 9, as_of_time)


def began(pool_id: int, number: int, start_time: int) -> RoundRow:
    return RoundRow(pool_id, number, start_time, 3, 1, HUGE, 7, HUGE + 1)


def line(provider: Address, micro: int, reason: str | None = None) -> PointLine:
    return PointLine(provider, 5, micro, reason)


def test_a_periods_lines_take_the_place_of_those_before(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        points.write(connection, day(pool.id, 5, "open"), [(ids[ALICE], line(ALICE, 1)), (ids[BOB], line(BOB, 2))])
        points.write(connection, day(pool.id, 5), [(ids[BOB], line(BOB, INT63_MAX))])
    with state.read() as connection:
        assert points.periods(connection, pool.id, "day") == {("drops", 5): day(pool.id, 5)}
        assert points.lines(connection, day(pool.id, 5)) == [line(BOB, INT63_MAX)]
        assert points.totals(connection, "drops") == {BOB: INT63_MAX}
        assert not points.any_open(connection, "drops")


def test_the_lines_stay_where_only_the_period_is_written(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        points.write(connection, day(pool.id, 5, "open"), [(ids[ALICE], line(ALICE, 0, "excluded"))])
        points.write_period(connection, day(pool.id, 5))
    with state.read() as connection:
        assert points.lines(connection, day(pool.id, 5)) == [line(ALICE, 0, "excluded")]
        assert points.totals(connection, "drops") == {ALICE: 0}


def test_points_go_with_the_cells_of_their_day(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        for number in (4, 5, 6, 7):
            points.write(connection, day(pool.id, number), [(ids[ALICE], line(ALICE, number))])
        points.write(connection, round_of(pool.id, 6, 9), [(ids[ALICE], line(ALICE, 100))])
        days.write(connection, pool.id, 5, "closed", None, 1, 1, {})
        days.delete_from(connection, pool.id, 7)
    with state.read() as connection:
        assert [number for _, number in points.periods(connection, pool.id, "day")] == [4, 6]
        assert points.totals(connection, "drops") == {ALICE: 110}
        assert points.period_totals(connection, pool.id, "day") == {("drops", 4): 4, ("drops", 6): 6}


def test_a_rewind_forgets_by_time(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        for number, start, end in ((2, 100, 200), (3, 200, 300), (4, 300, 400)):
            rounds.write(connection, began(pool.id, number, start), {ids[ALICE]: HUGE})
            points.write(connection, round_of(pool.id, number, end), [(ids[ALICE], line(ALICE, number))])
        points.delete_counted_since(connection, 300)
        rounds.delete_since(connection, 300)
    with state.read() as connection:
        assert [number for _, number in points.periods(connection, pool.id, "round")] == [2]
        assert points.totals(connection, "drops") == {ALICE: 2}
        assert rounds.of_pool(connection, pool.id) == {2: began(pool.id, 2, 100), 3: began(pool.id, 3, 200)}
        assert rounds.holders(connection, pool.id) == {2: 1, 3: 1}


def test_other_rules_take_what_began_since(state: State, pool: Any, ids: dict[Address, int]) -> None:
    """A round that waits has not begun as far as is known, and goes too."""
    with StateTransaction(state) as connection:
        for number, start in ((2, 100), (3, 86_400 * 5)):
            rounds.write(connection, began(pool.id, number, start), {ids[ALICE]: 1})
        for number in (2, 3, 4):
            points.write(connection, round_of(pool.id, number, 10**9), [(ids[ALICE], line(ALICE, number))])
        for number in (4, 5):
            points.write(connection, day(pool.id, number), [(ids[BOB], line(BOB, number))])
        points.delete_begun_since(connection, 86_400 * 5, 5)
    with state.read() as connection:
        assert [number for _, number in points.periods(connection, pool.id, "round")] == [2]
        assert [number for _, number in points.periods(connection, pool.id, "day")] == [4]
        assert points.totals(connection, "drops") == {ALICE: 2, BOB: 4}


def test_a_providers_line_says_what_it_follows_from(state: State, pool: Any, ids: dict[Address, int]) -> None:
    with StateTransaction(state) as connection:
        rounds.write(connection, began(pool.id, 2, 100), {ids[ALICE]: HUGE + 5, ids[BOB]: 6})
        points.write(connection, round_of(pool.id, 2, 200), [(ids[ALICE], line(ALICE, 3, "unstaked"))])
        points.write(connection, day(pool.id, 2), [(ids[ALICE], line(ALICE, 4))])
    with state.read() as connection:
        by_round, by_day = sorted(
            points.of_provider(connection, ids[ALICE]), key=lambda each: each.period, reverse=True
        )
        assert rounds.shares(connection, pool.id, 2) == {ALICE: HUGE + 5, BOB: 6}
    assert by_round[:4] == ("drops", pool.id, "round", 2)
    assert by_round[4:] == ("closed", "1.5", HUGE, 5, 3, "unstaked", 100, HUGE, HUGE + 5)
    assert by_day[4:] == ("closed", "0.25", None, 5, 4, None, None, None, None)
