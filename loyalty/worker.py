"""The worker: APScheduler gives every job its turns until SIGTERM; then the running step ends and nothing begins."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import FrameType

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from loyalty.core.errors import Unavailable
from loyalty.jobs.run import Job
from loyalty.jobs.schedule import INDEX_SECONDS, turns
from loyalty.service import Engine

START_PAUSE_SECONDS = 5.0
START_PAUSE_MOST_SECONDS = 60.0

_log = logging.getLogger(__name__)


def prepare_patiently(engine: Engine) -> bool:
    """Prepare the engine; where no endpoint answers, again after growing pauses, as every later step does.

    False where it was asked to stop before. What is wrong, and not only unavailable, is raised.
    """
    pause = START_PAUSE_SECONDS
    while not engine.stopping.is_set():
        try:
            engine.prepare()
            return True
        except Unavailable as error:
            _log.error("worker waits seconds=%.0f error=%s", pause, error)
        engine.stopping.wait(pause)
        pause = min(2 * pause, START_PAUSE_MOST_SECONDS)
    return False


def work(engine: Engine) -> None:
    """Run every job on its schedule until the engine is stopping; the caller holds the worker lock."""
    scheduler = make_scheduler(engine)
    scheduler.start()
    _log.info("worker started program=%s database=%s", engine.rules.name, engine.state.name)
    engine.stopping.wait()
    _log.info("worker stopping: the running steps end first")
    scheduler.shutdown(wait=True)


def make_scheduler(engine: Engine) -> BackgroundScheduler:
    """Each job with one thread at most, turns that were missed run once."""
    jobs = [
        (Job(f"index:{chain.name}", partial(engine.index, chain.id)), float(INDEX_SECONDS), True)
        for chain in engine.program.chains
    ]
    jobs += [
        (Job(turn.name, getattr(engine, turn.function)), turn.seconds, turn.at_start)
        for turn in turns(engine.settings.refresh_seconds, engine.settings.backup_hours)
    ]
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(len(jobs))},
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        timezone=UTC,
    )
    for job, seconds, at_start in jobs:
        first = {"next_run_time": datetime.now(UTC)} if at_start else {}
        scheduler.add_job(_turn(engine, job), IntervalTrigger(seconds=seconds), id=job.name, name=job.name, **first)
    _hurry_after_catching_up(scheduler)
    return scheduler


def _hurry_after_catching_up(scheduler: BackgroundScheduler) -> None:
    """What hangs on the index does not wait for its turn when a chain has been caught up for the first time, and points
    never wait once days were computed.

    Not on the job's own thread: a scheduler that shuts down holds its lock until those have ended.
    """
    caught_up: set[str] = set()

    def hurry(event: JobExecutionEvent) -> None:
        if event.job_id.startswith("index:") and event.job_id not in caught_up:
            caught_up.add(event.job_id)
            threading.Thread(target=soon, args=("accrue", "settle"), daemon=True).start()
        if event.job_id == "accrue":  # days that were computed again have no points until they are counted
            threading.Thread(target=soon, args=("score",), daemon=True).start()

    def soon(*names: str) -> None:
        with suppress(JobLookupError):  # the scheduler has shut down meanwhile
            for name in names:
                scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    scheduler.add_listener(hurry, EVENT_JOB_EXECUTED)


def _turn(engine: Engine, job: Job) -> Callable[[], None]:
    def turn() -> None:
        if not engine.stopping.is_set():
            job.run(engine.state, engine.now)

    return turn


def stop_on_signals(stopping: threading.Event) -> None:
    """SIGTERM and SIGINT ask for an orderly end."""

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
