"""Fixtures: the real `loyalty` command on the recorded demo chain, three weeks and two days into its program."""

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from loyalty.cli import main

CHECKOUT = Path(__file__).resolve().parents[2]
RECORDING = CHECKOUT / "loyalty" / "demo" / "recording.jsonl.gz"
DEMO = CHECKOUT / "programs" / "demo-one-chain.toml"


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Loyalty = Callable[..., Ended]


def environment(folder: Path, program: Path = DEMO) -> dict[str, str]:
    """The demo in `folder`; its chain's clock stands at day 23 of the program, where epochs 1 to 3 are due."""
    return {
        "LOYALTY_PROGRAM": str(program),
        "LOYALTY_DATABASE": str(folder / "demo.db"),
        "LOYALTY_BACKUP_FOLDER": str(folder / "backups"),
        "LOYALTY_RPC_DEMO": f"file:{RECORDING}?from=2026-05-13T00:00:00Z",
        "LOYALTY_LOG_LEVEL": "warning",
    }


def run_main(arguments: tuple[str, ...], values: dict[str, str], folder: Path) -> int:
    """`loyalty` with these arguments, in this process; its exit code."""
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith("LOYALTY_")]:
            patched.delenv(name)
        for name, value in values.items():
            patched.setenv(name, value)
        patched.setattr(sys, "argv", ["loyalty", *arguments])
        patched.chdir(folder)
        try:
            main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    """The command sets the levels of its process, which is the tests' own here."""
    root, own = logging.getLogger(), logging.getLogger("loyalty")
    before = root.level, own.level, root.handlers[:]
    yield
    root.level, own.level, root.handlers[:] = before


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo indexed and accrued, nothing settled."""
    folder = tmp_path_factory.mktemp("indexed")
    assert run_main(("index",), environment(folder), folder) == 0
    return folder


@pytest.fixture(scope="session")
def settled(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's epochs 1 to 3 settled."""
    folder = tmp_path_factory.mktemp("settled")
    shutil.copy(indexed / "demo.db", folder / "demo.db")
    assert run_main(("settle",), environment(folder), folder) == 0
    return folder


@pytest.fixture
def loyalty(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Loyalty:
    """`loyalty("settle", "--json")` in a folder of the test's own; keywords are environment variables."""

    def run(*arguments: str, **variables: str) -> Ended:
        capfd.readouterr()
        code = run_main(arguments, environment(tmp_path) | variables, tmp_path)
        return Ended(code, *capfd.readouterr())

    return run


@pytest.fixture
def on_indexed(indexed: Path, tmp_path: Path, loyalty: Loyalty) -> Loyalty:
    """The command on a copy of the indexed demo."""
    shutil.copy(indexed / "demo.db", tmp_path / "demo.db")
    return loyalty


@pytest.fixture
def on_settled(settled: Path, tmp_path: Path, loyalty: Loyalty) -> Loyalty:
    """The command on a copy of the settled demo."""
    shutil.copy(settled / "demo.db", tmp_path / "demo.db")
    return loyalty


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Writes the demo's program file with texts exchanged; its path."""

    def write(*exchanges: tuple[str, str]) -> str:
        text = DEMO.read_text(encoding="utf-8")
        for before, after in exchanges:
            assert before in text
            text = text.replace(before, after)
        for prices in DEMO.parent.glob("demo-prices-*.csv"):
            shutil.copy(prices, tmp_path / prices.name)
        path = tmp_path / "program.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write
