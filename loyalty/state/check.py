"""Is the database sound, and keeping it quick and small."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from loyalty.core.errors import Conflict, LoyaltyError, NotFound, Unavailable
from loyalty.state.engine import State
from loyalty.state.failures import translate
from loyalty.state.lock import WorkerLock
from loyalty.state.version import SCHEMA_VERSION

_BUSY_SECONDS = 30
_FAULTS_TOLD = 20
_RESTORE = "stop loyalty and restore the newest backup (`loyalty db restore`)"
_REINDEX = "facts and derived rows contradict each other; " + _RESTORE
_ANALYSIS_ROWS = 400
_PAGES_A_SLICE = 256
_SLICES_A_RUN = 64


@dataclass(frozen=True, slots=True)
class Vacuumed:
    bytes_before: int
    bytes_after: int


def check(database: Path) -> list[str]:
    """Every fault found, each with what to do; empty for a sound database. Reads all of it, beside a writer if need be.

    Looks at SQLite's structures and indexes, at rows that point at nothing, and at the schema's version. NotFound
    without a file, Unavailable where it cannot be read now.
    """
    if not database.is_file():
        raise NotFound(f"database {database} does not exist: run `loyalty db upgrade` to make one, or restore a backup")
    try:
        with closing(_connect(database)) as connection:
            connection.execute("PRAGMA query_only = ON")
            return [*_damage(connection), *_loose_rows(connection), *_version_faults(connection)]
    except sqlite3.Error as error:
        failure = translate(error, f"database {database}") or LoyaltyError(str(error))
        if isinstance(failure, Unavailable):
            raise failure from None
        return [f"cannot be read ({error}): the file is damaged or no database; {_RESTORE}"]


def optimize(state: State) -> int:
    """Refresh what the query planner knows and give free pages back to the disk; how many pages were given back.

    What may run beside a writer: each piece is a short transaction, and a run is bounded to 64 MiB.
    """
    if not state.is_sqlite:
        return 0  # PostgreSQL's autovacuum does this by itself
    with state.writing() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise Conflict(f"{state.name} is not opened through sqlite3")
        try:
            _refresh_statistics(driver)
            return _give_back(driver)
        except sqlite3.Error as error:
            failure = translate(error, state.name)
            if failure is None:
                raise
            raise failure from None


def vacuum(database: Path, *, now: int, free_bytes: Callable[[Path], int] | None = None) -> Vacuumed:
    """Write the whole database anew, packed. Takes the worker's place meanwhile.

    Conflict while a worker holds it, Unavailable where the disk has less than twice its size free (the new copy and
    the write-ahead log that carries it).
    """
    if not database.is_file():
        raise NotFound(f"database {database} does not exist: there is nothing to vacuum")
    with WorkerLock(database, now), closing(_connect(database)) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            before = database.stat().st_size
            _check_room(database, before, free_bytes or _free_bytes)
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            failure = translate(error, f"database {database}")
            if failure is None:
                raise
            raise failure from None
    return Vacuumed(before, database.stat().st_size)


def _connect(database: Path) -> sqlite3.Connection:
    uri = f"{database.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    for (fault,) in connection.execute(f"PRAGMA integrity_check({_FAULTS_TOLD})"):
        if fault != "ok":
            yield f"damaged: {fault}; {_RESTORE}"


def _loose_rows(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_FAULTS_TOLD)
    for table, rowid, parent, _ in rows:
        row = "a row" if rowid is None else f"row {rowid}"
        yield f"{row} of {table} points at a row that {parent} does not have; {_REINDEX}"


def _version_faults(connection: sqlite3.Connection) -> Iterator[str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" not in tables:
        yield "has no schema version: it is empty or no database of loyalty; run `loyalty db upgrade`"
        return
    versions = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
    if versions != [SCHEMA_VERSION]:
        newer = versions > [SCHEMA_VERSION]
        remedy = "install the newer release of loyalty" if newer else "run `loyalty db upgrade`"
        yield f"has schema version {', '.join(versions) or 'none'}, this release needs {SCHEMA_VERSION}; {remedy}"


def _refresh_statistics(driver: sqlite3.Connection) -> None:
    """PRAGMA optimize looks only at tables that this connection has read, so a first time is ours to begin."""
    driver.execute(f"PRAGMA analysis_limit = {_ANALYSIS_ROWS}")
    if not driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
        driver.execute("ANALYZE")
    driver.execute("PRAGMA optimize").fetchall()


def _give_back(driver: sqlite3.Connection) -> int:
    given = 0
    for _ in range(_SLICES_A_RUN):
        before = _free_pages(driver)
        driver.executescript(f"PRAGMA incremental_vacuum({_PAGES_A_SLICE})")  # execute() would stop after one page
        freed = before - _free_pages(driver)
        given += freed
        if freed < _PAGES_A_SLICE:
            break
    return given


def _free_pages(driver: sqlite3.Connection) -> int:
    return int(driver.execute("PRAGMA freelist_count").fetchone()[0])


def _check_room(database: Path, size: int, free_bytes: Callable[[Path], int]) -> None:
    free = free_bytes(database.parent)
    if free < 2 * size:
        raise Unavailable(
            f"database {database}: a full vacuum needs {2 * size:,} bytes free in its folder, there are {free:,}; "
            "free space, or leave it to `loyalty db optimize`"
        )


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
