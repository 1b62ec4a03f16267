"""What a command starts with: settings read, logging set, and, for commands that write, the worker lock."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from loyalty.cli.output import configure_logging
from loyalty.config import Settings, load_program, load_settings
from loyalty.core.errors import Conflict, Invalid
from loyalty.jobs.commands import ask
from loyalty.service import Engine, database_lock, open_database, wall_clock
from loyalty.state.engine import State

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
    """An engine that may write: it holds the worker lock, and only then looks at the database.

    Raises Conflict, naming the worker, where one holds it already; a wrong program file is told before that.
    """
    settings = settings or start()
    load_program(settings.program_path, settings)
    with database_lock(settings), Engine.open(settings) as engine:
        if prepared:
            engine.prepare()
        yield engine


def carry_out(kind: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Carry a command out here, or leave it for the worker that holds the database; says which, with the result."""
    settings = start()
    load_program(settings.program_path, settings)
    _check_texts(arguments)
    with ExitStack() as held:
        try:
            held.enter_context(database_lock(settings))
        except Conflict:  # a worker holds the database: it is the one to do it
            state = held.enter_context(open_database(settings, create=False, migrate=False))
            return "asked", {"command": ask(state, kind, arguments, ACTOR, wall_clock())}
        engine = held.enter_context(Engine.open(settings, create=False))
        engine.bind()
        return "done", engine.execute(kind, arguments, ACTOR)


def _check_texts(arguments: dict[str, Any]) -> None:
    """They stand in the audit log and are shown to everyone: a terminal's stray bytes must not."""
    for name, value in arguments.items():
        if isinstance(value, str) and not value.isprintable():
            raise Invalid(f"--{name} has characters that cannot be printed: write it on one line, in UTF-8")
