"""The database as the API has it: opened when it is there, opened again when it was replaced, and read as snapshots."""

import itertools
import re
import threading
from collections.abc import Callable
from typing import TypeVar

from loyalty.core.errors import Conflict, NotFound, Unavailable
from loyalty.reports.snapshot import Snapshot
from loyalty.state import State, open_state
from loyalty.state.version import check_version

Answer = TypeVar("Answer")
_opened = itertools.count(1)
_PLACE = re.compile(r"(?<![\w/.:-])/(?!api/)[\w.-]+(?:/[\w.-]+)+")
"""An absolute path on this host."""


class Database:
    """One for a process. The worker makes and upgrades the file; until then every question is Unavailable."""

    def __init__(self, place: str, state: State | None = None) -> None:
        self._place = place
        self._given = state
        self._state: State | None = state
        self._file = _file_of(state) if state else None
        self._opening = threading.Lock()
        self._generation = next(_opened)

    def state(self) -> State:
        """The open database; Unavailable, with what to do, where it is missing or of another release."""
        with self._opening:
            if self._state is not None and _file_of(self._state) != self._file:
                self._close()  # restored: another file stands at its path
            if self._state is None:
                self._state = self._open()
                self._file = _file_of(self._state)
                self._generation = next(_opened)
            return self._state

    def show(self, report: Callable[[Snapshot], Answer]) -> Answer:
        """What a report says of one snapshot."""
        with self.state().read() as connection:
            return report(Snapshot.of(connection))

    def version(self) -> tuple[int, int]:
        """Changes whenever anything was committed, or the file replaced. Means nothing in another process."""
        state = self.state()
        return self._generation, state.data_version()

    def without_place(self, told: str) -> str:
        """A message without where the database or another file lies: that is the operator's to know, and in the log."""
        known = told.replace(f"database {self._place}", "the database").replace(self._place, "the database")
        return _PLACE.sub("…", known)

    def close(self) -> None:
        with self._opening:
            self._close()

    def _close(self) -> None:
        if self._state is not None and self._state is not self._given:
            self._state.close()
        self._state = None

    def _open(self) -> State:
        if self._given is not None:
            raise Unavailable(f"{self._given.name} was replaced: start again")
        try:
            state = open_state(self._place, create=False)
        except (NotFound, Conflict) as error:
            raise Unavailable(f"{error}. The worker makes and upgrades it: `loyalty run`") from None
        try:
            check_version(state)
        except Conflict as error:
            state.close()
            raise Unavailable(str(error)) from None
        except BaseException:
            state.close()
            raise
        return state


def _file_of(state: State) -> tuple[int, int] | None:
    """Which file stands at the path now; None for PostgreSQL, and (0, 0) where it is gone."""
    if state.path is None:
        return None
    try:
        found = state.path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino
