"""Each event's topic is the hash of the signature that stands above it."""

import re
from pathlib import Path

import pytest
from eth_utils import keccak

from loyalty.protocols import erc20
from loyalty.protocols.curve import topics

SIGNATURES = re.findall(r"^# (\w+\(.*\))\n(\w+) = ", Path(topics.__file__).read_text(), re.MULTILINE)


def test_every_topic_has_its_signature():
    assert {name for _, name in SIGNATURES} == {name for name in vars(topics) if name.isupper()}
    assert len(SIGNATURES) == len({getattr(topics, name) for _, name in SIGNATURES}) == 30


@pytest.mark.parametrize(("signature", "name"), SIGNATURES)
def test_a_topic_is_the_keccak_of_its_signature(signature, name):
    assert getattr(topics, name) == keccak(text=signature)


def test_the_transfer_topic_is_the_keccak_of_its_signature():
    assert keccak(text="Transfer(address,address,uint256)") == erc20.TRANSFER
