"""Fixtures: real databases. A migrated one is made once and copied for each test.

Tests of a module that says ON_EACH_ENGINE run on SQLite and, where its programs are installed, on a PostgreSQL of
their own.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import create_engine

from loyalty.core.address import Address
from loyalty.program.rules import Token
from loyalty.state import State, StateTransaction, chains, open_state, pools, tokens
from loyalty.state.migrate import upgrade


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty database of this release's schema version."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    with open_state(path) as state:
        upgrade(state)
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """A migrated database file of the test's own."""
    return Path(shutil.copy(migrated, tmp_path / "loyalty.db"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "state" in metafunc.fixturenames and getattr(metafunc.module, "ON_EACH_ENGINE", False):
        metafunc.parametrize("state", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def state(request: pytest.FixtureRequest) -> Iterator[State]:
    """A migrated, open, empty database; SQLite unless the test asks for another engine."""
    fixture = "postgresql_url" if getattr(request, "param", "sqlite") == "postgresql" else "database"
    with open_state(request.getfixturevalue(fixture)) as state:
        yield state


class PostgreSQL(NamedTuple):
    """A running server: the folder of its socket, and the numbers of databases not taken yet."""

    folder: Path
    numbers: Iterator[int]

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, name: str, template: str) -> str:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A server of the tests' own that listens on a socket in a folder of its own; it has the database `migrated`."""
    pytest.importorskip("psycopg")
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("the programs initdb and postgres are not installed")
    folder = Path(tempfile.mkdtemp(prefix="loyalty-pg-"))
    user = "nobody" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    cluster = folder / "cluster"
    initdb = ["initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", str(cluster)]
    subprocess.run(initdb, user=user, check=True, capture_output=True, cwd=folder)
    options = ["-F", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            ["postgres", "-D", str(cluster), *options], user=user, stdout=log, stderr=log, cwd=folder
        )
    try:
        running = PostgreSQL(folder, count(1))
        wait_for(folder, server)
        with open_state(running.create("migrated", "template0")) as state:
            upgrade(state)
        yield running
    finally:
        server.send_signal(signal.SIGINT)  # without waiting for clients
        server.wait(60)
        shutil.rmtree(folder)


def wait_for(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    """Until the server takes connections; `pg_isready` itself looks only once."""
    ready = ["pg_isready", "-q", "-h", str(folder)]
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None:
            raise RuntimeError((folder / "log").read_text())


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> str:
    """A migrated PostgreSQL database of the test's own."""
    return postgresql.create(f"test_{next(postgresql.numbers)}", "migrated")


class Pool(NamedTuple):
    chain: int
    id: int
    address: Address
    token_ids: tuple[int, int]


POOL = Address("0x" + "e9" * 20)
OTHER_POOL = Address("0x" + "f0" * 20)


def store_pool(state: State, address: Address = POOL, chain: int = 42161, start_block: int = 100) -> Pool:
    """A pool of WBTC and tBTC on a chain, stored with its chain and tokens."""
    with StateTransaction(state) as connection:
        chains.ensure(connection, chain, f"chain-{chain}")
        wbtc = tokens.ensure(connection, Token("WBTC", 0, None, 8, 8, 7200))
        tbtc = tokens.ensure(connection, Token("tBTC", 0, None, 18, 8, 7200))
        pool_id = pools.ensure(connection, chain, address, "uniswap_v3", wbtc, tbtc, start_block, 500, 10)
    return Pool(chain, pool_id, address, (wbtc, tbtc))


@pytest.fixture(scope="session")
def add_pool() -> Callable[..., Pool]:
    return store_pool


@pytest.fixture
def pool(state: State) -> Pool:
    return store_pool(state)


@pytest.fixture
def other_pool(state: State, pool: Pool) -> Pool:
    return store_pool(state, OTHER_POOL)
