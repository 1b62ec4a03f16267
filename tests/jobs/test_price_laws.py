"""The law of prices: whatever sources do, in whatever order, nothing that is stored changes, and faults have names."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.config import CoinGeckoPrice, FixedPrice
from loyalty.core.times import HOUR_SECONDS
from loyalty.state import State, open_state, price_backoffs, price_refusals, tokens
from tests.jobs.price_servers import BOTH, COIN, FAILURES, LIES, PriceServers, program_of, turn, usd_at
from tests.jobs.stage import Stage, at

MOODS = ("fine", "cut", "empty", "unsure", *FAILURES, *LIES)
LIMITED = {"max_deviation": Fraction(1, 50)}


def rows(stage: Stage) -> dict[tuple[int, int, int], tuple[Any, ...]]:
    """Every stored point, as it stands in the database."""
    with stage.state.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT token_id, valid_time, version, price, source, asked_time, reason FROM price_points"
        )
        return {tuple(row)[:3]: tuple(row)[3:] for row in found}


def backoffs(stage: Stage) -> list[price_backoffs.StoredBackoff]:
    with stage.state.read() as connection:
        return price_backoffs.all_backoffs(connection)


def of_b(stage: Stage) -> dict[int, tuple[float, str]]:
    with stage.state.read() as connection:
        token_id = tokens.ids(connection)["B"]
    return {time: (int(row[0]) / 10**8, row[1]) for (token, time, _), row in rows(stage).items() if token == token_id}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turns=st.lists(
        st.tuples(st.integers(1, 9), st.lists(st.sampled_from(MOODS), max_size=8), st.booleans()),
        min_size=2,
        max_size=8,
    ),
    limited=st.booleans(),
)
def test_no_sequence_of_failures_refusals_late_answers_and_restarts_changes_a_stored_price(
    new_state: Callable[[], State], turns: Sequence[tuple[int, list[str], bool]], limited: bool
) -> None:
    stage = Stage(new_state()).set_up(fixed="A")
    stage.play("0d 00:00  mint  alice  100")
    servers, now = PriceServers(at("0d 01:00")), at("0d 01:00")
    before, cells = rows(stage), stage.cells()
    for hours, moods, restarts in turns:
        now += hours * HOUR_SECONDS
        servers.now, servers.moods = now + 700, list(moods)
        if restarts:
            assert stage.state.path is not None
            stage.state.close()
            stage.state = open_state(stage.state.path)
        turn(stage, program_of(stage, BOTH, **(LIMITED if limited else {})), servers)
        stage.seen(now)
        stage.accrue()
        after = rows(stage)
        assert before.items() <= after.items()
        closed = {key: cell for key, cell in cells.items() if stage.statuses().get(key[2]) == "closed"}
        assert closed.items() <= stage.cells().items()
        before = after
        cells = {key: cell for key, cell in stage.cells().items() if stage.statuses()[key[2]] == "closed"}
    if limited and all(sum(mood in LIES for mood in moods) < 2 for _, moods, _ in turns):
        assert all(price == pytest.approx(usd_at(time)) for time, (price, _) in of_b(stage).items())
    stage.state.close()


@pytest.mark.parametrize("mood", ["unknown coin", "refused key", "down", "limit", "cut", "garbage"])
def test_a_source_that_fails_is_named_the_next_one_is_asked_and_nothing_is_lost(stage: Stage, mood: str) -> None:
    stage.set_up(fixed="A")
    servers = PriceServers(at("0d 03:40"))
    servers.moods = [mood] * (1 if mood in ("unknown coin", "refused key", "garbage", "limit") else 4)
    done, _ = turn(stage, program_of(stage, BOTH), servers)
    assert {fault.source for fault in done.faults} == {"coingecko"}
    assert "river" in str(done.faults[0].error) or "B" in str(done.faults[0].error)
    assert {source for _, source in of_b(stage).values()} == {"defillama"}
    assert done.missing == ()


def test_a_back_off_is_remembered_over_a_restart_and_ends_with_an_answer(stage: Stage) -> None:
    stage.set_up(fixed="A")
    program, servers = program_of(stage, BOTH[:1]), PriceServers(at("0d 03:40"))
    servers.moods = ["refused key"]
    turn(stage, program, servers)
    (stored,) = backoffs(stage)
    assert (stored.source, stored.failures, stored.until_time) == ("coingecko public river", 1, servers.now + 60)
    asked = len(servers.asked)
    servers.now += 30
    done, _ = turn(stage, program, servers)  # as another process would, a moment later
    assert "is not asked before" in str(done.faults[0].error)
    assert len(servers.asked) == asked
    servers.now += 31
    turn(stage, program, servers)
    assert len(servers.asked) > asked
    assert backoffs(stage) == []
    assert of_b(stage)


def test_another_coin_id_does_not_wait_for_the_rest_of_the_wrong_one(stage: Stage) -> None:
    stage.set_up(fixed="A")
    servers = PriceServers(at("0d 03:40"))
    servers.moods = ["unknown coin"]
    turn(stage, program_of(stage, (CoinGeckoPrice("rivr"),)), servers)
    assert not of_b(stage)
    turn(stage, program_of(stage, (CoinGeckoPrice(COIN),)), servers)
    assert of_b(stage)


def test_a_wild_answer_is_refused_once_by_name_and_the_next_source_is_not_believed_without_it(stage: Stage) -> None:
    stage.set_up(fixed="A")
    servers = PriceServers(at("0d 03:40"))
    servers.moods = ["wild"]
    program = program_of(stage, (BOTH[0], FixedPrice(15 * 10**7)), max_deviation=Fraction(9, 10))
    _, refused = turn(stage, program, servers)
    assert {refusal.reason for refusal in refused} == {"deviates"}
    assert {source for _, source in of_b(stage).values()} == {"fixed"}
    with stage.state.read() as connection:
        stored = price_refusals.of_token(connection, tokens.ids(connection)["B"])
    assert [each.valid_time for each in stored] == [refusal.valid_time for refusal in refused]
    assert all(each.source == "coingecko" and "limit 900000 ppm" in each.detail for each in stored)


def test_an_answer_that_its_source_doubts_is_stored_as_a_refusal(stage: Stage) -> None:
    stage.set_up(fixed="A")
    servers = PriceServers(at("0d 03:40"))
    servers.moods = ["unsure"] * 9
    _, refused = turn(stage, program_of(stage, BOTH[1:]), servers)
    assert {(refusal.source, refusal.reason) for refusal in refused} == {("defillama", "uncertain")}
    with stage.state.read() as connection:
        assert len(price_refusals.of_token(connection, tokens.ids(connection)["B"])) == len(refused)
    assert not of_b(stage)


def test_a_refusal_that_is_told_again_is_stored_and_logged_once(stage: Stage) -> None:
    stage.set_up(fixed="A")
    servers = PriceServers(at("0d 03:40"))
    program = program_of(stage, BOTH[:1], max_deviation=Fraction(1, 100), references=(FixedPrice(9 * 10**8),))
    _, refused = turn(stage, program, servers)
    assert refused
    _, again = turn(stage, program, servers)
    assert again == []
    assert not of_b(stage)
