"""Commands: in order, exactly once, with their outcome kept; a wrong one holds up nothing."""

from typing import Any

import pytest

from loyalty.core.errors import Invalid, LoyaltyError
from loyalty.jobs.commands import Desk, ask, execute, execute_pending
from loyalty.state import StateTransaction, commands, holds
from tests.jobs.stage import NOW, Stage, at


def desk(stage: Stage) -> Desk:
    def settle(until: int | None) -> list[dict[str, Any]]:
        stage.accrue()
        return [each._asdict() for each in stage.settle(until)]

    return Desk(stage.state, stage.rules, settle, lambda: {"path": "copy.db"})


def outcome(stage: Stage, number: int) -> tuple[bool | None, Any]:
    with stage.state.read() as connection:
        command = commands.get(connection, number)
    return command.succeeded, command.result


def test_what_is_asked_is_done_in_order_and_its_result_is_kept(stage: Stage) -> None:
    stage.set_up(fixed="A").play("2d 01:00  seen")
    asked = [
        ask(stage.state, "hold", {"reason": "look first"}, "api:admin", NOW),
        ask(stage.state, "settle", {"until": 1}, "api:admin", NOW),
        ask(stage.state, "release", {}, "api:admin", NOW),
        ask(stage.state, "settle", {}, "cli:ops", NOW),
        ask(stage.state, "back up", {}, "cli:ops", NOW),
    ]
    assert execute_pending(desk(stage), NOW) == 5
    outcomes = [outcome(stage, number) for number in asked]
    assert [succeeded for succeeded, _ in outcomes] == [True] * 5
    assert [outcomes[place][1]["epochs"][0]["status"] for place in (1, 3)] == ["computed", "settled"]
    assert outcomes[4][1] == {"path": "copy.db"}
    assert execute_pending(desk(stage), NOW) == 0


def test_asking_and_doing_each_leave_an_audit_line(stage: Stage) -> None:
    stage.set_up()
    ask(stage.state, "hold", {"reason": "look first"}, "api:admin", NOW)
    execute_pending(desk(stage), NOW + 5)
    with stage.state.read() as connection:
        rows = connection.exec_driver_sql("SELECT time, actor, action FROM audit_log ORDER BY id").all()
    assert [tuple(row) for row in rows] == [(NOW, "api:admin", "ask hold"), (NOW + 5, "api:admin", "hold")]


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("hold", {"reason": "  "}, "needs a --reason"),
        ("hold", {}, "needs the argument 'reason' as a text"),
        ("release", {}, "no hold is placed"),
        ("backfill", {"chain": "lake", "action": "start"}, "the program has no chain 'lake': it has river"),
        ("backfill", {"chain": "river", "action": "pause"}, "no action 'pause': there are start and stop"),
        ("backfill", {"chain": "river", "action": "stop"}, "nothing of river is behind"),
        ("backfill", {"chain": "river", "action": "start", "from_block": 10**9}, "--from 1000000000 is above block"),
        ("settle", {"until": "two"}, "needs the argument 'until' as a whole number"),
        ("price set", {"token": "X"}, "the program has no token 'X': it has A, B, R, S"),
        ("price set", {"token": "B", "from": "now", "to": 5, "usd": "1", "reason": "x"}, "'from' as a whole number"),
        ("price set", {"token": "B", "from": 1, "to": 5, "usd": "1e3", "reason": "x"}, "not a plain decimal number"),
        ("mark paid", {"epoch": 1, "token": "R", "transaction": "0x12"}, "not a transaction hash"),
        ("mark paid", {"epoch": 1, "token": "B", "transaction": "0x12"}, "not a reward token: the program pays R"),
        ("mark paid", {"epoch": True, "token": "R", "transaction": "0x12"}, "'epoch' as a whole number"),
    ],
)
def test_a_wrong_command_keeps_its_error_and_holds_up_nothing(
    stage: Stage, kind: str, arguments: dict[str, Any], told: str
) -> None:
    stage.set_up(fixed="A")
    wrong = ask(stage.state, kind, arguments, "api:admin", NOW)
    right = ask(stage.state, "hold", {"reason": "look first"}, "api:admin", NOW)
    execute_pending(desk(stage), NOW)
    succeeded, result = outcome(stage, wrong)
    assert (succeeded, told in result["detail"]) == (False, True)
    assert outcome(stage, right)[0] is True
    with pytest.raises(LoyaltyError, match=told.replace("(", r"\(")):
        execute(desk(stage), kind, arguments, "ops", NOW) if kind != "release" else _release_twice(stage)


def _release_twice(stage: Stage) -> None:
    for _ in range(2):
        execute(desk(stage), "release", {}, "ops", NOW)


def test_a_failure_that_nobody_foresaw_holds_up_nothing_either(stage: Stage) -> None:
    stage.set_up()
    broken = desk(stage)._replace(back_up=lambda: dict[str, Any]()["gone"])
    wrong = ask(stage.state, "back up", {}, "ops", NOW)
    right = ask(stage.state, "hold", {"reason": "look first"}, "ops", NOW)
    execute_pending(broken, NOW)
    assert outcome(stage, wrong) == (False, {"error": "unexpected", "detail": "KeyError: 'gone'"})
    assert outcome(stage, right)[0] is True


def test_an_unknown_command_is_refused_before_it_is_asked(stage: Stage) -> None:
    stage.set_up()
    with pytest.raises(Invalid, match="no command 'dance': there are back up, backfill, hold, mark paid"):
        ask(stage.state, "dance", {}, "ops", NOW)


class Killed(BaseException):
    """What SIGKILL does to a transaction: it never ends."""


@pytest.mark.parametrize("kind", ["hold", "price set"])
def test_a_worker_killed_before_a_command_is_finished_has_not_done_it_and_the_next_does_it_once(
    stage: Stage, kind: str
) -> None:
    stage.set_up(fixed="A")
    price: dict[str, Any] = {"token": "B", "from": at("0d 01:00"), "to": at("0d 01:00"), "usd": "2", "reason": "down"}
    arguments: dict[str, Any] = {"hold": {"reason": "look first"}, "price set": price}[kind]
    number = ask(stage.state, kind, arguments, "ops", NOW)

    def dies(connection: object, result: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        execute(desk(stage), kind, arguments, "ops", NOW, dies)
    assert effects(stage) == (0, 0)
    execute_pending(desk(stage), NOW)
    assert outcome(stage, number)[0] is True
    assert sum(effects(stage)) == 1


def effects(stage: Stage) -> tuple[int, int]:
    with stage.state.read() as connection:
        statement = "SELECT count(*) FROM price_points WHERE source = 'operator'"
        return len(holds.active(connection)), int(connection.exec_driver_sql(statement).scalar_one())


def test_a_command_that_another_worker_has_finished_is_not_done_again(stage: Stage) -> None:
    stage.set_up()
    number = ask(stage.state, "hold", {"reason": "look first"}, "ops", NOW)
    with stage.state.read() as connection:
        (waiting,) = commands.pending(connection)
    with StateTransaction(stage.state) as connection:
        commands.finish(connection, number, succeeded=True, result={}, now=NOW)

    def finish(connection: Any, result: Any) -> None:
        commands.finish(connection, waiting.id, succeeded=True, result=result, now=NOW)

    with pytest.raises(LoyaltyError, match="is finished already: it is not executed twice"):
        execute(desk(stage), waiting.kind, waiting.arguments, "ops", NOW, finish)
    assert effects(stage) == (0, 0)
