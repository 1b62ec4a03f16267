"""The command line on the recorded demo chain: what each command prints, and its exit code."""

import csv
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from loyalty.cli import app
from loyalty.core.times import parse_time
from loyalty.state.lock import WorkerLock

Loyalty = Callable[..., Any]
TRANSACTION = "0x" + "ab" * 32


def commands(group: Any, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group by its words."""
    found = [words]
    for name, each in getattr(group, "commands", {}).items():
        found += commands(each, (*words, name))
    return found


@pytest.mark.parametrize("words", commands(typer.main.get_command(app)), ids=" ".join)
def test_every_command_has_help(loyalty: Loyalty, words: tuple[str, ...]) -> None:
    ended = loyalty(*words, "--help")
    assert (ended.code, "Usage:" in ended.out, ended.err) == (0, True, "")


def test_python_m_loyalty_is_the_same_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loyalty", "--help"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "settle" in ended.stdout


# index, settle, verify ----------------------------------------------------------------------------------------------


def test_index_leaves_due_epochs_to_settle_which_closes_them_and_is_then_done(on_indexed: Loyalty) -> None:
    first = json.loads(on_indexed("settle", "--json").out)["epochs"]
    assert [(each["number"], each["status"]) for each in first] == [
        (1, "settled"),
        (2, "settled"),
        (3, "settled"),
        (4, "provisional"),
    ]
    again = on_indexed("settle")
    assert again.code == 0
    assert "4      provisional" in again.out


def test_indexing_again_changes_nothing(on_settled: Loyalty) -> None:
    before = on_settled("verify", "--json").out
    assert on_settled("index").code == 0
    after = on_settled("verify", "--json").out
    assert json.loads(after) == json.loads(before)
    assert json.loads(after)["faults"] == []


def test_indexing_in_parts_gives_the_same_digests(loyalty: Loyalty, settled: Path) -> None:
    for until in ("4000", "9000", "head"):
        assert loyalty("index", "--until", until).code == 0
    loyalty("settle")
    parts = json.loads(loyalty("verify", "--json").out)
    whole = json.loads(loyalty("verify", "--json", LOYALTY_DATABASE=str(settled / "demo.db")).out)
    assert parts["digests"] == whole["digests"]
    assert len(parts["digests"]) == 3


def test_settle_up_to_an_epoch_exits_with_0_though_later_ones_are_due(on_indexed: Loyalty) -> None:
    ended = on_indexed("settle", "--until", "2", "--json")
    statuses = [each["status"] for each in json.loads(ended.out)["epochs"]]
    assert (ended.code, statuses) == (0, ["settled", "settled", "computed", "provisional"])


def test_a_hold_makes_settle_exit_with_1_and_the_reason_until_it_is_released(on_indexed: Loyalty) -> None:
    assert on_indexed("hold", "--reason", "look at week 2").code == 0
    blocked = on_indexed("settle", "--json")
    assert blocked.code == 1
    assert json.loads(blocked.out)["epochs"][0]["reasons"] == ["on hold: look at week 2"]
    assert on_indexed("release").out == "Released.\n"
    assert on_indexed("settle").code == 0
    nothing = on_indexed("release")
    assert (nothing.code, nothing.err) == (1, "loyalty: no hold is placed: there is nothing to release\n")


def test_verify_names_what_was_altered_and_exits_with_1(on_settled: Loyalty, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "demo.db", isolation_level=None)) as connection:
        connection.execute("UPDATE rewards SET units = '1' WHERE epoch = 2")
    ended = on_settled("verify")
    assert ended.code == 1
    assert "DIFFERS: epoch 2: 0x" in ended.out


@pytest.mark.parametrize(("until", "told"), [("soon", "neither a block number nor head"), ("-1", "neither a block")])
def test_a_wrong_block_is_wrong_use(loyalty: Loyalty, until: str, told: str) -> None:
    ended = loyalty("index", f"--until={until}")
    assert (ended.code, told in ended.err) == (2, True)


def test_an_unknown_chain_is_wrong_use_and_the_known_ones_are_told(on_indexed: Loyalty) -> None:
    ended = on_indexed("index", "--chain", "mars")
    assert (ended.code, ended.err) == (2, "loyalty: the program has no chain 'mars': it has demo\n")


# export, pay --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("token", "total"), [("LOYAL", 10_000 * 10**18), ("USDC", None)])
def test_an_export_adds_up_in_both_formats_and_tells_the_digest(
    on_settled: Loyalty, token: str, total: int | None
) -> None:
    arguments = ("export", "--epoch", "2", "--token", token)
    told = json.loads(on_settled(*arguments, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(on_settled(*arguments).out)))
    units = sum(int(row["amount_units"]) for row in told["rewards"])
    assert units == sum(int(row["amount_units"]) for row in rows) == int(told["total_units"])
    assert total in (None, units)
    digests = {each["epoch"]: each["digest"] for each in json.loads(on_settled("verify", "--json").out)["digests"]}
    assert told["digest"] == digests[2]


def test_an_epoch_that_is_not_settled_is_not_exported(on_settled: Loyalty) -> None:
    ended = on_settled("export", "--epoch", "4", "--token", "LOYAL")
    assert (ended.code, "epoch 4 is provisional, not settled" in ended.err) == (1, True)


def test_an_epoch_is_marked_paid_once(on_settled: Loyalty) -> None:
    arguments = ("pay", "--epoch", "1", "--token", "LOYAL", "--transaction", TRANSACTION)
    first = on_settled(*arguments)
    assert (first.code, first.out.startswith(f"Epoch 1 is paid: {10_000 * 10**18} units of LOYAL to ")) == (0, True)
    again = on_settled(*arguments)
    assert (again.code, again.err) == (1, f"loyalty: epoch 1 is paid in LOYAL already, by {TRANSACTION}\n")


def test_what_is_no_transaction_is_wrong_use(on_settled: Loyalty) -> None:
    ended = on_settled("pay", "--epoch", "1", "--token", "LOYAL", "--transaction", "0x12")
    assert (ended.code, "is not a transaction hash" in ended.err) == (2, True)


# price set ----------------------------------------------------------------------------------------------------------


def test_a_price_that_a_settled_epoch_has_used_is_not_set(on_settled: Loyalty) -> None:
    span = ("--from", "2026-04-21T00:00:00Z", "--to", "2026-04-21T05:00:00Z")
    ended = on_settled("price", "set", "WETH", *span, "--usd", "1", "--reason", "test")
    assert (ended.code, "every moment from 2026-04-21T00:00:00Z" in ended.err) == (1, True)


def test_a_price_that_a_settled_epoch_has_used_is_not_corrected(on_settled: Loyalty) -> None:
    span = ("--from", "2026-04-21T00:00:00Z", "--to", "2026-04-21T02:00:00Z")
    ended = on_settled("price", "set", "WETH", *span, "--usd", "1", "--reason", "test", "--correct")
    assert (ended.code, "epoch 1 is settled and has used the price of WETH of" in ended.err) == (1, True)


def test_stored_prices_are_shown_with_versions_and_sources(on_settled: Loyalty) -> None:
    span = ("--from", "2026-04-21T00:00:00Z", "--to", "2026-04-21T02:00:00Z")
    shown = json.loads(on_settled("price", "show", "WETH", *span, "--json").out)
    assert (shown["token"], len(shown["points"]), shown["refusals"]) == ("WETH", 3, [])
    assert {(each["version"], each["in_force"], each["reason"]) for each in shown["points"]} == {(1, True, None)}
    text = on_settled("price", "show", "WETH", *span)
    assert text.code == 0
    assert text.out.splitlines()[0].split() == ["time", "version", "usd", "source", "asked", "reason"]
    unknown = on_settled("price", "show", "WBTH", *span)
    assert (unknown.code, "the program has no token 'WBTH'" in unknown.err) == (1, True)


def test_the_operator_unblocks_an_epoch_whose_prices_are_missing(
    loyalty: Loyalty, program: Any, tmp_path: Path
) -> None:
    wrong = program()
    prices = tmp_path / "demo-prices-weth.csv"
    first, last = parse_time("2026-04-22T03:00:00Z"), parse_time("2026-04-22T09:00:00Z")
    lines = prices.read_text().splitlines()
    prices.write_text("\n".join([lines[0], *(line for line in lines[1:] if not first <= time_of(line) <= last)]) + "\n")
    assert loyalty("index", LOYALTY_PROGRAM=wrong).code == 0
    blocked = loyalty("settle", LOYALTY_PROGRAM=wrong)
    assert blocked.code == 1
    assert "WETH: no valid price from" in " ".join(blocked.out.split())
    span = ("--from", "2026-04-22T00:00:00Z", "--to", "2026-04-22T23:59:59Z")
    done = loyalty(
        "price", "set", "WETH", *span, "--usd", "2500", "--reason", "the file has a hole", LOYALTY_PROGRAM=wrong
    )
    assert (done.code, done.out) == (0, "6 price points of WETH stored.\n")
    assert loyalty("settle", LOYALTY_PROGRAM=wrong).code == 0
    assert loyalty("verify", LOYALTY_PROGRAM=wrong).code == 0


def time_of(line: str) -> int:
    return parse_time(line.split(",")[0])


# config -------------------------------------------------------------------------------------------------------------


def test_config_shows_everything_but_no_key_of_an_endpoint(loyalty: Loyalty) -> None:
    secret = "https://user:hidden-word@rpc.example.org/v2/0123456789abcdef0123456789abcdef"
    ended = loyalty("config", LOYALTY_RPC_DEMO=secret, LOYALTY_ADMIN_KEY="hidden-word")
    assert ended.code == 0
    assert "rpc.example.org" in ended.out
    assert "hidden-word" not in ended.out + ended.err
    assert "0123456789abcdef" not in ended.out + ended.err
    assert json.loads(ended.out)["environment"]["admin_key"] == "set"


def test_config_diff_shows_a_changed_rule_and_from_which_epoch_it_holds(on_settled: Loyalty, program: Any) -> None:
    assert on_settled("config", "diff").out == "Nothing changes.\n"
    changed = program(('minimum_usd = "10" ', 'minimum_usd = "25" '))
    ended = on_settled("config", "diff", "--json", LOYALTY_PROGRAM=changed)
    assert (ended.code, json.loads(ended.out)) == (
        0,
        [{"key": "program.minimum_usd", "before": "10", "after": "25", "effective_from_epoch": 4}],
    )


def test_an_edit_that_would_touch_a_settled_epoch_is_refused_everywhere(on_settled: Loyalty, program: Any) -> None:
    changed = program(('total = "300000"', 'total = "600000"'))
    for arguments in (("config", "diff"), ("index",), ("settle",)):
        ended = on_settled(*arguments, LOYALTY_PROGRAM=changed)
        assert (ended.code, "epoch 1 is settled with a budget of 10000" in ended.err) == (1, True)
    assert on_settled("verify").code == 0


def test_a_changed_rule_becomes_a_version_and_the_settled_epochs_still_verify(
    on_settled: Loyalty, program: Any
) -> None:
    changed = program(('minimum_usd = "10" ', 'minimum_usd = "25" '), ('max_age = "2h"', 'max_age = "3h"'))
    assert on_settled("index", LOYALTY_PROGRAM=changed).code == 0
    assert on_settled("config", "diff", LOYALTY_PROGRAM=changed).out == "Nothing changes.\n"
    assert on_settled("verify").code == 0


def test_another_programs_file_is_refused_and_changes_nothing(
    on_settled: Loyalty, program: Any, tmp_path: Path
) -> None:
    other = program(('name = "Demo: WETH/USDC and LOYAL/WETH"', 'name = "Another"'))
    before = hashlib.sha256((tmp_path / "demo.db").read_bytes()).digest()
    ended = on_settled("index", LOYALTY_PROGRAM=other)
    assert (ended.code, "that is a different program" in ended.err) == (1, True)
    assert hashlib.sha256((tmp_path / "demo.db").read_bytes()).digest() == before


# Wrong use ----------------------------------------------------------------------------------------------------------


def test_a_wrong_program_file_is_refused_with_all_its_faults_and_no_database_is_made(
    loyalty: Loyalty, program: Any, tmp_path: Path
) -> None:
    wrong = program(
        ('epoch = "7d"', 'epoch = "7 moons"'), ("decimals = 6", "decimals = -6"), ('weight = "1"', 'wait = "1"')
    )
    for command in ("index", "settle", "worker"):
        ended = loyalty(command, LOYALTY_PROGRAM=wrong)
        assert ended.code == 2
        assert all(place in ended.err for place in ("program.epoch", "decimals", "wait"))
    assert not list(tmp_path.glob("demo.db*"))


@pytest.mark.parametrize("command", ["index", "worker", "settle", "config"])
def test_without_a_program_file_it_says_which_variable_to_set(loyalty: Loyalty, command: str) -> None:
    ended = loyalty(command, LOYALTY_PROGRAM="")
    assert (ended.code, "set LOYALTY_PROGRAM to its path" in ended.err) == (2, True)


def test_an_unknown_variable_is_wrong_use(loyalty: Loyalty) -> None:
    ended = loyalty("config", LOYALTY_DATABSE="x.db")
    assert (ended.code, "LOYALTY_DATABASE" in ended.err) == (2, True)


@pytest.mark.parametrize("command", [("verify",), ("db", "check"), ("status",), ("settle",)])
def test_without_a_database_it_says_how_to_make_one(loyalty: Loyalty, command: tuple[str, ...], tmp_path: Path) -> None:
    ended = loyalty(*command)
    assert (ended.code, "loyalty db upgrade" in ended.err) == (1, True)
    assert not (tmp_path / "demo.db").exists()


# A worker holds the database ----------------------------------------------------------------------------------------


def test_while_a_worker_holds_the_database_writing_is_refused_and_commands_are_left_for_it(
    on_settled: Loyalty, tmp_path: Path
) -> None:
    with WorkerLock(tmp_path / "demo.db", 1_777_000_000):
        for command in ("index", "worker"):
            ended = on_settled(command)
            assert (ended.code, f"is in use by worker pid {os.getpid()}" in ended.err) == (1, True)
        asked = on_settled("hold", "--reason", "look")
        assert (asked.code, asked.out) == (0, "Left for the worker as command 1.\n")
        assert on_settled("verify").code == 0


def test_commands_need_no_endpoint(on_settled: Loyalty) -> None:
    """A hold or a payment is put down though the chain does not answer."""
    nowhere = {"LOYALTY_RPC_DEMO": "http://127.0.0.1:9"}
    assert on_settled("hold", "--reason", "the endpoint is down", **nowhere).code == 0
    paid = on_settled("pay", "--epoch", "1", "--token", "LOYAL", "--transaction", TRANSACTION, **nowhere)
    assert paid.code == 0
