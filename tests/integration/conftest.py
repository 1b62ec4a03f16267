"""A program on a real node, one for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.scene import GENESIS_TIME, Scene, play
from tools.evm.node import Node


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A node that forgets old states and is final four blocks behind its head."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", "2", "--prune-history")) as node:
        yield play(node, tmp_path)
