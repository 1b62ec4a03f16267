"""What a command starts with: settings read, logging set, and, for commands that write, the worker lock."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loyalty.cli.output import configure_logging
from loyalty.config import Settings, load_settings
from loyalty.core.errors import Conflict
from loyalty.jobs.commands import ask
from loyalty.service import Engine, open_database, wall_clock
from loyalty.state.engine import State
from loyalty.state.lock import WorkerLock

ACTOR = f"cli:{os.environ.get('USER') or os.environ.get('LOGNAME') or 'operator'}"
"""Who stands in the audit log."""


def start() -> Settings:
    """The settings, with logging as they say."""
    settings = load_settings()
    configure_logging(settings)
    return settings


@contextmanager
def reading(settings: Settings | None = None) -> Iterator[State]:
    """The database for commands that only read; it must exist and be of this release's schema."""
    with open_database(settings or start(), create=False, migrate=False) as state:
        yield state


@contextmanager
def writing(settings: Settings | None = None, *, prepared: bool = True) -> Iterator[Engine]:
    """An engine that may write: it holds the worker lock. Raises Conflict, naming the worker, where one does already."""
    settings = settings or start()
    with Engine.open(settings) as engine, engine.lock():
        if prepared:
            engine.prepare()
        yield engine


def carry_out(kind: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Carry a command out here, or leave it for the worker that holds the database; says which, with the result."""
    settings = start()
    try:
        with writing(settings) as engine:
            return "done", engine.execute(kind, arguments, ACTOR)
    except Conflict as conflict:
        if not isinstance(conflict.__cause__, BlockingIOError) and "in use by worker" not in str(conflict):
            raise
    with open_database(settings, create=False, migrate=False) as state:
        number = ask(state, kind, arguments, ACTOR, wall_clock())
    return "asked", {"command": number}
