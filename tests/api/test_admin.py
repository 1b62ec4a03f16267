"""Commands: left by who has the key, carried out by the worker, asked for by their number."""

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from loyalty.api import create_app
from loyalty.config import Settings
from loyalty.jobs.commands import Desk, execute_pending
from loyalty.state import audit, open_state
from tests.api.client import Client
from tests.reports.small_program import NOW, RULES, START

COMMANDS = "/api/v1/admin/commands"


def post(client: Client, headers: dict[str, str], kind: str, **arguments: Any) -> httpx.Response:
    return client.ask("POST", COMMANDS, json={"kind": kind, "arguments": arguments}, headers=headers)


def carry_out(database: Path) -> None:
    with open_state(database) as state:
        execute_pending(Desk(state, RULES, lambda until: [], dict), NOW + 20)


def test_a_command_is_left_carried_out_and_told(client: Client, admin: dict[str, str], database: Path) -> None:
    answer = post(client, admin, "hold", reason="a price is being checked")
    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["finished"], asked["succeeded"], asked["requested_by"]) == (None, None, "api")
    assert client.json("status")["pending_commands"] == 1
    carry_out(database)
    told = client.get(f"{COMMANDS}/{asked['id']}", headers=admin).json()
    assert (told["succeeded"], told["finished"]) == (True, "2026-04-23T12:00:20Z")
    assert [each["reason"] for each in client.json("status")["holds"]] == ["a price is being checked"]


def test_a_command_that_fails_keeps_its_error(client: Client, admin: dict[str, str], database: Path) -> None:
    number = post(client, admin, "mark paid", epoch=4, token="ARB", transaction="0x" + "a" * 64).json()["id"]
    carry_out(database)
    told = client.get(f"{COMMANDS}/{number}", headers=admin).json()
    assert told["succeeded"] is False
    assert "epoch 4 is provisional, not settled" in told["result"]["detail"]


def test_times_and_numbers_are_taken_as_people_write_them(client: Client, admin: dict[str, str]) -> None:
    arguments = {"token": "USDA", "from": "2026-04-20", "to": "2026-04-20T01:00:00Z", "usd": "1.01", "reason": "late"}
    told = post(client, admin, "price set", **arguments).json()
    assert told["arguments"] == {"token": "USDA", "from": START, "to": START + 3600, "usd": "1.01", "reason": "late"}
    assert post(client, admin, "settle", until="3").json()["arguments"] == {"until": 3}
    corrected = post(client, admin, "price set", **arguments, correct="true").json()
    assert corrected["arguments"]["correct"] is True


def test_asking_is_in_the_audit_log(client: Client, admin: dict[str, str], database: Path) -> None:
    post(client, admin, "release")
    with open_state(database) as state, state.read() as connection:
        line = audit.newest(connection, 1)[0]
    assert (line.actor, line.action, line.time) == ("api", "ask release", NOW + 10)


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("drop", {}, "there is no command 'drop': there are back up, backfill, hold"),
        ("hold", {}, "'hold' needs the argument 'reason'"),
        ("backfill", {"chain": "small"}, "'backfill' needs the argument 'action'"),
        ("backfill", {"chain": "small", "action": "start", "from_block": "1e6"}, "expected a block's number"),
        ("backfill", {"chain": "small", "action": "start", "from_block": -1}, "expected a block's number"),
        ("hold", {"reason": " "}, "reason is empty"),
        ("hold", {"reason": "x", "force": 1}, "'hold' has no argument 'force'"),
        ("settle", {"until": "soon"}, "until is 'soon': expected an epoch's number"),
        (
            "price set",
            {"token": "USDA", "from": "x", "to": "2026-04-20", "usd": "1", "reason": "r"},
            "'x' is not a time",
        ),
        ("price set", {"token": "A", "from": 1, "to": 2, "usd": "1e9", "reason": "r"}, "'1e9' is not a plain decimal"),
        (
            "price set",
            {"token": "A", "from": 1, "to": 2, "usd": "1", "reason": "r", "correct": "maybe"},
            "correct is 'maybe': expected true or false",
        ),
    ],
)
def test_a_wrong_command_is_refused_before_it_is_left(
    client: Client, admin: dict[str, str], kind: str, arguments: dict[str, Any], told: str
) -> None:
    answer = post(client, admin, kind, **arguments)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert client.json("status")["pending_commands"] == 0


def test_unknown_keys_of_the_body_are_refused_by_name(client: Client, admin: dict[str, str]) -> None:
    answer = client.ask("POST", COMMANDS, json={"kind": "hold", "args": {}}, headers=admin)
    assert (answer.status_code, answer.json()["faults"]) == (422, ["args: Extra inputs are not permitted"])


def test_a_body_that_is_no_json_is_refused(client: Client, admin: dict[str, str]) -> None:
    answer = client.ask("POST", COMMANDS, content=b"{", headers={**admin, "Content-Type": "application/json"})
    assert answer.status_code == 422


def test_without_the_key_nothing_is_left(client: Client, admin: dict[str, str]) -> None:
    missing = post(client, {}, "release")
    assert (missing.status_code, "X-Admin-Key" in missing.headers["www-authenticate"]) == (401, True)
    assert post(client, {"X-Admin-Key": admin["X-Admin-Key"] + "x"}, "release").status_code == 403
    assert client.get(f"{COMMANDS}/1").status_code == 401
    assert client.json("status")["pending_commands"] == 0


def test_a_command_that_does_not_exist_is_not_found(client: Client, admin: dict[str, str]) -> None:
    assert client.get(f"{COMMANDS}/77", headers=admin).status_code == 404


def test_an_installation_without_a_key_has_no_admin(settings: Settings, admin: dict[str, str]) -> None:
    with Client(create_app(settings.model_copy(update={"admin_key": None}))) as client:
        answer = post(client, admin, "release")
    assert answer.status_code == 503
    assert "LOYALTY_ADMIN_KEY" in answer.json()["detail"]


def test_the_key_is_nowhere_in_the_log(client: Client, admin: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(client, admin, "release")
        post(client, {"X-Admin-Key": "wrong-key"}, "release")
    assert admin["X-Admin-Key"] not in caplog.text
    assert "wrong-key" not in caplog.text
