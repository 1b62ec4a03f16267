"""Job runs: how each job of the worker fares, for status, health and metrics."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.errors import NotFound


class JobRun(NamedTuple):
    """A job's latest run and its counts; `finished_time` is None while it runs, or where it was killed."""

    job: str
    started_time: int
    finished_time: int | None
    runs: int
    failures: int
    consecutive_failures: int
    last_error: str | None


def started(connection: Connection, job: str, now: int, runs: int = 1) -> None:
    """The job has begun a run, the last of `runs` since this was last told."""
    statement = text(
        "INSERT INTO job_runs VALUES (:job, :now, NULL, :runs, 0, 0, NULL) ON CONFLICT (job) DO UPDATE SET "
        "started_time = excluded.started_time, finished_time = NULL, runs = job_runs.runs + :runs"
    )
    connection.execute(statement, {"job": job, "now": now, "runs": runs})


def finished(connection: Connection, job: str, now: int) -> None:
    """The run is done; the failures before it are over, the last error stays to be read."""
    statement = text("UPDATE job_runs SET finished_time = :now, consecutive_failures = 0 WHERE job = :job")
    _one(job, connection.execute(statement, {"job": job, "now": now}).rowcount)


def failed(connection: Connection, job: str, now: int, error: str) -> None:
    """The run has failed with an error, as told to a person."""
    statement = text(
        "UPDATE job_runs SET finished_time = :now, failures = failures + 1, "
        "consecutive_failures = consecutive_failures + 1, last_error = :error WHERE job = :job"
    )
    _one(job, connection.execute(statement, {"job": job, "now": now, "error": error}).rowcount)


def _one(job: str, rows: int) -> None:
    if rows != 1:
        raise NotFound(f"job {job} was never started")


def all_runs(connection: Connection) -> list[JobRun]:
    """Every job that ever ran, by name."""
    rows = connection.execute(
        text(
            "SELECT job, started_time, finished_time, runs, failures, consecutive_failures, last_error FROM job_runs "
            "ORDER BY job"
        )
    )
    return [JobRun(*row) for row in rows]
