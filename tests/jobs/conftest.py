"""Fixtures: an empty program of two pools in a migrated database of the test's own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loyalty.state import State, open_state
from loyalty.state.migrate import upgrade
from tests.jobs.stage import Stage


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database of this release's schema version."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    with open_state(path) as state:
        upgrade(state)
    return path


@pytest.fixture
def new_state(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], State]]:
    """Makes migrated databases, as many as a test asks for."""
    with ExitStack() as opened:

        def new() -> State:
            folder = tmp_path_factory.mktemp("state")
            return opened.enter_context(open_state(Path(shutil.copy(migrated, folder / "loyalty.db"))))

        yield new


@pytest.fixture
def state(new_state: Callable[[], State]) -> State:
    return new_state()


@pytest.fixture
def stage(state: State) -> Stage:
    """A program of three epochs of two days; `set_up` stores it."""
    return Stage(state)
