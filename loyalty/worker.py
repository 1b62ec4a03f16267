"""The worker: APScheduler gives every job its turns until SIGTERM; then the running step ends and nothing begins."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from queue import Empty, Queue
from typing import NamedTuple

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from loyalty.core.errors import Unavailable
from loyalty.jobs.contracts.contract_facts import ContractFacts
from loyalty.jobs.run import Job
from loyalty.jobs.schedule import COMMANDS, INDEX_SECONDS, Turn, index_job, turns
from loyalty.program.rules import PoolKey
from loyalty.service import Engine
from loyalty.stopping import LOOK_SECONDS, wait_until_stopped

START_PAUSE_SECONDS = 5.0
START_PAUSE_MOST_SECONDS = 60.0
START_SECONDS = 20.0
"""How long the chains that answer wait at the start for those that do not."""
TURN_SECONDS = 30.0
"""How long a turn of an index goes on beside a backfill: what hangs on a turn's end does not wait for all of it."""

_log = logging.getLogger(__name__)


def prepare_patiently(engine: Engine, chain_ids: Collection[int] | None = None) -> bool:
    """Prepare the engine with the chains that answer soon; the others are prepared by their own index when they do.

    False where it was asked to stop before. What is wrong, and not only unavailable, is raised.
    """
    pause = START_PAUSE_SECONDS
    while not engine.stopping.is_set():
        try:
            engine.check_program()
            asked = _ask_side_by_side(engine, chain_ids)
            if not engine.stopping.is_set():
                engine.register(asked.found, asked.silent)
                return True
        except Unavailable as error:  # the database, for a chain alone holds up nothing
            _log.error("worker waits seconds=%.0f error=%s", pause, error)
        wait_until_stopped(engine.stopping, pause)
        pause = min(2 * pause, START_PAUSE_MOST_SECONDS)
    return False


class _Asked(NamedTuple):
    found: dict[PoolKey, ContractFacts]
    silent: set[int]


def _ask_side_by_side(engine: Engine, chain_ids: Collection[int] | None) -> _Asked:
    """What the contracts of each chain say: one that does not answer keeps no other waiting for long."""
    chains = {each.id: each.name for each in engine.program.chains if chain_ids is None or each.id in chain_ids}
    answers: Queue[tuple[int, dict[PoolKey, ContractFacts] | Exception]] = Queue()

    def ask(chain_id: int) -> None:
        try:
            answers.put((chain_id, engine.ask_contracts(chain_id)))
        except Exception as error:
            answers.put((chain_id, error))

    threads = [threading.Thread(target=ask, args=(chain_id,), daemon=True) for chain_id in chains]
    for thread in threads:
        thread.start()
    found: dict[PoolKey, ContractFacts] = {}
    silent = {each.id for each in engine.program.chains}
    waiting = set(chains)
    until = time.monotonic() + START_SECONDS
    while waiting and not engine.stopping.is_set() and time.monotonic() < until:
        with suppress(Empty):
            chain_id, answer = answers.get(timeout=LOOK_SECONDS)
            waiting.discard(chain_id)
            if isinstance(answer, dict):
                found |= answer
                silent.discard(chain_id)
            elif isinstance(answer, Unavailable):
                _log.error("worker waits chain=%s error=%s", chains[chain_id], answer)
            else:
                engine.stopping.set()
                for thread in threads:
                    thread.join()
                raise answer
    for chain_id in sorted(waiting):
        _log.error("worker waits chain=%s error=no answer within %.0f s", chains[chain_id], START_SECONDS)
    return _Asked(found, silent)


def work(engine: Engine, chain_ids: Collection[int] | None = None) -> None:
    """Run every job on its schedule until the engine is stopping; the caller holds the worker lock.

    With `chain_ids` only the index of those chains runs, and what API and CLI ask is carried out.
    """
    jobs = index_jobs(engine, chain_ids)
    all_turns = turns(engine.settings.refresh_seconds, engine.settings.backup_hours)
    scheduler = make_scheduler(engine, jobs, all_turns if chain_ids is None else [COMMANDS])
    scheduler.start()
    _log.info("worker started program=%s database=%s", engine.rules.name, engine.state.name)
    wait_until_stopped(engine.stopping)
    _log.info("worker stopping: the running steps end first")
    scheduler.shutdown(wait=True)


def index_jobs(engine: Engine, chain_ids: Collection[int] | None = None) -> list[Job]:
    """One for each of the chains, all by default: each fails and is tried again alone."""
    return [
        Job(index_job(chain.name), partial(engine.index, chain.id, seconds=TURN_SECONDS))
        for chain in engine.program.chains
        if chain_ids is None or chain.id in chain_ids
    ]


def make_scheduler(engine: Engine, indexes: Sequence[Job], others: Sequence[Turn]) -> BackgroundScheduler:
    """Each job with one thread at most, turns that were missed run once."""
    jobs = [(job, float(INDEX_SECONDS), True) for job in indexes]
    jobs += [(Job(turn.name, getattr(engine, turn.function)), turn.seconds, turn.at_start) for turn in others]
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
