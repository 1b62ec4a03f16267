"""`loyalty status`, `provider`, `explain`: text for people, and with --json what the API answers."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from loyalty.cli import app
from loyalty.core.errors import Invalid, NotFound
from tests.reports.small_program import ALICE, BOB, CAROL, STRANGER, TREASURY


@pytest.fixture
def run(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Runs a command on the small program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOYALTY_DATABASE", str(shutil.copy(built, tmp_path / "loyalty.db")))

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_status_tells_chains_jobs_and_epochs(run) -> None:  # type: ignore[no-untyped-def]
    told = run("status").stdout
    assert "Small <program>: running, as of 2026-04-23T12:00:00Z" in told
    assert "settled epochs: 3, commands waiting: 0" in told
    assert "small" in told
    assert "86" in told


def test_a_provider_is_told_in_a_few_lines(run) -> None:  # type: ignore[no-untyped-def]
    told = run("provider", BOB).stdout
    assert "balance 2999.999999 USD, 2999.999999 in range (provisional)" in told
    assert "tier Tier 2, multiplier 2, participation epoch 4" in told
    assert "excluded: the treasury" in run("provider", TREASURY).stdout
    assert "in no tier" in run("provider", ALICE).stdout


def test_an_explanation_is_text_down_to_the_log(run) -> None:  # type: ignore[no-untyped-def]
    told = run("explain", CAROL, "--epoch", "2").stdout
    assert "reward 6.666666657777777772 ARB = 6666666657777777772 units" in told
    assert "by block 38 log 0" in told


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("status",), "status"),
        (("provider", BOB), f"providers/{BOB}"),
        (("explain", CAROL, "--epoch", "2"), f"providers/{CAROL}/explain?epoch=2"),
    ],
)
def test_json_is_what_the_api_answers(run, built: Path, arguments: tuple[str, ...], path: str) -> None:  # type: ignore[no-untyped-def]
    from loyalty.api import create_app
    from loyalty.config import Settings
    from tests.api.client import Client

    with Client(create_app(Settings(database=str(built)))) as client:
        answer = client.json(path)
    assert json.loads(run(*arguments, "--json").stdout) == answer


def test_wrong_questions_are_told_as_such(run) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Invalid, match="is not an address"):
        run("provider", "0x12")
    with pytest.raises(NotFound, match="has never had liquidity"):
        run("provider", STRANGER)
    with pytest.raises(NotFound, match="epoch 9 does not exist"):
        run("explain", BOB, "--epoch", "9")
    assert run("explain", BOB).exit_code == 2
