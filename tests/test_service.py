"""The engine: where a database lies, what a failing price source means, and what needs no endpoint."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loyalty.config import load_settings
from loyalty.core.errors import Conflict, Invalid, Unavailable
from loyalty.jobs.run import Job
from loyalty.service import Engine, database_lock, database_path
from loyalty.state import job_runs
from tests.processes import CHECKOUT, environment

Opened = Callable[..., Engine]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Opened]:
    """Opens engines on a copy of the demo's program beside copies of its price files."""
    with ExitStack() as opened:

        def open_engine(**changes: str) -> Engine:
            for file in (CHECKOUT / "programs").glob("demo*"):
                if not (tmp_path / file.name).exists():
                    shutil.copy(file, tmp_path / file.name)
            values = environment(tmp_path, LOYALTY_PROGRAM=str(tmp_path / "demo-one-chain.toml"), **changes)
            own = {name: value for name, value in values.items() if name.startswith("LOYALTY_")}
            return opened.enter_context(Engine.open(load_settings(own, None)))

        yield open_engine


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("loyalty.db", Path("loyalty.db")),
        ("sqlite:////srv/loyalty.db", Path("/srv/loyalty.db")),
        ("sqlite:///loyalty.db", Path("loyalty.db")),
        ("postgresql://host/loyalty", None),
    ],
)
def test_a_database_is_a_file_however_it_is_named_or_a_server(named: str, path: Path | None) -> None:
    assert database_path(load_settings({"LOYALTY_DATABASE": named}, None)) == path


def test_one_database_has_one_worker_by_whatever_name(tmp_path: Path) -> None:
    by_path = load_settings({"LOYALTY_DATABASE": str(tmp_path / "x.db")}, None)
    by_url = load_settings({"LOYALTY_DATABASE": f"sqlite:///{tmp_path / 'x.db'}"}, None)
    with database_lock(by_path), pytest.raises(Conflict, match="in use by worker"), database_lock(by_url):
        pass


def test_a_price_file_that_cannot_be_read_fails_the_turn_and_no_other_token_and_is_over_when_it_can(
    engine: Opened, tmp_path: Path
) -> None:
    opened = engine()
    opened.prepare()
    file = tmp_path / "demo-prices-weth.csv"
    right = file.read_text()
    file.write_text("time,usd\nnoon,1\n")
    with pytest.raises(Unavailable, match=r"no prices of WETH from file: the price file .* has 1 fault"):
        opened.keep_priced()
    job = Job("price", opened.keep_priced)
    assert not job.run(opened.state, opened.now)
    file.write_text(right)
    assert job.run(opened.state, opened.now)
    with opened.state.read() as connection:
        (run,) = job_runs.all_runs(connection)
        priced = connection.exec_driver_sql("SELECT count(DISTINCT token_id) FROM price_points").scalar_one()
    assert (run.failures, run.consecutive_failures, priced) == (1, 0, 3)


def test_a_known_program_is_bound_without_asking_any_endpoint(engine: Opened) -> None:
    engine().prepare()
    nowhere = engine(LOYALTY_RPC_DEMO="http://127.0.0.1:9")
    nowhere.bind()
    assert nowhere.execute("hold", {"reason": "look"}, "ops") == {"hold": 1}


def test_an_unknown_program_is_not_bound_without_its_chain(engine: Opened) -> None:
    with pytest.raises(Invalid, match="recording"):
        engine(LOYALTY_RPC_DEMO="file:nothing.jsonl.gz").bind()


def test_a_chain_that_was_opened_and_never_asked_is_closed_all_the_same(engine: Opened) -> None:
    assert engine().chains[31337].chain.name == "demo"  # the fixture closes it
