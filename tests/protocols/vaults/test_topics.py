"""Each event's topic is the hash of the signature that stands above it."""

import re
from pathlib import Path
from types import ModuleType

import pytest
from eth_utils.crypto import keccak

from loyalty.protocols.vaults.erc4626 import topics as erc4626
from loyalty.protocols.vaults.stream_vault import topics as stream_vault


def _signatures(module: ModuleType) -> list[tuple[str, str]]:
    return re.findall(r"^# (\w+\(.*\))\n(\w+) = ", Path(str(module.__file__)).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("module", "count"), [(stream_vault, 5), (erc4626, 2)])
def test_a_topic_is_the_keccak_of_its_signature(module: ModuleType, count: int) -> None:
    signatures = _signatures(module)
    assert {name for _, name in signatures} == {name for name in vars(module) if name.isupper()}
    assert len(signatures) == count
    for signature, name in signatures:
        assert getattr(module, name) == keccak(text=signature), name
