"""One server for all tests of a worker; each test adds sites of its own."""

from collections.abc import Iterator

import pytest

from tests.chain.rpc_server import RpcServer, serve


@pytest.fixture(scope="session")
def rpc() -> Iterator[RpcServer]:
    with serve() as server:
        yield server
