"""Two chains side by side: one that is down or another chain holds up nothing of the other, and recovers alone."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loyalty.chain.chain import open_chain
from loyalty.chain.failover import Patience
from loyalty.config import load_settings
from loyalty.reports.status import chain_status
from loyalty.service import Engine
from loyalty.state import chains
from loyalty.worker import index_jobs, prepare_patiently
from tests.chain.rpc_server import Reply, RpcServer, Site, serve
from tests.processes import count, environment, running, told, wait_until
from tests.two_chains import BLOCKS, RIVER_ID, River, down, river, write_program

RIVER_NEXT = f"SELECT max(next_block) FROM pools WHERE chain_id = {RIVER_ID}"
DEMO_BLOCK = "SELECT max(block) FROM processed_blocks WHERE chain_id = 31337"


@pytest.fixture
def rpc() -> Iterator[RpcServer]:
    with serve() as server:
        yield server


def settings(folder: Path, site: River) -> dict[str, str]:
    return {"LOYALTY_PROGRAM": str(write_program(folder)), "LOYALTY_RPC_RIVER": site.url}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[River], Engine]]:
    """Opens an engine over both chains which is not patient with the river."""
    with ExitStack() as stack:

        def open_engine(site: River) -> Engine:
            values = environment(tmp_path, **settings(tmp_path, site))
            own = {name: value for name, value in values.items() if name.startswith("LOYALTY_")}
            engine = stack.enter_context(Engine.open(load_settings(own, None)))
            once = Patience(tries=1, backoff=0.01, cooling=0.01, longest_cooling=0.01)
            engine.chains[RIVER_ID].chain = open_chain("river", RIVER_ID, [site.url], patience=once)
            return engine

        yield open_engine


def statuses(engine: Engine) -> dict[str, Any]:
    """What `loyalty indexer status` says, by chain."""
    with engine.state.read() as connection:
        return {chain.name: chain_status(connection, chain) for chain in chains.all_chains(connection)}


def test_a_chain_that_is_down_at_the_start_is_tried_again_alone_and_told_and_recovers(
    opened: Callable[[River], Engine], rpc: RpcServer
) -> None:
    site = rpc.add(river())
    site.always = down
    engine = opened(site)
    assert prepare_patiently(engine)
    jobs = {job.name: job for job in index_jobs(engine)}

    def turn(name: str) -> bool:
        return jobs[f"index:{name}"].run(engine.state, engine.now)

    assert (turn("demo"), turn("river")) == (True, False)
    known = statuses(engine)
    assert "HTTP 503" in known["river"]["last_error"]
    assert (known["demo"]["last_error"], known["demo"]["blocks_behind"] < 10) == (None, True)
    engine.accrue()
    (first, *_) = engine.settle()
    assert first.status == "provisional"
    assert any("river" in reason for reason in first.reasons), first.reasons

    site.chain_id, site.always = 8, None
    assert (turn("demo"), turn("river")) == (True, False)
    assert "is of the chain with id 8" in statuses(engine)["river"]["last_error"]

    site.chain_id = RIVER_ID
    assert (turn("demo"), turn("river")) == (True, True)
    river_status = statuses(engine)["river"]
    assert (river_status["indexed_block"], river_status["blocks_behind"]) == (BLOCKS - 1, 0)
    assert (river_status["last_error"], river_status["lag_seconds"]) == (None, 0)


def test_an_endpoint_of_another_chain_at_the_start_ends_the_worker_with_both_ids(
    tmp_path: Path, rpc: RpcServer
) -> None:
    site = rpc.add(river())
    site.chain_id = 8
    with running(tmp_path, "worker", **settings(tmp_path, site)) as worker:
        assert worker.wait(60) == 2
    assert "is of the chain with id 8, but the program file says id 7" in told(tmp_path)


def test_the_indexer_of_one_chain_leaves_the_other_alone_and_ends_cleanly(tmp_path: Path, rpc: RpcServer) -> None:
    site = rpc.add(river())
    site.always = down
    changes = settings(tmp_path, site)
    with running(tmp_path, "indexer", "start", "--chain", "demo", **changes) as indexer:
        wait_until(lambda: count(tmp_path, DEMO_BLOCK), indexer, tmp_path)
        with running(tmp_path, "backfill", "--chain", "demo", **changes) as watching:
            assert watching.wait(60) == 0, told(tmp_path)
        indexer.send_signal(signal.SIGTERM)
        assert indexer.wait(30) == 0, told(tmp_path)
    assert site.asked == []
    jobs = "SELECT count(*) FROM job_runs WHERE job NOT IN ('index:demo', 'commands')"
    assert count(tmp_path, jobs) == 0
    assert count(tmp_path, "SELECT count(*) FROM epochs") == 0


def test_sigterm_ends_a_backfill_after_the_running_step_and_the_same_command_goes_on(
    tmp_path: Path, rpc: RpcServer
) -> None:
    site = rpc.add(river(blocks=30_000))
    changes = settings(tmp_path, site)
    processes: list[subprocess.Popen[bytes]] = []

    def interrupting(site: Site, questions: list[dict[str, Any]], honest: Reply) -> Reply:
        if site.count("eth_getLogs") == 3:
            processes[0].send_signal(signal.SIGTERM)
        return honest

    site.always = interrupting
    with running(tmp_path, "backfill", "--chain", "river", **changes) as filling:
        processes.append(filling)
        assert filling.wait(60) == 0, told(tmp_path)
    reached = count(tmp_path, RIVER_NEXT)
    assert 10 < reached < 30_000
    assert f"Ended; everything below block {reached} of river is indexed. The same command goes on." in told(tmp_path)
    site.always = None
    with running(tmp_path, "backfill", "--chain", "river", **changes) as filling:
        assert filling.wait(60) == 0, told(tmp_path)
    assert count(tmp_path, RIVER_NEXT) == 30_000
    assert count(tmp_path, "SELECT count(*) FROM backfills") == 0


def test_a_worker_is_asked_to_stop_a_backfill_and_to_go_on_and_is_watched_until_it_is_done(
    tmp_path: Path, rpc: RpcServer
) -> None:
    site = rpc.add(river(blocks=30_000))
    changes = settings(tmp_path, site)

    def holding(site: Site, questions: list[dict[str, Any]], honest: Reply) -> Reply:
        if questions[0]["method"] == "eth_getLogs" and site.count("eth_getLogs") >= 3:
            site.released.wait(20)
        return honest

    site.always = holding
    with running(tmp_path, "worker", **changes) as worker:
        wait_until(lambda: site.count("eth_getLogs") >= 3, worker, tmp_path)
        with running(tmp_path, "backfill", "--chain", "river", "--stop", **changes) as asking:
            assert asking.wait(60) == 0, told(tmp_path)
        site.released.set()
        assert "The backfill of river is stopped" in told(tmp_path)
        assert count(tmp_path, "SELECT stopped FROM backfills") == 1
        assert count(tmp_path, RIVER_NEXT) < 30_000
        with running(tmp_path, "backfill", "--chain", "river", **changes) as watching:
            assert watching.wait(60) == 0, told(tmp_path)
        assert "Everything below block" in told(tmp_path)
        wait_until(lambda: count(tmp_path, RIVER_NEXT) == 30_000, worker, tmp_path)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0, told(tmp_path)
    asked = "SELECT count(*) FROM audit_log WHERE action = 'ask backfill'"
    assert (count(tmp_path, asked), count(tmp_path, asked.replace("ask ", ""))) == (2, 2)


def test_an_indexer_of_a_chain_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with running(tmp_path, "indexer", "start", "--chain", "lake") as indexer:
        assert indexer.wait(60) == 2
    assert "the program has no chain 'lake': it has demo" in told(tmp_path)
