"""A real worker process, killed at random moments, on a chain that changes its mind, asked through endpoints that fail.

The seed is printed and can be given again: CHAOS_SEED=7.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from loyalty.core.errors import Inconsistent, Unavailable
from loyalty.jobs.index import Step
from loyalty.jobs.rewind import Rewound
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import blocks, open_state
from tests.chain import faults
from tests.chain.rpc_server import Fault, Reply, Site, serve
from tests.chaos.moving_chain import MovingChain, MovingSite, Recorded
from tests.integration.demo_program import (
    CHAIN_ID,
    RECORDING,
    ROOT,
    cut_recording,
    demo_engine,
    demo_environment,
    indexed,
)
from tests.integration.scene import catch_up, everything

SEED = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
UNPLEASANT = [
    fault
    for name, fault in {**faults.FAILURES, **faults.NOT_BELIEVED, **faults.HARMLESS}.items()
    if "Retry" not in name
]
PATIENCE_SECONDS = 60
LIVES = (0.2, 3.0)
"""Seconds that a worker lives at most after it asks for logs: some die within a step, some get a few done."""


class Moody:
    """Misbehaves in one of so many replies."""

    def __init__(self, chance: random.Random, one_in: int) -> None:
        self._chance, self._one_in = chance, one_in
        self.faults = 0

    def __call__(self, site: Site, questions: list[dict[str, object]], honest: Reply) -> Reply:
        if self._chance.randrange(self._one_in):
            return honest
        self.faults += 1
        fault: Fault = self._chance.choice(UNPLEASANT)
        return fault(site, questions, honest)


class Worker:
    """`loyalty worker` as a process of its own."""

    def __init__(self, database: Path, rpc: str) -> None:
        self._command = [sys.executable, "-X", "faulthandler", "-m", "loyalty", "worker"]
        self._variables = {**os.environ, **demo_environment(database, rpc), "LOYALTY_LOG_LEVEL": "warning"}
        self._log = database.with_suffix(".log").open("ab")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, cwd=ROOT, env=self._variables, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def start_again(self) -> None:
        self.process = self._start()

    def stop(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # its stacks are then in the log
            self.process.wait(PATIENCE_SECONDS)
            raise
        self._log.close()
        return code

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


def is_asked(sites: list[MovingSite], worker: Worker) -> None:
    """Wait until the worker that runs now asks for logs."""
    before = sum(site.count("eth_getLogs") for site in sites)
    until = time.monotonic() + PATIENCE_SECONDS
    while sum(site.count("eth_getLogs") for site in sites) == before:
        assert worker.process.poll() is None, "the worker ended by itself"
        assert time.monotonic() < until, "the worker asks nothing"
        time.sleep(0.005)


def reorganize_what_is_stored(database: Path, chain: MovingChain) -> None:
    """As soon as the worker has stored blocks above the final one, take some of them back."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not chain.reorganize(newest_block(database)):
        assert time.monotonic() < until, "the worker stores nothing above the final block"
        time.sleep(0.02)


def is_settled(database: Path, epochs: int) -> None:
    """Wait until the worker has settled so many epochs."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with open_state(database, read_only=True) as state:
            if len(settled(everything(state))) == epochs:
                return
        time.sleep(0.5)
    raise AssertionError(f"{epochs} epochs are not settled after {PATIENCE_SECONDS} seconds")


def settled(rows: dict[str, list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    return [row for row in rows["epochs"] if row[1] == "settled"]


def undisturbed(recording: Path, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a quiet index of the recording says."""
    database = folder / "undisturbed.db"
    indexed(database, f"file:{recording}")
    with open_state(database, read_only=True) as state:
        return everything(state)


def newest_block(database: Path) -> int:
    """The newest block that the worker has stored."""
    with open_state(database, read_only=True) as state, state.read() as connection:
        header = blocks.last(connection, CHAIN_ID)
    return -1 if header is None else header.number


def rewinds_of(database: Path) -> int:
    """How often a reorg was seen and followed."""
    with open_state(database, read_only=True) as state, state.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM audit_log WHERE action = 'rewind'").scalar_one())


def rows_of(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with open_state(database, read_only=True) as state:
        return everything(state)


@pytest.fixture
def chance() -> random.Random:
    print(f"CHAOS_SEED={SEED}")
    return random.Random(SEED)


def survive(recording: Path, folder: Path, chance: random.Random, *, kills: int, reorgs: int, stride: int) -> None:
    """Index the recording's chain through so many kills and reorgs; it ends as if there had been none."""
    expected = undisturbed(recording, folder)
    chain = MovingChain(Recorded(recording), random.Random(chance.random()), stride)
    chain.limit = chain.recorded.last // (kills + 1)
    moody = Moody(random.Random(chance.random()), 25)
    database = folder / "disturbed.db"
    with serve() as rpc:
        sites = [MovingSite(chain, CHAIN_ID, moody), MovingSite(chain, CHAIN_ID, moody)]
        worker = Worker(database, ",".join(rpc.add(site).url for site in sites))
        try:
            for kill in range(kills):
                chain.limit = chain.recorded.last * (kill + 1) // (kills + 1)
                is_asked(sites, worker)
                if kill % 2:
                    reorganize_what_is_stored(database, chain)
                time.sleep(chance.uniform(0, chance.choice(LIVES)))
                worker.kill()
                worker.start_again()
            chain.limit = chain.recorded.last
            is_settled(database, len(settled(expected)))
            assert worker.stop() == 0
        finally:
            worker.end()
        assert moody.faults
        assert rewinds_of(database) >= reorgs
        # Whatever is left to do above the last settled epoch is done here, on an endpoint that behaves.
        chain_end = MovingSite(chain, CHAIN_ID)
        with demo_engine(database, rpc.add(chain_end).url) as engine:
            for _ in range(20):
                catch_up(engine)
            assert chain.finished
            report = verify(engine.state)
    assert report.faults == ()
    found = rows_of(database)
    for name in expected:
        assert found[name] == expected[name], f"{name} differ, CHAOS_SEED={SEED}"


def test_a_few_kills_and_reorgs_change_nothing(tmp_path: Path) -> None:
    """Short and always the same, for every run of the tests."""
    recording = cut_recording(1_000, tmp_path / "cut.jsonl.gz")
    survive(recording, tmp_path, random.Random(3), kills=3, reorgs=1, stride=60)


def test_a_worker_asked_to_end_within_its_first_index_ends(tmp_path: Path) -> None:
    """The step ends, and with it the job: nobody waits for anybody else."""
    chain = MovingChain(Recorded(RECORDING, 2_000), random.Random(1), 20)
    with serve() as rpc:
        site = MovingSite(chain, CHAIN_ID)
        worker = Worker(tmp_path / "loyalty.db", rpc.add(site).url)
        try:
            is_asked([site], worker)
            assert worker.stop() == 0
        finally:
            worker.end()


@pytest.mark.chaos
def test_fifty_kills_and_twenty_reorgs_change_nothing(tmp_path: Path, chance: random.Random) -> None:
    survive(RECORDING, tmp_path, chance, kills=50, reorgs=20, stride=80)


def step_of(engine: Engine) -> Step | Rewound | None:
    """The next step that succeeds: as in the worker, one whose chain changed twice while it was read is tried again."""
    while True:
        with suppress(Inconsistent, Unavailable):
            return engine.index_step(CHAIN_ID)


@pytest.mark.chaos
def test_reorgs_and_failing_endpoints_change_nothing(tmp_path: Path, chance: random.Random) -> None:
    """Without kills, so that the ledger in memory lives through all of them; a reorg whenever the head is reached."""
    recording = cut_recording(1_600, tmp_path / "cut.jsonl.gz")
    expected = undisturbed(recording, tmp_path)
    chain = MovingChain(Recorded(recording), random.Random(chance.random()), 25)
    moody = Moody(random.Random(chance.random()), 40)
    rewinds = 0
    with serve() as rpc:
        sites = [rpc.add(MovingSite(chain, CHAIN_ID, moody)) for _ in range(2)]
        with demo_engine(tmp_path / "loyalty.db", ",".join(site.url for site in sites)) as engine:
            while not chain.finished:
                done = step_of(engine)
                rewinds += isinstance(done, Rewound)
                if not chance.randrange(20):
                    engine.accrue()
                if isinstance(done, Step) and chain.fork is None and chance.randrange(2):
                    chain.reorganize(done.end.number)
            catch_up(engine)
            catch_up(engine)
            found = everything(engine.state)
    assert rewinds >= 20
    for name in expected:
        assert found[name] == expected[name], f"{name} differ, CHAOS_SEED={SEED}"
