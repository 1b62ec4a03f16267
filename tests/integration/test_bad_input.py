"""Wrong input and bad luck: each is told with what to do and an exit code, and leaves the database as it was."""

import logging
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loyalty.cli import main
from loyalty.core.address import checksum
from loyalty.core.times import time_text
from loyalty.state.lock import WorkerLock
from tests.integration.scene import (
    ALICE,
    GENESIS_TIME,
    START,
    TRADER,
    Scene,
    catch_up,
    environment,
    everything,
    open_engine,
    play,
)
from tools.evm.node import Node

ROOT = Path(__file__).parent.parent.parent
DAY = 86_400
NOWHERE = "0x" + "12" * 20
ROOM_BYTES = 40_960
"""Too little for the write-ahead log of a step, enough for SQLite to open the database."""


@dataclass
class Told:
    """What a command said."""

    code: int
    output: str
    error: str


class Operator:
    """Someone at a terminal: runs commands against one database, which is compared before and after."""

    def __init__(self, scene: Scene, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.scene = scene
        self._patch = patch
        self._capture = capture
        self.database = scene.folder / "loyalty.db"

    def runs(self, *arguments: str, rpc: str | None = None, **replaced: str) -> Told:
        """`loyalty` with these arguments and a program file with these keys replaced."""
        program = self.scene.program("tried.toml", **replaced)
        for name, value in environment(program, self.database, rpc or self.scene.node.url).items():
            self._patch.setenv(name, value)
        self._patch.setattr(sys, "argv", ["loyalty", *arguments])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capture.readouterr()
        return Told(int(ended.value.code or 0), said.out, said.err)

    def refused(self, code: int, *arguments: str, rpc: str | None = None, **replaced: str) -> str:
        """The message of a command that must fail with this code and change nothing."""
        before = dumped(self.database)
        told = self.runs(*arguments, rpc=rpc, **replaced)
        assert told.code == code, told
        assert "Traceback" not in told.error
        assert dumped(self.database) == before
        return told.error


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A node that keeps all its states, with some liquidity and a price."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", "2")) as node:
        scene = play(node, tmp_path)
        scene.mint(ALICE, -600, 600, 5_000)
        scene.node.mine_at(START)
        scene.swap(40)
        yield scene


@pytest.fixture
def operator(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Operator]:
    """With a database that is indexed; logging is as before afterwards."""
    with scene.engine() as engine:
        catch_up(engine)
    monkeypatch.chdir(scene.folder)
    root, level = logging.getLogger(), logging.getLogger("loyalty").level
    handlers = root.handlers[:]
    yield Operator(scene, monkeypatch, capsys)
    root.handlers[:] = handlers
    logging.getLogger("loyalty").setLevel(level)


def dumped(database: Path) -> list[str]:
    """Every row and every table of a database file."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def one_more_pool(scene: Scene, address: str, start_block: int) -> str:
    return (
        f'\n[[pools]]\nchain = "play"\nprotocol = "uniswap_v3"\naddress = "{address}"\n'
        f'start_block = {start_block}\ntokens = ["ONE", "TWO"]\n'
    )


def test_a_pool_address_without_a_contract(operator: Operator) -> None:
    more = one_more_pool(operator.scene, NOWHERE, 5)
    error = operator.refused(2, "index", exclusions=more)
    assert "pools[0x1212121212121212121212121212121212121212]: there is no contract at this address on play" in error


def test_a_contract_that_is_no_pool(operator: Operator) -> None:
    more = one_more_pool(operator.scene, operator.scene.pool.token0, 5)
    error = operator.refused(2, "index", exclusions=more)
    assert f"pools[{checksum(operator.scene.pool.token0)}]: the contract at this address is no Uniswap V3 pool" in error


def test_a_pool_that_is_not_deployed_at_its_start_block(operator: Operator) -> None:
    scene = operator.scene
    price = scene.uniswap.view(scene.pool).slot0().sqrt_price_x96
    second = scene.uniswap.create_pool(scene.pool.token0, scene.pool.token1, 500, price)
    error = operator.refused(2, "index", exclusions=one_more_pool(scene, second.address, scene.start_block))
    assert f"start_block: the pool is not deployed yet at block {scene.start_block} of play" in error
    assert "set it to the block in which the pool was created" in error


def test_a_pool_whose_start_block_is_too_late(operator: Operator) -> None:
    scene = operator.scene
    late = scene.node.header().number - 1
    told = fresh(operator).runs("index", start_block=str(late))
    assert told.code == 1
    assert "the pool is older than its start_block: index it again from its creation" in told.error
    with open_engine(scene.program(start_block=str(late)), operator.database, scene.node.url) as engine:
        rows = everything(engine.state)
    assert [rows[name] for name in ("swaps", "liquidity", "transfers", "daily", "epochs")] == [[]] * 5


def test_decimals_that_contradict_the_chain(operator: Operator) -> None:
    error = fresh(operator).refused(2, "index", two_decimals="8")
    assert "tokens[TWO].decimals is 8, but the contract" in error
    assert "has 6: correct the program file" in error


def test_an_endpoint_of_another_chain(operator: Operator) -> None:
    error = fresh(operator).refused(2, "index", chain_id="42161")
    assert "is of the chain with id 31337, but the program file says id 42161" in error
    assert operator.scene.node.url not in error


def test_a_recording_that_is_cut_short(operator: Operator) -> None:
    scene = operator.scene
    for _ in range(6):
        scene.node.mine()
    assert operator.runs("record", "whole.jsonl.gz").code == 0
    whole = (scene.folder / "whole.jsonl.gz").read_bytes()
    cut = scene.folder / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    error = operator.refused(2, "index", rpc=f"file:{cut}")
    assert f"the recording {cut} is cut short" in error
    assert "Copy or record it again" in error
    assert operator.runs("index", rpc=f"file:{scene.folder / 'whole.jsonl.gz'}").code == 0


def test_a_recording_that_does_not_hold_the_pool(operator: Operator) -> None:
    scene = operator.scene
    for _ in range(6):
        scene.node.mine()
    assert operator.runs("record", "whole.jsonl.gz").code == 0
    more = one_more_pool(scene, NOWHERE, 5)
    error = operator.refused(2, "index", rpc=f"file:{scene.folder / 'whole.jsonl.gz'}", exclusions=more)
    assert "the recording of play does not hold this pool" in error


def test_a_database_that_another_worker_holds(operator: Operator) -> None:
    with WorkerLock(operator.database, START):
        error = operator.refused(1, "index")
        assert f"is in use by worker pid {os.getpid()} since {time_text(START)}" in error
        assert "stop that worker first, or use another database" in error
        error = operator.refused(1, "worker")
    assert "is in use by worker" in error
    assert operator.runs("index").code == 0


def test_a_database_of_another_program(operator: Operator) -> None:
    error = operator.refused(1, "index", name="Another one")
    assert "the database belongs to" in error
    assert "'Another one'" in error
    error = operator.refused(1, "index", start=time_text(START + DAY))
    assert "the database belongs to" in error


def test_a_database_of_a_newer_version(operator: Operator) -> None:
    with sqlite3.connect(operator.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in ("index", "status", "settle"):
        error = operator.refused(1, command)
        assert "has schema version 9999" in error
        assert "install the newer release" in error


def test_a_file_that_is_no_database(operator: Operator) -> None:
    operator.database.write_bytes(b"not a database at all, but long enough to be looked at" * 200)
    before = operator.database.read_bytes()
    told = operator.runs("index")
    assert told.code == 2
    assert "is not a database: the file holds something else. Check LOYALTY_DATABASE" in told.error
    assert operator.database.read_bytes() == before


def test_a_full_disk_while_indexing(operator: Operator) -> None:
    """A process that may not write files beyond a size, as on a disk without room; with room it goes on."""
    scene = operator.scene
    swaps = [scene.uniswap.router.swap(TRADER, scene.pool, turn % 2 == 0, 10**6) for turn in range(400)]
    scene.uniswap.send(TRADER, *swaps)
    before = dumped(operator.database)
    program = scene.program("tried.toml")
    variables = {**os.environ, **environment(program, operator.database, scene.node.url)}
    child = subprocess.run(
        [sys.executable, "-m", "loyalty", "index"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, ROOM_BYTES)),
    )
    assert child.returncode == 1, child.stderr
    assert "Traceback" not in child.stderr
    assert "disk" in child.stderr
    assert dumped(operator.database) == before
    assert operator.runs("index").code == 0
    with sqlite3.connect(operator.database) as connection:
        assert connection.execute("SELECT count(*) FROM swaps").fetchone() == (402,)
    connection.close()


def test_a_full_database_keeps_nothing_of_the_step(scene: Scene) -> None:
    """SQLite's own limit of pages: the step fails, the cursor stays, and with room it is done again."""
    with scene.engine() as engine:
        catch_up(engine)
        for turn in range(40):
            scene.swap(30 + turn % 5)
        before = everything(engine.state)
        with engine.state.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar_one()
        with pytest.raises(Exception, match="full"):
            catch_up(engine)
        assert everything(engine.state) == before
        with engine.state.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 4294967294").scalar_one()
        catch_up(engine)
        assert len(everything(engine.state)["swaps"]) == len(before["swaps"]) + 40


def test_before_the_start_nothing_is_due_and_nothing_is_credited(operator: Operator) -> None:
    """The clock of the chain stands before the program's start: liquidity is followed, prices and days are not."""
    later = time_text(START + 3 * DAY)
    operator = fresh(operator)
    assert operator.runs("index", start=later).code == 0
    settled = operator.runs("settle", start=later)
    assert (settled.code, settled.error.count("rror")) == (0, 0)
    status = operator.runs("status", start=later)
    assert status.code == 0
    with open_engine(operator.scene.program(start=later), operator.database, operator.scene.node.url) as engine:
        rows = everything(engine.state)
    assert rows["liquidity"]
    assert [row[7] for row in rows["swaps"]] == [None]  # the pool's Initialize
    assert [rows[name] for name in ("daily", "days", "epochs", "rewards", "balances")] == [[]] * 5


def test_after_the_end_nothing_is_credited_any_more(operator: Operator) -> None:
    """Blocks, swaps and calculations far beyond the program's end change none of its numbers."""
    scene = operator.scene
    end = START + 3 * DAY
    scene.swap(-20, time=end - 60)
    scene.node.mine_at(end + 7_200)
    for _ in range(6):
        scene.node.mine()
    assert operator.runs("index").code == 0
    assert operator.runs("settle").code == 0
    with open_engine(scene.program(), operator.database, scene.node.url) as engine:
        at_end = everything(engine.state)
    assert [row[1] for row in at_end["epochs"]] == ["settled"] * 3
    scene.mint(ALICE, -60, 60, 100_000, time=end + 2 * DAY)
    scene.swap(70, time=end + 3 * DAY)
    for _ in range(6):
        scene.node.mine()
    assert operator.runs("index").code == 0
    assert operator.runs("settle").code == 0
    with open_engine(scene.program(), operator.database, scene.node.url) as engine:
        later = everything(engine.state)
    assert len(later["swaps"]) > len(at_end["swaps"])
    for name in ("daily", "days", "epochs", "rewards", "prices"):
        assert later[name] == at_end[name], name
    assert max(int(str(row[2])) for row in later["daily"]) == (end - 1) // DAY


def fresh(operator: Operator) -> Operator:
    """The same operator with a database that holds only the tables."""
    operator.database = operator.scene.folder / "fresh.db"
    assert operator.runs("db", "upgrade").code == 0
    return operator
