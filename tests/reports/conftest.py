"""Fixtures: the small program, made once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.reports.snapshot import Snapshot
from loyalty.state import State, open_state
from tests.reports.small_program import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small") / "small.db")


@pytest.fixture
def state(built: Path, tmp_path: Path) -> Iterator[State]:
    """The small program's database, of the test's own."""
    with open_state(shutil.copy(built, tmp_path / "loyalty.db")) as state:
        yield state


@pytest.fixture
def snapshot(state: State) -> Iterator[Snapshot]:
    with state.read() as connection:
        yield Snapshot.of(connection)
