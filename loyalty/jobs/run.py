"""How one job runs: logged, counted, its failure told and kept; the next turn tries again and no other job is disturbed."""

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
    runs: int = 0
    failures: int = 0
    consecutive_failures: int = 0
    last_error: str | None = None
    _kept_at: float = field(default=float("-inf"))

    def run(self, state: State, now: Callable[[], int]) -> bool:
        """One turn; returns whether it succeeded. Never raises."""
        started, began = now(), time.perf_counter()
        error = self._attempt()
        seconds = time.perf_counter() - began
        recovered = error is None and self.consecutive_failures > 0
        self.runs += 1
        self.failures += error is not None
        self.consecutive_failures = 0 if error is None else self.consecutive_failures + 1
        self.last_error = error
        metrics.observe_job(self.name, seconds, failed=error is not None)
        if error is not None or recovered or time.monotonic() - self._kept_at >= KEPT_EVERY_SECONDS:
            self._keep(state, started, now())
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

    def _keep(self, state: State, started: int, finished: int) -> None:
        try:
            with StateTransaction(state) as connection:
                job_runs.write(
                    connection,
                    self.name,
                    started_time=started,
                    finished_time=finished,
                    runs=self.runs,
                    failures=self.failures,
                    consecutive_failures=self.consecutive_failures,
                    last_error=self.last_error,
                )
            self._kept_at = time.monotonic()
        except LoyaltyError as error:  # the job itself is done; its row is written at a later turn
            _log.error("job run not recorded job=%s error=%s", self.name, error)
