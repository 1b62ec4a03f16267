"""A copy of the database as a file of its own: is it whole, is it sound, of which schema version?"""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from loyalty.core.errors import Inconsistent, Invalid, Unavailable
from loyalty.state.failures import translate


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_path(copy: Path) -> Path:
    """The file beside a copy that holds its checksum, as `sha256sum --check` reads it."""
    return copy.with_name(f"{copy.name}.sha256")


def checksum_line(sha256: str, name: str) -> str:
    return f"{sha256}  {name}\n"


def stored_checksum(copy: Path) -> str:
    """The checksum beside `copy`; Inconsistent where there is none for it."""
    try:
        words = checksum_path(copy).read_text(encoding="utf-8", errors="replace").split()
    except FileNotFoundError:
        raise Inconsistent(f"backup {copy} has no checksum: {checksum_path(copy).name} belongs beside it") from None
    if len(words) != 2 or len(words[0]) != 64:
        raise Inconsistent(f"{checksum_path(copy)} is no checksum file: take another backup")
    return words[0]


def check_whole(copy: Path) -> str:
    """The SHA-256 of a copy that is what its checksum says; else Inconsistent."""
    expected, actual = stored_checksum(copy), sha256_of(copy)
    if actual != expected:
        raise Inconsistent(f"backup {copy} is damaged: its SHA-256 is {actual}, not {expected}; take another backup")
    return actual


def sound_version(copy: Path, name: str) -> str:
    """The schema version of a copy that nobody has open and that passes SQLite's integrity check.

    Inconsistent where it is damaged, Invalid where it is no database of loyalty; `name` is how they call it.
    """
    try:
        # immutable: no lock, and no -wal or -shm file beside a copy
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(10)")]
            if faults != ["ok"]:
                raise Inconsistent(f"{name} is damaged: {'; '.join(faults)}")
            versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        not_ours = Invalid(f"{name} is no database of loyalty: it has no schema version")
        raise translate(error, name) or not_ours from None
    if len(versions) != 1:
        raise Invalid(f"{name} is no database of loyalty: it has {len(versions)} schema versions")
    return str(versions[0][0])


def flush(path: Path) -> None:
    """`path`, a file or a folder, is on the disk and not only in the kernel's memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def no_room(place: Path, error: OSError | sqlite3.Error, kept: str) -> Unavailable:
    """The failure to write a copy into the folder `place`; `kept` says what is as it was."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return Unavailable(f"cannot write to {place}: {reason}. {kept}; free space or check the folder, then try again")
