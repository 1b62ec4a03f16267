"""Running the place: commands, the audit log, holds, job runs, and the views that people read."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound
from loyalty.core.facts import LiquidityChange
from loyalty.state import (
    State,
    StateTransaction,
    audit,
    balances,
    commands,
    days,
    epochs,
    facts,
    holds,
    job_runs,
    program_config,
    providers,
)
from loyalty.state.audit import AuditLine
from loyalty.state.commands import Command
from loyalty.state.epochs import BudgetRow, EpochRow, ParticipationRow, RewardRow
from loyalty.state.holds import Hold
from loyalty.state.job_runs import JobRun
from loyalty.state.program_config import ConfigVersion

ON_EACH_ENGINE = True

ALICE = Address("0x" + "a1" * 20)


def test_commands_wait_in_order_until_they_are_finished_once(state: State) -> None:
    with StateTransaction(state, durable=True) as connection:
        first = commands.append(connection, "price_set", {"token": "tBTC", "usd": "1.5"}, "cli", 10)
        second = commands.append(connection, "settle", {}, "api", 11)
        assert [command.id for command in commands.pending(connection)] == [first, second]
        commands.finish(connection, first, False, {"error": "no such token"}, 20)
        assert commands.pending(connection) == [Command(second, "settle", {}, "api", 11, None, None, None)]
        assert commands.get(connection, first) == Command(
            first, "price_set", {"token": "tBTC", "usd": "1.5"}, "cli", 10, 20, False, {"error": "no such token"}
        )
        with pytest.raises(Conflict, match=r"command 1 \(price_set\) is finished already"):
            commands.finish(connection, first, True, None, 30)
        commands.finish(connection, second, True, ["1", "2"], 21)
        assert commands.get(connection, second).result == ["1", "2"]
        assert commands.get(connection, second).succeeded is True
        for ask in (lambda: commands.get(connection, 99), lambda: commands.finish(connection, 99, True, None, 1)):
            with pytest.raises(NotFound, match="command 99 does not exist"):
                ask()


def test_the_audit_log_is_read_from_its_newest_line_back(state: State) -> None:
    with StateTransaction(state) as connection:
        for number in range(1, 6):
            audit.write(connection, number * 10, "worker", "settle", {"epoch": number, "why": "due – naïve"})
        assert [line.id for line in audit.newest(connection, 2)] == [5, 4]
        assert audit.newest(connection, 9, before_id=2) == [
            AuditLine(1, 10, "worker", "settle", {"epoch": 1, "why": "due – naïve"})
        ]


def test_a_hold_is_in_force_until_it_is_released_once(state: State) -> None:
    with StateTransaction(state) as connection:
        first, second = holds.place(connection, "look at prices", 10), holds.place(connection, "audit", 11)
        holds.release(connection, first, 20)
        assert holds.active(connection) == [Hold(second, "audit", 11, None)]
        assert holds.all_holds(connection)[0] == Hold(first, "look at prices", 10, 20)
        for hold in (first, 99):
            with pytest.raises(Conflict, match=f"hold {hold} is not in force"):
                holds.release(connection, hold, 30)


def test_job_runs_count_runs_and_failures_in_a_row(state: State) -> None:
    with StateTransaction(state) as connection:
        for run in range(3):
            job_runs.started(connection, "index", run * 10)
            job_runs.failed(connection, "index", run * 10 + 1, f"no answer {run}")
        assert job_runs.all_runs(connection) == [JobRun("index", 20, 21, 3, 3, 3, "no answer 2")]
        job_runs.started(connection, "index", 40)
        assert job_runs.all_runs(connection) == [JobRun("index", 40, None, 4, 3, 3, "no answer 2")]
        job_runs.finished(connection, "index", 41)
        assert job_runs.all_runs(connection) == [JobRun("index", 40, 41, 4, 3, 0, "no answer 2")]
        for end in (
            lambda: job_runs.finished(connection, "back_up", 1),
            lambda: job_runs.failed(connection, "back_up", 1, "x"),
        ):
            with pytest.raises(NotFound, match="job back_up was never started"):
                end()


def test_people_read_addresses_dates_and_dollars(state: State, pool: Any) -> None:
    change = LiquidityChange(pool.address, 10, 3, 86_400 * 5 + 1, ALICE, -60, 60, 10**30, 1, 2, None, bytes(32))
    with StateTransaction(state) as connection:
        facts.insert(connection, pool.chain, {pool.address: pool.id}, [], [change], [])
        alice = providers.ids_of(connection, [ALICE])[ALICE]
        days.write(connection, pool.id, 19_975, "closed", None, 1, 1, {alice: (1_234_000_056, 7)})
        balances.replace(connection, pool.id, {alice: (2_000_000, 999_999)}, 10, 86_400 * 5)
        program_config.add(connection, ConfigVersion(1, "tBTC", 0, 604_800, (42161,), "{}", 1, 0))
        part = ParticipationRow(ALICE, 5, 6, "Tier 2", "1.2", "6")
        budget = BudgetRow("tBTC", 10**20, 0, 10**20, 0, 0)
        row = EpochRow(1, "computed", None, 1, 1, 5, (), 1)
        epochs.write(connection, row, [budget], [part], [RewardRow(1, "tBTC", ALICE, 10**20)])
        read = {
            view: [tuple(str(value) for value in line) for line in connection.exec_driver_sql(f"SELECT * FROM {view}")]
            for view in (
                "daily_balances_readable",
                "provider_balances_readable",
                "liquidity_changes_readable",
                "rewards_readable",
            )
        }
    place = ("chain-42161", pool.address)
    assert read == {
        "daily_balances_readable": [("2024-09-09", *place, ALICE, "1234.000056", "0.000007", "closed")],
        "provider_balances_readable": [(ALICE, *place, "2.000000", "0.999999", "10", "1970-01-06 00:00:00")],
        "liquidity_changes_readable": [
            (
                "1970-01-06 00:00:01",
                "chain-42161",
                "10",
                "3",
                pool.address,
                ALICE,
                "None",
                "-60",
                "60",
                str(10**30),
                "1",
                "2",
            )
        ],
        "rewards_readable": [("1", "computed", ALICE, "tBTC", str(10**20), "18", "6", "Tier 2", "1.2", "6")],
    }
