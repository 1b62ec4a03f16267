"""Fixtures of every part: a real EVM node with the real Uniswap V3 contracts."""

from collections.abc import Iterator

import pytest

from tools.evm.node import Node
from tools.evm.uniswap import Uniswap

GENESIS_TIME = 1_700_000_000


@pytest.fixture
def anvil() -> Iterator[Node]:
    """A node of the test's own. Its genesis block is at 1,700,000,000; each block is 12 seconds later by default."""
    with Node(GENESIS_TIME) as node:
        yield node


@pytest.fixture
def uniswap(anvil: Node) -> Uniswap:
    """Uniswap V3, newly deployed on the test's node."""
    return Uniswap.deploy(anvil)
