"""A step: events, what follows from them and the cursor are committed together, or not at all."""

import sqlite3
from contextlib import ExitStack
from types import TracebackType

from sqlalchemy import Connection

from loyalty.state.engine import BUSY_SECONDS, State

_WRITER_LOCK = 0x6C6F79616C7479
"""PostgreSQL: the advisory lock of whoever writes ("loyalty" in ASCII)."""


class StateTransaction:
    """`with StateTransaction(state) as connection:` commits at the end and takes everything back at an exception.

    One writer at a time, in all processes: the lock is taken at the start. With `durable` the commit survives a power
    failure (settlements, prices, commands, audit lines); without it the last commits may be lost then, never torn.
    Conflict where the thread is inside one already; Unavailable where another writer stays, or the disk is full.
    """

    def __init__(self, state: State, durable: bool = False) -> None:
        self._state = state
        self._durable = durable
        self._open = ExitStack()

    def __enter__(self) -> Connection:
        with ExitStack() as opening:
            connection = opening.enter_context(self._state.writing())
            _set_durability(connection, self._state.is_sqlite, self._durable)
            opening.enter_context(connection.begin())
            if not self._state.is_sqlite:
                _lock_postgresql(connection, self._durable)
            self._open = opening.pop_all()
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, traceback)


def _set_durability(connection: Connection, is_sqlite: bool, durable: bool) -> None:
    """SQLite takes it only outside of a transaction, so past SQLAlchemy, which would begin one."""
    driver = connection.connection.driver_connection
    if is_sqlite and isinstance(driver, sqlite3.Connection):
        driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")


def _lock_postgresql(connection: Connection, durable: bool) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
    connection.exec_driver_sql(f"SET LOCAL synchronous_commit = {'on' if durable else 'off'}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
