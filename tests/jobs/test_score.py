"""Score: the points of a vault's rounds, from facts of two chains in a real database."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.jobs.correct_price import correct_price
from loyalty.jobs.verify import verify
from loyalty.state import State, StateTransaction
from tests.jobs.stage import NOW, Stage, at, block_of
from tests.jobs.vault_stage import AWAY, CHAIN, Lines, VaultStage
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL

PEOPLE = (ALICE, BOB, CAROL)


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


def test_a_corrected_price_counts_the_round_again_that_began_at_it(two: VaultStage) -> None:
    two.home_at("0d 12:00").roll(10**6)
    two.home_at("0d 18:00").roll(10**6)
    two.store()
    two.stage.hourly("X", "0d 00:00", "1d 12:00")
    two.seen(CHAIN, "1d 12:00")
    two.seen(AWAY, "1d 12:00")
    two.score()
    assert (two.rounds()[3], two.lines()[3]) == (("closed", None), [(ALICE, 150 * 10**6, None)])
    before = two.lines()
    with StateTransaction(two.state) as connection:
        rules, span = two.stage.rules, Span(at("0d 12:00"), at("0d 12:00"))
        correct_price(connection, rules, rules.tokens["X"], span, 2 * 10**8, "a typing error", "ops", NOW)
    two.score()
    assert (two.rounds()[3], two.lines()[3]) == (("closed", None), [(ALICE, 300 * 10**6, None)])
    assert {number: lines for number, lines in two.lines().items() if number != 3} == {
        number: lines for number, lines in before.items() if number != 3
    }
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


# Random histories ----------------------------------------------------------------------------------------------------

people = st.sampled_from(PEOPLE)
steps = st.lists(
    st.tuples(
        st.sampled_from(("stake", "stake", "roll", "roll", "unstake", "send", "out", "in", "late", "redeem")),
        people,
        people,
        st.integers(1, 10**9),
    ),
    min_size=4,
    max_size=30,
)


class Told:
    """A second opinion: pockets are kept by hand, and a round's holders and unstakers are noted as it begins."""

    def __init__(self, stage: VaultStage) -> None:
        self.stage, self.clock = stage, at("0d 00:10")
        self.flying = 0
        self.starts: dict[int, tuple[int, dict[Address, int]]] = {}
        self.unstaked: dict[int, set[Address]] = {}

    def play(self, action: str, who: Address, whom: Address, units: int) -> None:
        self.clock += 1_200
        vault, shares = self.stage.vault, self.stage.shares
        chain = shares.chain if action in ("in", "late") else vault.chain
        chain.at(block_of(self.clock), self.clock)
        held, away = vault.token.balances[who], shares.balances[who]
        if action == "stake":
            vault.stake(who, units)
        elif action == "redeem":
            vault.redeem(who)
        elif action == "unstake" and vault.round > 1 and (taken := min(units, held + vault.unredeemed(who))):
            self.unstaked.setdefault(vault.round, set()).add(who)
            vault.unstake(who, taken)
        elif action == "send" and held:
            vault.token.move(who, whom, min(units, held))
        elif action == "out" and held:
            self.flying += min(units, held)
            vault.token.bridge_out(who, min(units, held))
        elif action == "in" and self.flying:
            arrived, self.flying = min(units, self.flying), self.flying - min(units, self.flying)
            shares.bridge_in(who, arrived)
        elif action == "late" and away:
            shares.move(who, whom, min(units, away))
        elif action == "roll":
            self._roll(900_000 + units % 300_000)

    def _roll(self, price: int) -> None:
        vault, shares = self.stage.vault, self.stage.shares
        vault.roll(price)
        held = {who: vault.token.balances[who] + vault.unredeemed(who) + shares.balances[who] for who in PEOPLE}
        self.starts[vault.round] = price, held

    def lines(self) -> Lines:
        """Of shares with 6 decimals at a dollar, 1.5 points for each and none for who unstaked."""
        return {
            number: sorted(
                (who, 0, "unstaked")
                if who in self.unstaked.get(number, ())
                else (who, 3 * units * price // 2 // 10**6, None)
                for who, units in held.items()
                if units
            )
            for number, (price, held) in self.starts.items()
        }


@given(steps, st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_points_of_any_history_are_what_pockets_say_however_often_they_are_counted(
    new_state: Callable[[], State], history: list[tuple[str, Address, Address, int]], turns: int
) -> None:
    stage = VaultStage(Stage(new_state())).set_up()
    told = Told(stage)
    for step in history:
        told.play(*step)
    stage.store()
    stage.stage.hourly("X", "0d 00:00", "2d 12:00")
    for turn in range(1, turns + 1):
        seen = at("0d 00:10") + (at("1d 12:00") - at("0d 00:10")) * turn // turns
        for chain in (CHAIN, AWAY):
            stage.seen_at(chain, seen)
        stage.score()
    assert stage.lines() == told.lines()
    assert not verify(stage.state).faults
