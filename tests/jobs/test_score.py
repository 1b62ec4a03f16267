"""Score: the points of a vault's rounds, from facts of two chains in a real database."""

import pytest

from loyalty.jobs.verify import verify
from loyalty.state import State
from tests.jobs.stage import Stage
from tests.jobs.vault_stage import AWAY, CHAIN, VaultStage
from tests.protocols.vaults.simulation import ALICE, BOB


@pytest.fixture
def two(state: State) -> VaultStage:
    """Round 1 ends before the program; its only holder has sent all shares to the other chain."""
    stage = VaultStage(Stage(state)).set_up()
    stage.home_at("-1d 01:00").stake(ALICE, 100 * 10**6)
    stage.home_at("-1d 02:00").roll(10**6)
    stage.home_at("-1d 03:00").redeem(ALICE)
    stage.home_at("-1d 04:00").token.bridge_out(ALICE, 100 * 10**6)
    stage.away_at("-1d 05:00").bridge_in(ALICE, 100 * 10**6)
    return stage


def test_a_late_price_counts_where_all_shares_are_on_another_chain(two: VaultStage) -> None:
    """The vault's own day is over without liquidity, which keeps no price out; the other chain's is not over."""
    two.home_at("0d 12:00").roll(10**6)
    two.home_at("0d 18:00").roll(10**6)
    two.store()
    two.stage.hourly("X", "0d 00:00", "0d 11:00")
    two.seen(CHAIN, "1d 12:00")
    two.seen(AWAY, "0d 20:00")
    two.score()
    assert two.lines()[3] == [(ALICE, 150 * 10**6, None)]
    assert two.rounds()[3] == ("open", None)
    assert two.stage.price("X", two.vault.chain.time - 6 * 3_600 - 1_800, "2") == (1, 0)
    two.score()
    assert two.lines()[3] == [(ALICE, 300 * 10**6, None)]
    two.stage.hourly("X", "0d 12:00", "1d 12:00")
    two.seen(AWAY, "1d 12:00")
    two.score()
    assert two.rounds()[3] == ("closed", None)
    assert not verify(two.state).faults


def test_a_round_waits_for_the_other_chain_and_is_counted_once_it_is_past(two: VaultStage) -> None:
    two.home_at("0d 12:00").roll(10**6)
    two.store()
    two.stage.hourly("X", "0d 00:00", "1d 00:00")
    two.seen(CHAIN, "0d 20:00")
    two.seen(AWAY, "0d 12:00")
    two.score()
    status, reason = two.rounds()[3]
    assert (status, two.lines()[3]) == ("open", [])
    assert reason is not None
    assert reason.startswith("brook is not indexed past 2024-10-04T12:00:00Z")
    two.seen(AWAY, "0d 12:01")
    two.score()
    assert two.lines()[3] == [(ALICE, 150 * 10**6, None)]


def test_who_unstakes_in_an_open_round_loses_its_points_at_the_next_turn(two: VaultStage) -> None:
    two.home_at("0d 06:00").stake(BOB, 10 * 10**6)
    two.home_at("0d 12:00").roll(10**6)
    two.home_at("0d 13:00").unstake(BOB, 1)
    two.store()
    two.stage.hourly("X", "0d 00:00", "1d 00:00")
    two.seen(CHAIN, "0d 20:00")
    two.seen(AWAY, "0d 20:00")
    two.score()
    assert two.lines()[3] == [(ALICE, 150 * 10**6, None), (BOB, 0, "unstaked")]
    assert two.score().open == 0, "what is stored already is not written again"
