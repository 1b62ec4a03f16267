"""The settings' database: opened, upgraded, and locked by whoever writes; and the wall clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from loyalty.config import Settings
from loyalty.core.errors import Invalid
from loyalty.state import open_state
from loyalty.state.engine import State
from loyalty.state.lock import WorkerLock
from loyalty.state.migrate import upgrade
from loyalty.state.version import check_version


def wall_clock() -> int:
    """Unix seconds now: the only clock, and only the edge looks at it."""
    return int(time.time())


def open_database(settings: Settings, *, create: bool = True, migrate: bool = True) -> State:
    """The settings' database, upgraded to this release where `migrate` allows it; a newer one is refused."""
    state = open_state(settings.database, create=create)
    try:
        if migrate:
            upgrade(state)
        check_version(state)
    except BaseException:
        state.close()
        raise
    return state


def database_path(settings: Settings) -> Path | None:
    """The file of an SQLite database, given as a path or as a URL; None for PostgreSQL."""
    if "://" not in settings.database:
        return Path(settings.database)
    try:
        url = make_url(settings.database)
    except ArgumentError:
        raise Invalid("LOYALTY_DATABASE is neither a path nor a database URL such as postgresql://host/name") from None
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


@contextmanager
def database_lock(settings: Settings) -> Iterator[None]:
    """Nobody else writes while this is held; Conflict, naming the worker, where one does already.

    PostgreSQL serializes writers by itself.
    """
    if (path := database_path(settings)) is None:
        yield
        return
    with WorkerLock(path, wall_clock()):
        yield
