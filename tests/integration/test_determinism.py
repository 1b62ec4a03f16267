"""The same chain and prices give the same numbers to the last unit, whatever the endpoint and the spans."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from loyalty.jobs import index as index_job
from loyalty.jobs.verify import verify
from loyalty.state import epochs, open_state
from tests.chain.rpc_server import serve
from tests.chaos.moving_chain import MovingChain, MovingSite, Recorded
from tests.integration.demo_program import CHAIN_ID, RECORDING, demo_engine, indexed
from tests.integration.scene import catch_up, everything

EPOCHS = 30


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole demo, from its file."""
    database = tmp_path_factory.mktemp("demo") / "loyalty.db"
    indexed(database, f"file:{RECORDING}")
    return database


def test_two_kinds_of_endpoints_and_two_sizes_of_spans_agree(
    demo_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the file in large spans, and over HTTP in spans of a few hundred logs with a head that moves."""
    monkeypatch.setattr(index_job, "SPAN_BLOCKS_FIRST", 97)
    monkeypatch.setattr(index_job, "LOGS_WANTED", 300)
    chain = MovingChain(Recorded(RECORDING), random.Random(1), 2_000)
    with serve() as rpc, demo_engine(tmp_path / "loyalty.db", rpc.add(MovingSite(chain, CHAIN_ID)).url) as engine:
        steps = 0
        while not chain.finished or engine.index_step(CHAIN_ID) is not None:
            steps += 1
            engine.index_step(CHAIN_ID)
        catch_up(engine)
        found = everything(engine.state)
    with open_state(demo_database, read_only=True) as state:
        expected = everything(state)
    assert steps > 20
    assert [row[1] for row in expected["epochs"]] == ["settled"] * EPOCHS
    for name in expected:
        assert found[name] == expected[name], name


def test_verify_computes_the_very_same_again(demo_database: Path, tmp_path: Path) -> None:
    database = shutil.copy(demo_database, tmp_path / "loyalty.db")
    with open_state(database) as state:
        report = verify(state)
    assert report.faults == ()
    assert len(report.digests) == EPOCHS
    assert report.swaps > 20_000


CHANGES = {
    "UPDATE swaps SET liquidity = liquidity || '0' WHERE block % 500 = 0 AND liquidity > '0'": "liquidity in range",
    "UPDATE daily_balances SET usd_micro_days = usd_micro_days + 1 WHERE provider_id = 30 AND day % 7 = 1": "computed",
    "UPDATE rewards SET units = '1' WHERE epoch = 7": "is stored with",
    "UPDATE epochs SET digest = '00' WHERE number = 9": "epoch 9 is stored with digest 00",
}


def test_verify_sees_every_number_that_was_changed(demo_database: Path, tmp_path: Path) -> None:
    database = shutil.copy(demo_database, tmp_path / "loyalty.db")
    with sqlite3.connect(database) as connection:
        for change in CHANGES:
            assert connection.execute(change).rowcount, change
    connection.close()
    with open_state(database) as state:
        faults = verify(state).faults
    for fault in CHANGES.values():
        assert any(fault in each for each in faults), fault


def test_rewards_and_what_is_carried_add_up_to_the_budget(demo_database: Path) -> None:
    """Of every token in every epoch: paid + carried out = own + carried in, and what is paid is the rewards' sum."""
    with open_state(demo_database, read_only=True) as state, state.read() as connection:
        budgets = [(number, row) for number in range(1, EPOCHS + 1) for row in epochs.budgets(connection, number)]
        carried: dict[str, int] = {}
        for number, row in budgets:
            rewards = [each.units for each in epochs.rewards(connection, number) if each.token == row.token]
            assert row.carried_in_units == carried.get(row.token, 0)
            assert sum(rewards) == row.paid_units
            assert row.budget_units + row.carried_in_units == (
                row.paid_units + row.carried_out_units + row.unallocated_units
            )
            carried[row.token] = row.carried_out_units
    assert sum(row.budget_units for _, row in budgets if row.token == "LOYAL") == 300_000 * 10**18
