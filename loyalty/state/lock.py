"""Only one worker can hold a database.

The lock is the kernel's (flock) on the file `<database>.worker.lock`, so that it ends with the process that took it,
however it dies. The file stays, empty or with the name of the last holder: a file without a lock on it means nothing.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from loyalty.core.errors import Conflict, Unavailable
from loyalty.core.times import time_text


def lock_path(database: Path) -> Path:
    """The lock's file, beside the real file of the database, by whatever name that is opened."""
    real = database.resolve()
    return real.with_name(f"{real.name}.worker.lock")


class WorkerLock:
    """`with WorkerLock(database, now):` nobody else is its worker; `now` (unix seconds) is only told to others.

    Raises Conflict, which names the holder, where the lock is taken, and Unavailable where its file cannot be made.
    A child process made by fork without exec would keep the lock alive.
    """

    def __init__(self, database: Path, now: int) -> None:
        self._database = database
        self._now = now
        self._descriptor: int | None = None

    def __enter__(self) -> "WorkerLock":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        if self._descriptor is not None:
            raise Conflict(f"database {self._database}: this WorkerLock is held already")
        descriptor = _open(self._database)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(descriptor, f"pid {os.getpid()} since {time_text(self._now)}")
        except BlockingIOError:
            holder = _read(descriptor)
            os.close(descriptor)
            raise Conflict(
                f"database {self._database} is in use by worker {holder}: "
                "stop that worker first, or use another database"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open(database: Path) -> int:
    path = lock_path(database)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Unavailable(
            f"the lock {path} cannot be made: {error.strerror}; check that the folder exists and may be written"
        ) from None


def _write(descriptor: int, holder: str) -> None:
    """A full disk takes the name from us, not the lock."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
    except OSError:
        return


def _read(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace") or "(unnamed)"
