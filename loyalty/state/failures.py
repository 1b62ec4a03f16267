"""What a database driver reports, in our few kinds of failure.

By SQLite's result codes and PostgreSQL's SQLSTATE, never by the English text; no message carries a URL.
"""

import sqlite3

from loyalty.core.errors import Conflict, Inconsistent, Invalid, LoyaltyError, Unavailable

_KEPT = "Nothing of this step was kept"
DATABASE_NAME = "loyalty_database_name"
"""The execution option in which a connection carries its database's name, for what is told past SQLAlchemy."""
_PRIMARY_CODE = 0xFF
"""SQLite's extended result codes carry the primary one in their low byte."""


def translate(error: BaseException | None, database: str) -> LoyaltyError | None:
    """The failure that `error` of a driver means for `database` (its name as a person knows it).

    None for what is a mistake in our own statements: it stays what it is.
    """
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE, database)
    if error is None or not hasattr(error, "sqlstate"):
        return None
    return _of_postgresql(error.sqlstate, type(error).__name__, database)


def _of_sqlite(code: int, database: str) -> LoyaltyError | None:
    match code:
        case sqlite3.SQLITE_FULL:
            return _disk_full(database)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _busy(database)
        case sqlite3.SQLITE_NOTADB:
            return Invalid(f"{database} is not a database: the file holds something else. Check LOYALTY_DATABASE")
        case sqlite3.SQLITE_CORRUPT:
            return Inconsistent(f"{database} is damaged. Run `loyalty db check`, then `loyalty db restore`")
        case sqlite3.SQLITE_CANTOPEN:
            return Unavailable(f"{database} cannot be opened: check the permissions of the file and of its folder")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return Conflict(f"{database} cannot be written: it is read-only, or its permissions forbid it")
        case sqlite3.SQLITE_IOERR:
            return Unavailable(f"{database}: the disk failed to read or write; check it and its free space. {_KEPT}")
    return None


def _of_postgresql(state: str | None, kind: str, database: str) -> LoyaltyError | None:
    if state == "53100":
        return _disk_full(database)
    if state in ("55P03", "40001", "40P01"):  # lock not available, serialization failure, deadlock
        return _busy(database)
    if state == "25006":
        return Conflict(f"{database} cannot be written: the transaction is for reading only")
    if kind == "OperationalError" or (state or "").startswith(("08", "28", "3D", "53", "57")):
        return Unavailable(f"{database} does not answer or refuses us (SQLSTATE {state}). {_KEPT}")
    return None


def _disk_full(database: str) -> LoyaltyError:
    return Unavailable(f"{database}: the disk is full. {_KEPT}; free space, then the next turn goes on")


def _busy(database: str) -> LoyaltyError:
    return Unavailable(f"{database} is being written by another process and stayed so. {_KEPT}; try again")
