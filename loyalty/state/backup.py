"""Verified copies of the database, made while the worker writes.

A backup is two files, `<name>-YYYYMMDDTHHMMSSZ.db` and the same with `.sha256`, which appear whole or not at all.
`VACUUM INTO` reads one snapshot in one step: a stepwise copy beside a writer would begin again at each commit.
"""

import fcntl
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loyalty.core.errors import Conflict, Invalid, LoyaltyError, NotFound, Unavailable
from loyalty.state.copy import check_whole, checksum_line, checksum_path, flush, no_room, sha256_of, sound_version
from loyalty.state.failures import translate

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<name>.+)-(?P<stamp>\d{8}T\d{6}Z)\.db")
_BUSY_SECONDS = 30
_ABOUT_THE_COPY = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy whose checksum and integrity were seen to be right. `time` is in unix seconds."""

    path: Path
    time: int
    size_bytes: int
    sha256: str
    schema_version: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A copy in the folder, not looked into."""

    path: Path
    time: int
    size_bytes: int


def back_up(database: Path, folder: Path, *, keep: int = 10, now: int) -> Backup:
    """Copy `database` into `folder`, verify the copy, and remove all but the last `keep` verified copies.

    The new copy is one of the `keep`. A failure leaves no part of a copy and every older one: NotFound without a
    database, Inconsistent for a damaged one, Unavailable without room, Conflict while another backup is being made.
    """
    if keep < 1:
        raise Invalid(f"backups to keep: {keep}; keep at least 1")
    if not database.is_file():
        raise NotFound(f"database {database} does not exist: there is nothing to back up")
    path = folder / f"{database.stem}-{datetime.fromtimestamp(now, UTC).strftime(_STAMP)}.db"
    with _sole_use(folder, database.stem):
        _remove_partial(folder, database.stem)
        if path.exists():
            raise Conflict(f"backup {path} exists already: wait a second and try again")
        try:
            backup = _written(database, path, now)
        except (OSError, sqlite3.Error) as error:
            raise no_room(folder, error, "No backup was made, the older ones are kept") from None
        finally:
            _remove_partial(folder, database.stem)
        _prune(folder, database.stem, keep, backup)
    return backup


def list_backups(folder: Path, name: str | None = None) -> list[Listed]:
    """The copies in `folder` (of the database file with the stem `name`), newest first; none without the folder."""
    found = []
    for path in folder.glob("*.db"):
        match = _NAME.fullmatch(path.name)
        if match and name in (None, match["name"]):
            found.append(Listed(path, _time_of(match["stamp"]), path.stat().st_size))
    return sorted(found, key=lambda copy: (copy.time, copy.path.name), reverse=True)


def verify_backup(path: Path) -> Backup:
    """What `path` is, once its checksum, its integrity and its schema version are right.

    NotFound, Inconsistent for a damaged one, Invalid for what is no backup of loyalty.
    """
    match = _NAME.fullmatch(path.name)
    if not path.is_file():
        raise NotFound(f"backup {path} does not exist: look into the folder for those that do")
    if not match:
        raise Invalid(f"{path} is no backup: expected a name such as loyalty-20260420T120000Z.db")
    sha256 = check_whole(path)
    return Backup(path, _time_of(match["stamp"]), path.stat().st_size, sha256, sound_version(path, f"backup {path}"))


def _time_of(stamp: str) -> int:
    try:
        return int(datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise Invalid(f"{stamp} in a backup's name is no time: rename it or move it out of the folder") from None


def _written(database: Path, path: Path, now: int) -> Backup:
    partial = path.with_name(f".{path.name}.partial")
    _copy(database, partial)
    version = sound_version(partial, f"the copy of database {database}")
    sha256 = sha256_of(partial)
    _publish(partial, path, sha256)
    return Backup(path, now, path.stat().st_size, sha256, version)


def _copy(database: Path, partial: Path) -> None:
    uri = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        try:
            connection.execute("VACUUM INTO ?", (str(partial),))
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in _ABOUT_THE_COPY:
                raise
            raise translate(error, f"database {database}") or error from None
    flush(partial)


def _publish(partial: Path, path: Path, sha256: str) -> None:
    """The checksum first: a copy never stands without one, and a checksum without a copy is swept up next time."""
    sidecar = partial.with_name(f".{checksum_path(path).name}.partial")
    sidecar.write_text(checksum_line(sha256, path.name), encoding="utf-8")
    flush(sidecar)
    sidecar.rename(checksum_path(path))
    partial.rename(path)
    flush(path.parent)


def _prune(folder: Path, name: str, keep: int, newest: Backup) -> None:
    """Remove what is older than the last `keep` verified copies. Damaged copies among those stay to be looked at."""
    kept = 0
    for copy in list_backups(folder, name):
        if kept == keep:
            _remove(copy.path)
        elif copy.path == newest.path or _is_whole(copy.path):
            kept += 1


def _remove(path: Path) -> None:
    try:
        path.unlink()
        checksum_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"a backup was made, but the old backup {path} cannot be removed: {error.strerror}; check the folder"
        ) from None
    _log.info("backup removed path=%s", path)


def _is_whole(path: Path) -> bool:
    """Whether the checksum is right: the integrity was looked at when it was written."""
    try:
        check_whole(path)
    except LoyaltyError as error:
        _log.warning("backup damaged path=%s reason=%s", path, error)
        return False
    return True


def _remove_partial(folder: Path, name: str) -> None:
    """What a killed backup left: parts of copies, and a checksum whose copy never came."""
    for path in folder.glob(f".{name}-*.partial*"):
        path.unlink()
    for path in folder.glob(f"{name}-*.db.sha256"):
        if not path.with_suffix("").exists():
            path.unlink()


@contextmanager
def _sole_use(folder: Path, name: str) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Unavailable(f"the folder {folder} for backups cannot be written: {error.strerror}; check it") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"another backup into {folder} is being made: wait for it") from None
    finally:
        os.close(descriptor)
