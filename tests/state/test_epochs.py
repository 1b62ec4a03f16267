"""Evaluated epochs and payments: replaced while unsettled, untouchable once settled; sums are checked on the way in."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, Inconsistent, NotFound
from loyalty.state import State, StateTransaction, epochs, payments, program_config, providers
from loyalty.state.epochs import BudgetRow, EpochRow, ParticipationRow, RewardRow
from loyalty.state.payments import PaymentRow
from loyalty.state.program_config import ConfigVersion

ON_EACH_ENGINE = True

ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
HUGE = 10**70


@pytest.fixture
def program(state: State, pool: Any) -> State:
    """A state with a program and the tokens WBTC and tBTC."""
    with StateTransaction(state) as connection:
        program_config.add(connection, ConfigVersion(1, "tBTC", 0, 604_800, (42161,), "{}", 1, 0))
    return state


def epoch(number: int = 1, status: str = "computed", reasons: tuple[str, ...] = ()) -> EpochRow:
    return EpochRow(number, status, "ab" * 32 if status == "settled" else None, 1, 2, HUGE, reasons, 700)


def participations() -> list[ParticipationRow]:
    return [
        ParticipationRow(ALICE, HUGE, 5, "Tier 2", "1.2", "12.000001"),
        ParticipationRow(BOB, 3, 1, None, "1", "0.000003"),
    ]


def evaluate(state: State, row: EpochRow, alice: int = HUGE, bob: int = 5) -> None:
    budgets = [
        BudgetRow("WBTC", 0, 0, 0, 0, 0),
        BudgetRow("tBTC", alice + bob - 1, 4, alice + bob, 3, 0),
    ]
    rewards = [RewardRow(row.number, "tBTC", ALICE, alice), RewardRow(row.number, "tBTC", BOB, bob)]
    with StateTransaction(state) as connection:
        epochs.write(connection, row, budgets, participations(), rewards)


def test_an_evaluation_comes_back_as_it_was_written(program: State) -> None:
    evaluate(program, epoch(reasons=("tBTC: no price on 2024-09-10", "a hold: “wait”")))
    with program.read() as connection:
        assert epochs.get(connection, 1) == epoch(reasons=("tBTC: no price on 2024-09-10", "a hold: “wait”"))
        assert epochs.get(connection, 2) is None
        assert epochs.budgets(connection, 1) == [
            BudgetRow("WBTC", 0, 0, 0, 0, 0),
            BudgetRow("tBTC", HUGE + 4, 4, HUGE + 5, 3, 0),
        ]
        assert epochs.participations(connection, 1) == participations()
        assert epochs.rewards(connection, 1) == [RewardRow(1, "tBTC", ALICE, HUGE), RewardRow(1, "tBTC", BOB, 5)]
        assert epochs.settled_count(connection) == 0


def test_an_unsettled_evaluation_is_replaced_as_a_whole(program: State) -> None:
    evaluate(program, epoch())
    with StateTransaction(program) as connection:
        epochs.write(connection, epoch(status="provisional"), [], [], [])
        assert epochs.all_epochs(connection) == [epoch(status="provisional")]
        assert (
            epochs.budgets(connection, 1) == epochs.participations(connection, 1) == epochs.rewards(connection, 1) == []
        )


def test_a_settled_epoch_is_never_replaced(program: State) -> None:
    evaluate(program, epoch(status="settled"))
    with pytest.raises(Conflict, match=f"epoch 1 is settled with digest {'ab' * 32}"):
        evaluate(program, epoch(), alice=1)
    with program.read() as connection:
        assert epochs.get(connection, 1) == epoch(status="settled")
        assert epochs.rewards(connection, 1)[0].units == HUGE


def test_unsettled_evaluations_can_be_forgotten_settled_ones_not(program: State) -> None:
    evaluate(program, epoch(1, "settled"))
    evaluate(program, epoch(2, "computed"))
    evaluate(program, epoch(3, "provisional"))
    with StateTransaction(program) as connection:
        assert epochs.delete_unsettled(connection) == 2
        assert [row.number for row in epochs.all_epochs(connection)] == [1]
        assert epochs.settled_count(connection) == 1
        assert epochs.rewards(connection, 2) == []


@pytest.mark.parametrize(
    ("budgets", "rewards", "told"),
    [
        ([BudgetRow("tBTC", 10, 0, 10, 0, 0)], [("tBTC", 9)], "rewards in tBTC do not add up to 10 units"),
        ([BudgetRow("tBTC", 10, 1, 10, 0, 0)], [("tBTC", 10)], "the ledger of tBTC does not add up"),
        ([], [("tBTC", 10)], "rewards in tBTC without a budget"),
    ],
)
def test_sums_that_do_not_add_up_are_not_stored(
    program: State, budgets: list[BudgetRow], rewards: list[tuple[str, int]], told: str
) -> None:
    evaluate(program, epoch())
    rows = [RewardRow(1, token, ALICE, units) for token, units in rewards]
    with StateTransaction(program) as connection:
        with pytest.raises(Inconsistent, match=told):
            epochs.write(connection, epoch(), budgets, [], rows)
        with pytest.raises(Inconsistent, match="a reward of epoch 2"):
            epochs.write(connection, epoch(), [], [], [RewardRow(2, "tBTC", ALICE, 1)])
        with pytest.raises(NotFound, match="tokens DOGE are not in the database"):
            epochs.write(connection, epoch(2), [BudgetRow("DOGE", 0, 0, 0, 0, 0)], [], [])


def test_what_a_provider_earned_through_an_epoch_counts_settled_ones(program: State) -> None:
    evaluate(program, epoch(1, "settled"), HUGE, 5)
    evaluate(program, epoch(2, "settled"), 7, 11)
    evaluate(program, epoch(3, "computed"), 100, 100)
    with program.read() as connection:
        assert epochs.earned_through(connection, 1, "tBTC") == {ALICE: HUGE, BOB: 5}
        assert epochs.earned_through(connection, 3, "tBTC") == {ALICE: HUGE + 7, BOB: 16}
        assert epochs.earned_through(connection, 3, "WBTC") == {}
        alice = providers.find(connection, ALICE)
        assert alice is not None
        history = epochs.reward_history(connection, alice)
        assert [(row.epoch, row.units) for row in history] == [(3, 100), (2, 7), (1, HUGE)]
        assert list(epochs.participation_history(connection, alice)) == [1, 2, 3]
        assert epochs.participation_history(connection, alice)[2] == participations()[0]


def payment(number: int, total: int) -> PaymentRow:
    return PaymentRow(number, "tBTC", "0x" + "77" * 32, 10, total, 900)


def test_an_epoch_is_paid_once_in_a_token(program: State) -> None:
    evaluate(program, epoch(1, "settled"), HUGE, 5)
    evaluate(program, epoch(2, "settled"), 7, 11)
    with StateTransaction(program, durable=True) as connection:
        payments.add(connection, payment(1, HUGE), {ALICE: HUGE})
        payments.add(connection, payment(2, 23), {ALICE: 7, BOB: 16})
        with pytest.raises(Conflict, match=f"epoch 1 is paid in tBTC already, by 0x{'77' * 32}"):
            payments.add(connection, payment(1, HUGE), {ALICE: HUGE})
    with program.read() as connection:
        assert payments.all_payments(connection) == [payment(1, HUGE), payment(2, 23)]
        assert payments.get(connection, 1, "tBTC") == payment(1, HUGE)
        assert payments.get(connection, 1, "WBTC") is None
        assert payments.lines(connection, 2, "tBTC") == {ALICE: 7, BOB: 16}
        assert payments.paid_units(connection, "tBTC") == {ALICE: HUGE + 7, BOB: 16}


def test_only_a_settled_epoch_is_paid_and_only_by_lines_that_add_up(program: State) -> None:
    evaluate(program, epoch(1, "settled"))
    evaluate(program, epoch(2, "computed"))
    with StateTransaction(program) as connection:
        for number in (2, 3):
            with pytest.raises(Conflict, match=f"epoch {number} is not settled"):
                payments.add(connection, payment(number, 1), {ALICE: 1})
        with pytest.raises(Inconsistent, match="add up to 4 units, not to the total of 5"):
            payments.add(connection, payment(1, 5), {ALICE: 1, BOB: 3})
        with pytest.raises(NotFound, match="token DOGE"):
            payments.add(connection, payment(1, 1)._replace(token="DOGE"), {ALICE: 1})
