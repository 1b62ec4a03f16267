"""A job's run: failures are counted, told and over when they are over."""

import logging

import pytest

from loyalty.core.errors import Unavailable
from loyalty.jobs.run import Job
from loyalty.state import State, job_runs, open_state
from loyalty.state.job_runs import JobRun


class Weather:
    """A job that does as it is told."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    def __call__(self) -> None:
        if self.failure is not None:
            raise self.failure


def kept(state: State) -> JobRun:
    with state.read() as connection:
        (row,) = job_runs.all_runs(connection)
    return row


def test_failures_are_counted_told_once_a_turn_and_over_with_the_next_success(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    weather = Weather()
    job = Job("price", weather)
    clock = iter(range(1_000, 2_000))
    assert job.run(state, lambda: next(clock))
    weather.failure = Unavailable("the price file prices.csv cannot be read")
    with caplog.at_level(logging.ERROR):
        assert [job.run(state, lambda: next(clock)) for _ in range(3)] == [False] * 3
    assert [record.message for record in caplog.records] == [
        "job failed job=price kind=unavailable error=the price file prices.csv cannot be read"
    ] * 3
    assert kept(state)[1:] == (1_006, 1_007, 4, 3, 3, "the price file prices.csv cannot be read")
    weather.failure = None
    assert job.run(state, lambda: next(clock))
    assert (kept(state).failures, kept(state).consecutive_failures) == (3, 0)


def test_what_nobody_foresaw_is_told_with_its_traceback_and_ends_nothing(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    weather = Weather()
    weather.failure = ZeroDivisionError("integer division by zero")
    assert not Job("accrue", weather).run(state, lambda: 5)
    assert caplog.records[0].exc_info is not None
    assert kept(state).last_error == "ZeroDivisionError: integer division by zero"


def test_success_after_success_is_not_written_each_time(state: State) -> None:
    job = Job("index", Weather())
    for now in range(100, 110):
        assert job.run(state, lambda now=now: now)  # type: ignore[misc]
    assert (kept(state).runs, kept(state).started_time) == (1, 100)


def test_a_run_that_cannot_be_recorded_is_still_a_run_and_told(state: State, caplog: pytest.LogCaptureFixture) -> None:
    assert state.path is not None
    with open_state(state.path, read_only=True) as read_only:
        assert Job("index", Weather()).run(read_only, lambda: 5)
    assert "job run not recorded job=index" in caplog.text
