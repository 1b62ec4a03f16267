"""Readiness: whether the database is there and its numbers are being kept up."""

import logging

from loyalty.api.database import Database
from loyalty.core.errors import LoyaltyError
from loyalty.state import job_runs, program_config

WORKER_SILENT_SECONDS = 180
"""The worker writes down its jobs every 30 seconds or so, also while one of them takes long."""

_log = logging.getLogger(__name__)


def not_ready_because(database: Database, now: int) -> list[str]:
    """Empty when answers can be relied on."""
    try:
        with database.state().read() as connection:
            program = program_config.latest(connection)
            runs = job_runs.all_runs(connection)
    except LoyaltyError as error:
        _log.warning("not ready error=%s", error)
        return [database.without_place(str(error))]
    if program is None:
        return ["the database has no program yet: start the worker (`loyalty run`)"]
    moved = max((run.finished_time or run.started_time for run in runs), default=program.created_time)
    silent = now - moved
    if silent > WORKER_SILENT_SECONDS:
        return [f"the worker has not moved for {silent} seconds: look whether it runs (`loyalty run`), and at its log"]
    return []
