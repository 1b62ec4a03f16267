"""Putting a backup in the place of the database. The replaced file is kept aside, never deleted."""

import logging
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loyalty.core.errors import Conflict, Inconsistent, Invalid
from loyalty.state.backup import Backup, verify_backup
from loyalty.state.copy import flush, no_room, sha256_of
from loyalty.state.lock import WorkerLock
from loyalty.state.version import check_not_newer

_KEPT = "The database is as it was"
_HEADER = b"SQLite format 3\0"
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """`aside` is where the replaced file lies now; None where there was none."""

    database: Path
    backup: Backup
    aside: Path | None


def restore(backup: Path, database: Path, *, now: int) -> Restored:
    """Make `database` the copy `backup`, verified first; the replaced file becomes `<database>.before-restore-<time>`.

    Conflict while a worker or any other process has the database open, or where a newer release wrote the backup;
    Inconsistent, Invalid, NotFound for what cannot be restored; Unavailable without room. Then nothing has changed.
    A backup of an older schema is restored as it is: `loyalty db upgrade` brings it up to date.
    """
    database = database.resolve()
    with WorkerLock(database, now):
        verified = verify_backup(backup)
        check_not_newer(verified.schema_version, f"backup {backup}")
        _check_other(backup, database)
        _check_nobody_reads(database)
        aside = _exchange(verified, database, now)
    return Restored(database, verified, aside)


def _check_other(backup: Path, database: Path) -> None:
    if database.exists() and backup.samefile(database):
        raise Invalid(f"{backup} is the database itself: name a backup")


def _check_nobody_reads(database: Path) -> None:
    """Conflict where another connection is open: replacing a file under SQLite destroys what is written next.

    Folds the write-ahead log into the file on the way, so that what is kept aside is whole in itself. A damaged file
    cannot be asked: it is being replaced for that, and SQLite would clear its log away.
    """
    if not database.exists() or not _has_header(database):
        return
    uri = f"{database.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in _BUSY_CODES:
                raise Conflict(
                    f"database {database} is open in another process: stop the API and every other reader, then restore"
                ) from None
            _log.warning("replacing a database that cannot be read path=%s reason=%s", database, error)


def _has_header(database: Path) -> bool:
    with database.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def _exchange(verified: Backup, database: Path, now: int) -> Path | None:
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = database.with_name(f"{database.name}.before-restore-{stamp}")
    incoming = database.with_name(f".{database.name}.restoring")
    if aside.exists():
        raise Conflict(f"{aside} exists already: wait a second and try again")
    try:
        _copy_whole(verified, incoming)
        replaced = _keep_aside(database, aside)
        incoming.replace(database)
        flush(database.parent)
    except OSError as error:
        raise no_room(database.parent, error, _KEPT) from None
    finally:
        incoming.unlink(missing_ok=True)
    return aside if replaced else None


def _copy_whole(verified: Backup, incoming: Path) -> None:
    shutil.copyfile(verified.path, incoming)
    flush(incoming)
    if sha256_of(incoming) != verified.sha256:
        raise Inconsistent(f"the copy of {verified.path} did not arrive whole: check the disk. {_KEPT}")


def _keep_aside(database: Path, aside: Path) -> bool:
    """The old file under a second name, so that the database's own name is never without a file; logs move along."""
    exists = database.exists()
    if exists:
        aside.hardlink_to(database)
    for suffix in ("-wal", "-shm"):
        log = database.with_name(database.name + suffix)
        if log.exists():
            log.rename(aside.with_name(aside.name + suffix))
    return exists
