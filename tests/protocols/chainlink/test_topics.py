"""The event's topic is the hash of the signature that stands above it."""

import re
from pathlib import Path

from eth_utils import keccak

from loyalty.protocols.chainlink import topics

SIGNATURES = re.findall(r"^# (\w+\(.*\))\n(\w+) = ", Path(topics.__file__).read_text(), re.MULTILINE)


def test_the_topic_is_the_keccak_of_its_signature():
    assert [name for _, name in SIGNATURES] == ["ANSWER_UPDATED"]
    assert keccak(text=SIGNATURES[0][0]) == topics.ANSWER_UPDATED
