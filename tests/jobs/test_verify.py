"""Verify: what is stored follows from the facts; whatever was altered is found and named."""

from dataclasses import replace

import pytest

from loyalty.core.errors import NotFound
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.verify import verify
from loyalty.state import StateTransaction
from tests.jobs.stage import PEOPLE, Stage, at


@pytest.fixture
def settled(stage: Stage) -> Stage:
    """Two settled epochs and half of a third."""
    stage.set_up().play("""
        0d 06:00  mint  alice  100
        1d 00:00  mint  bob    50  two
        3d 12:00  burn  alice  40
        5d 00:00  seen
    """)
    stage.accrue()
    stage.settle()
    return stage


def alter(stage: Stage, *statements: str) -> str:
    with StateTransaction(stage.state) as connection:
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0
    return "\n".join(verify(stage.state).faults)


def test_everything_agrees_and_the_digests_are_told(settled: Stage) -> None:
    found = verify(settled.state)
    assert found.faults == ()
    assert found.digests == tuple((number, settled.epoch(number).digest) for number in (1, 2))
    assert (found.pool_days, found.cells) == (10, 9)
    assert found.lines()[-1] == "Everything agrees."


def test_an_altered_cell_is_named_with_both_numbers(settled: Stage) -> None:
    told = alter(settled, "UPDATE daily_balances SET usd_micro_days = 5 WHERE day = 20001 AND pool_id = 2")
    assert "on 2024-10-05: 0xbBbB" in told
    assert "is stored with (5, 49999999) micro-dollar-days, computed (49999999, 49999999)" in told
    assert "epoch 1 is stored with digest" in told


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE rewards SET units = '1' WHERE epoch = 2", "epoch 2: 0xaAaA"),
        ("DELETE FROM rewards WHERE epoch = 1", "is stored with None units of R"),
        ("UPDATE participations SET tier = 'Old' WHERE epoch = 1", "epoch 1: the tiers and weights"),
        ("UPDATE epoch_budgets SET carried_out_units = '7' WHERE epoch = 2", "epoch 2: the ledgers"),
        ("UPDATE epochs SET digest = 'ab' WHERE number = 1", "epoch 1 is stored with digest ab, computed"),
        ("DELETE FROM daily_balances WHERE day = 20002", "is stored with None micro-dollar-days"),
        (
            "UPDATE pool_days SET status = 'empty' WHERE day = 20002 AND pool_id = 1",
            "stored as empty, computed as closed",
        ),
        ("UPDATE price_points SET price = '200000000' WHERE token_id = 1", "epoch 2 is stored with digest"),
        ("UPDATE liquidity_changes SET liquidity_delta = '5' WHERE time % 86400 = 21600", "would leave"),
    ],
)
def test_whatever_is_altered_is_found(settled: Stage, statement: str, told: str) -> None:
    assert told in alter(settled, statement)


def test_days_are_judged_by_the_rules_that_were_in_force_then(settled: Stage) -> None:
    """A shorter life of prices from epoch 3 on makes no day of epochs 1 and 2 unpriced."""
    tokens = {**settled.rules.tokens, "R": replace(settled.rules.tokens["R"], max_age=60)}
    settled.new_rules(tokens=tokens)
    assert verify(settled.state).faults == ()


def test_a_shorter_max_age_later_leaves_priced_days_as_they_are(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "2d 02:00")
    stage.play("""
        0d 00:00  mint  alice  100
        2d 01:00  seen
    """)
    stage.accrue()
    stage.settle()
    assert stage.epoch(1).status == "settled"
    stage.new_rules(tokens={**stage.rules.tokens, "B": replace(stage.rules.tokens["B"], max_age=60)})
    assert verify(stage.state).faults == ()


def test_a_pool_that_left_the_program_with_its_token_does_not_stop_the_verification(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  bob    100  two
        1d 01:00  seen
    """)
    stage.accrue()
    stage.new_rules(pools=stage.rules.pools[:1])
    found = verify(stage.state)
    assert (found.faults, found.pool_days) == ((), 1)


def test_a_price_that_came_after_an_unpriced_day_is_no_fault(stage: Stage) -> None:
    stage.set_up(fixed="A").play("""
        0d 00:00  mint  alice  100
        1d 00:00  seen
    """)
    stage.accrue()
    stage.hourly("B", "0d 00:00", "1d 00:00")
    assert verify(stage.state).faults == ()


def test_a_database_without_a_program_has_nothing_to_verify(stage: Stage) -> None:
    with pytest.raises(NotFound, match="has no program yet"):
        verify(stage.state)


def test_what_is_verified_is_what_time_it_was_then(settled: Stage) -> None:
    """Going on afterwards changes nothing of what was settled."""
    before = verify(settled.state).digests
    settled.play("""
        5d 01:00  mint  dave  1000
        6d 01:00  seen
    """)
    settled.accrue()
    settled.settle()
    after = verify(settled.state)
    assert (after.faults, after.digests[:2]) == ((), before)
    assert PEOPLE["dave"] in set(PEOPLE.values())
    assert settled.cells()["one", "dave", 5][0] == -(-1000 * 10**6 * 82_800 // DAY_SECONDS) - 1
    assert at("5d 01:00") % DAY_SECONDS == 3_600
