"""AnswerUpdated as an aggregator logs it."""

import pytest
from eth_abi import encode

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import OracleAnswer
from loyalty.core.logs import RawLog
from loyalty.protocols.chainlink.events import decode_answer_updated
from loyalty.protocols.chainlink.topics import ANSWER_UPDATED

AGGREGATOR = Address("0x" + "a9" * 20)


def log(answer=6_321_050_000_000, round_id=49_151, updated_at=1_704_412_811, topics=None, data=None):
    words = (ANSWER_UPDATED, encode(["int256"], [answer]), encode(["uint256"], [round_id]))
    body = encode(["uint256"], [updated_at]) if data is None else data
    return RawLog(18_937_000, 77, 1_704_412_811, AGGREGATOR, topics or words, body, b"\x11" * 32, "0x" + "22" * 32)


def test_an_answer_is_read_with_its_round_and_time():
    assert decode_answer_updated(log()) == OracleAnswer(
        AGGREGATOR, 18_937_000, 77, 1_704_412_811, 49_151, 6_321_050_000_000, 1_704_412_811, b"\x11" * 32
    )


@pytest.mark.parametrize("answer", [0, -1, -(2**255), 2**255 - 1])
def test_an_answer_that_is_no_price_is_a_fact_too(answer):
    assert decode_answer_updated(log(answer=answer)).answer == answer


def test_the_time_is_the_feeds_own_and_not_the_blocks():
    assert decode_answer_updated(log(updated_at=1_704_412_000)).updated_at == 1_704_412_000


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (log(topics=(ANSWER_UPDATED,)), "1 topics and 32 bytes"),
        (log(data=b""), "3 topics and 0 bytes"),
        (log(data=bytes(64)), "3 topics and 64 bytes"),
        (log(updated_at=0), "the time 0"),
        (log(updated_at=2**63), "the time 9223372036854775808"),
    ],
)
def test_a_log_of_another_shape_is_named(damaged, told):
    with pytest.raises(Inconsistent, match=f"AnswerUpdated of {AGGREGATOR}, block 18937000, log 77: {told}"):
        decode_answer_updated(damaged)
