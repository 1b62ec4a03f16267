"""Logs off the wire: real ones come through unchanged, and no field is taken on trust."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loyalty.chain.wire import Malformed, decode_wire_logs
from loyalty.chain.wire_logs import raw_logs
from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from tests.chain.world import POOLS, make_world, told_log

REAL = Path(__file__).parents[2].parent / "shared/data/usdc-weth-2024-01-05/logs.jsonl.gz"
WORLD = make_world(seed=9, blocks=5)
LOG = WORLD.logs[0]


def decoded(told: list[dict[str, Any]], query: LogQuery | None = None) -> list[RawLog]:
    return raw_logs(decode_wire_logs(msgspec.Raw(json.dumps(told).encode())), query or WORLD.query())


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not here")
def test_real_logs_are_decoded_as_they_stand() -> None:
    told = [json.loads(line) for line in gzip.decompress(REAL.read_bytes()).splitlines()]
    addresses = tuple(sorted({Address(log["address"]) for log in told}))
    found = decoded(told[::-1] + told[:100], LogQuery(addresses, (), Span(0, 10**9)))
    assert len(found) == 10_391
    assert [told_log(log) for log in found] == [{**log, "transactionIndex": "0x0"} for log in told]


def test_an_address_may_come_with_its_checksum_and_a_hash_in_upper_case() -> None:
    told = told_log(LOG)
    loud = {
        **told,
        "address": "0x" + told["address"][2:].upper(),
        "blockHash": "0x" + told["blockHash"][2:].upper(),
    }
    assert decoded([loud]) == [LOG]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("blockNumber", None),
        ("blockNumber", "12"),
        ("blockNumber", "-0x1"),
        ("blockNumber", "0x1_0"),
        ("blockNumber", "0x"),
        ("blockHash", "0x12"),
        ("blockHash", None),
        ("logIndex", None),
        ("logIndex", "0x-1"),
        ("transactionHash", "0x" + "11" * 33),
        ("topics", ["0x" + " 1" * 32]),
        ("topics", None),
        ("data", "0x123"),
        ("data", "1234"),
        ("data", "0x12 34 "),
        ("blockTimestamp", "soon"),
        ("address", POOLS[0][:-1]),
        ("removed", True),
        ("removed", "no"),
    ],
)
def test_a_malformed_field_is_not_believed(field: str, value: object) -> None:
    with pytest.raises(Malformed):
        decoded([{**told_log(LOG), field: value}])


def test_topics_that_were_not_asked_for_are_not_believed() -> None:
    query = LogQuery(POOLS, ((b"\xff" * 32,),), WORLD.query().span)
    with pytest.raises(Malformed, match="topics that were not asked for"):
        decoded([told_log(LOG)], query)
    with pytest.raises(Malformed, match="topics that were not asked for"):
        decoded([told_log(LOG)], LogQuery(POOLS, ((), (), (), (b"\x01" * 32,)), WORLD.query().span))


def test_each_log_has_its_own_block() -> None:
    """Consecutive logs share what they say of their block only where they say the same."""
    first, second = told_log(LOG), {**told_log(LOG), "logIndex": "0x50", "blockHash": "0x" + "ab" * 32}
    assert [log.block_hash for log in decoded([first, second])] == [LOG.block_hash, "0x" + "ab" * 32]
