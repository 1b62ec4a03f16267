"""The open database: one connection that writes, a small pool of connections that read.

SQLite runs in WAL mode: readers see the last commit and never wait, one writer at a time. The driver's own notion of
transactions is switched off; every transaction is begun here, so that a writer takes its lock at once (BEGIN
IMMEDIATE) and a reader keeps one snapshot (BEGIN). The settings are measured in docs/decisions.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, QueuePool, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from loyalty.core.errors import Conflict, Invalid, NotFound, Unavailable
from loyalty.state.failures import DATABASE_NAME, translate

BUSY_SECONDS = 30
"""How long a writer waits for another one. A step's transaction takes well under a second."""
READERS_KEPT = 4
READERS_MOST = 40
"""FastAPI answers on up to 40 threads; a connection beyond the kept ones is closed after use."""
JOURNAL_LIMIT_BYTES = 64 * 2**20


class State:
    """An open database. Readers and the writer are connections of their own: what is read is committed."""

    def __init__(self, name: str, path: Path | None, reader: Engine, writer: Engine | None) -> None:
        self.name = name
        self.path = path
        self._reader = reader
        self._writer = writer
        self._writing = threading.local()
        self._watcher: PoolProxiedConnection | None = None
        self._watcher_lock = threading.Lock()

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_sqlite(self) -> bool:
        return self._reader.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one committed state throughout, whatever is written meanwhile, and cannot write."""
        with self._connect(self._reader) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one writing connection, outside of any transaction; for StateTransaction.

        Conflict where this thread has it already, Unavailable where another keeps it for BUSY_SECONDS.
        """
        if self._writer is None:
            raise Conflict(f"{self.name} is opened for reading only")
        if getattr(self._writing, "claimed", False):
            raise Conflict(f"{self.name}: this thread is inside a StateTransaction already; a step is one transaction")
        self._writing.claimed = True
        try:
            with self._connect(self._writer) as connection:
                yield connection
        finally:
            self._writing.claimed = False

    def data_version(self) -> int:
        """A number that changes whenever anything was committed, by any process. Cheap enough to ask each second."""
        with self._watcher_lock:
            if self._watcher is None:
                self._watcher = self._reader.raw_connection()  # within a transaction it would never change
            return _data_version(self._watcher, self.is_sqlite)

    def close(self) -> None:
        """Close all connections; the last one out folds the write-ahead log into the file."""
        with self._watcher_lock:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._reader.dispose()
        if self._writer is not None:
            self._writer.dispose()

    def _connect(self, engine: Engine) -> Connection:
        try:
            return engine.connect()
        except PoolTimeout:
            raise Unavailable(f"{self.name}: no connection became free within {BUSY_SECONDS} seconds") from None


def _data_version(watcher: PoolProxiedConnection, is_sqlite: bool) -> int:
    cursor = watcher.cursor()
    cursor.execute("PRAGMA data_version" if is_sqlite else "SELECT pg_current_snapshot()::text")
    (row,) = cursor.fetchall()
    watcher.rollback()
    return int(row[0]) if is_sqlite else int.from_bytes(hashlib.sha256(row[0].encode()).digest()[:7], "big")


def open_state(database: str | Path, *, create: bool = True, read_only: bool = False) -> State:
    """The database at a path, or at an SQLAlchemy URL (sqlite or postgresql).

    A new file is made where `create` allows it, empty: `migrate.upgrade` fills it. Invalid, NotFound or Unavailable
    where it cannot be opened.
    """
    url = _url(database)
    if url is None or url.get_backend_name() == "sqlite":
        path = Path(database) if url is None else Path(url.database or "")
        return _open_sqlite(path, create=create and not read_only, read_only=read_only)
    if url.get_backend_name() in ("postgresql", "postgres"):
        return _open_postgresql(url, read_only=read_only)
    raise Invalid(f"a {url.get_backend_name()} database is not supported: use a path (SQLite) or a postgresql:// URL")


def _url(database: str | Path) -> URL | None:
    if isinstance(database, Path) or "://" not in database:
        return None
    try:
        return make_url(database)
    except ArgumentError:
        raise Invalid("LOYALTY_DATABASE is neither a path nor a database URL such as postgresql://host/name") from None


# SQLite -------------------------------------------------------------------------------------------------------------


def _open_sqlite(path: Path, *, create: bool, read_only: bool) -> State:
    name = f"database {path}"
    _check_place(path, name, create=create)
    writer = None if read_only else _sqlite_engine(name, lambda: _open_writer(path, name), 1, 1)
    reader = _sqlite_engine(name, lambda: _open_reader(path, name), READERS_KEPT, READERS_MOST)
    state = State(name, path, reader, writer)
    try:
        with state.writing() if writer is not None else state.read():
            return state
    except BaseException:
        state.close()
        raise


def _check_place(path: Path, name: str, *, create: bool) -> None:
    if not path.name or path.is_dir() or str(path).startswith(":"):
        raise Invalid(f"{name}: expected the path of a file. Check LOYALTY_DATABASE")
    if not path.parent.is_dir():
        raise Invalid(f"{name}: the folder {path.parent} does not exist. Create it, or check LOYALTY_DATABASE")
    if not create and not path.exists():
        raise NotFound(f"{name} does not exist. Run `loyalty db upgrade` to create it, or check LOYALTY_DATABASE")


def _sqlite_engine(name: str, connect: Callable[[], sqlite3.Connection], kept: int, most: int) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=kept,
        max_overflow=most - kept,
        pool_timeout=BUSY_SECONDS,
    )
    _translate_failures(engine, name)
    begin = "BEGIN IMMEDIATE" if most == 1 else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _open_writer(path: Path, name: str) -> sqlite3.Connection:
    return _prepared(
        name,
        str(path),
        *(["PRAGMA auto_vacuum = INCREMENTAL"] if _is_new(path) else []),
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}",
    )


def _is_new(path: Path) -> bool:
    """Only a file without tables takes that setting; any other would be written to, to no end."""
    return not path.exists() or path.stat().st_size == 0


def _open_reader(path: Path, name: str) -> sqlite3.Connection:
    return _prepared(
        name,
        f"{path.absolute().as_uri()}?mode=rw",
        "PRAGMA query_only = ON",
        "PRAGMA temp_store = MEMORY",
        "SELECT count(*) FROM sqlite_master",
    )


def _prepared(name: str, target: str, *statements: str) -> sqlite3.Connection:
    """A connection without the driver's implicit transactions, after `statements`; failures are ours."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            target,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            uri=target.startswith("file:"),
            cached_statements=256,
        )
        for statement in statements:
            _patiently(connection, statement)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        failure = translate(error, name)
        if failure is None:
            raise
        raise failure from None
    return connection


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run it, again while the file is locked: the change to WAL does not wait where two processes create the file."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).fetchall()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)


# PostgreSQL ---------------------------------------------------------------------------------------------------------


def _open_postgresql(url: URL, *, read_only: bool) -> State:
    name = f"PostgreSQL database {url.database or '(default)'}"
    url = url.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {
        "pool_timeout": BUSY_SECONDS,
        "pool_pre_ping": True,
        "execution_options": {DATABASE_NAME: name},
    }
    try:
        reader = create_engine(
            url,
            isolation_level="REPEATABLE READ",
            pool_size=READERS_KEPT,
            max_overflow=READERS_MOST - READERS_KEPT,
            **options,
        ).execution_options(postgresql_readonly=True)
        writer = None if read_only else create_engine(url, pool_size=1, max_overflow=0, **options)
    except (ImportError, NoSuchModuleError):
        raise Invalid("a PostgreSQL database needs the extra: pip install 'loyalty[postgres]'") from None
    for engine in (reader, writer):
        if engine is not None:
            _translate_failures(engine, name)
    state = State(name, None, reader, writer)
    with state.read():
        return state


def _translate_failures(engine: Engine, name: str) -> None:
    def translated(context: ExceptionContext) -> None:
        failure = translate(context.original_exception, name)
        if failure is not None:
            raise failure from None

    event.listen(engine, "handle_error", translated)
