"""How one job runs: logged, counted, its failure told and kept; the next turn tries again; no other job minds."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from loyalty import metrics
from loyalty.core.errors import LoyaltyError
from loyalty.state import StateTransaction, job_runs
from loyalty.state.engine import State

KEPT_EVERY_SECONDS = 30
"""A job that succeeds again and again writes its row this often; a failure and a recovery are written at once."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A named plain function, and how it has fared."""

    name: str
    function: Callable[[], object]
    _failing: bool = False
    _runs_not_kept: int = 0
    _kept_at: float = field(default=float("-inf"))

    def run(self, state: State, now: Callable[[], int]) -> bool:
        """One turn; returns whether it succeeded. Never raises."""
        started, began = now(), time.perf_counter()
        error = self._attempt()
        seconds = time.perf_counter() - began
        changed = self._failing or error is not None
        self._failing = error is not None
        self._runs_not_kept += 1
        metrics.observe_job(self.name, seconds, failed=error is not None)
        if changed or time.monotonic() - self._kept_at >= KEPT_EVERY_SECONDS:
            self._keep(state, started, now(), error)
        return error is None

    def _attempt(self) -> str | None:
        """The error's text, told once with what and which; a traceback only for what nobody foresaw."""
        try:
            self.function()
        except LoyaltyError as error:
            _log.error("job failed job=%s kind=%s error=%s", self.name, error.code, error)
            return str(error)
        except Exception as error:
            _log.exception("job failed job=%s kind=unexpected", self.name)
            return f"{type(error).__name__}: {error}"
        return None

    def _keep(self, state: State, started: int, finished: int, error: str | None) -> None:
        try:
            with StateTransaction(state) as connection:
                job_runs.started(connection, self.name, started, self._runs_not_kept)
                if error is None:
                    job_runs.finished(connection, self.name, finished)
                else:
                    job_runs.failed(connection, self.name, finished, error)
            self._kept_at, self._runs_not_kept = time.monotonic(), 0
        except LoyaltyError as failure:  # the job itself is done; its row is written at a later turn
            _log.error("job run not recorded job=%s error=%s", self.name, failure)
