"""Words of logs, read exactly or refused."""

import pytest

from loyalty.core.errors import Inconsistent
from loyalty.protocols.abi import address, signed, unsigned, unsigned_word


def test_a_signed_word_is_twos_complement_over_the_whole_word():
    assert signed(b"\xff" * 32, 24, "here") == -1
    assert signed(b"\xff" * 29 + b"\x80\x00\x00", 24, "here") == -(2**23)
    assert signed(bytes(29) + b"\x7f\xff\xff", 24, "here") == 2**23 - 1


@pytest.mark.parametrize("value", [-(2**23) - 1, 2**23])
def test_a_signed_word_beyond_its_type_is_refused(value):
    with pytest.raises(Inconsistent, match=f"here: {value} does not fit int24"):
        signed((value % 2**256).to_bytes(32), 24, "here")


def test_an_unsigned_word_holds_its_type_and_no_more():
    assert unsigned((2**128 - 1).to_bytes(32), 128, "here") == 2**128 - 1
    with pytest.raises(Inconsistent, match="does not fit uint128"):
        unsigned((2**128).to_bytes(32), 128, "here")


def test_an_address_fills_the_low_twenty_bytes():
    assert address(bytes(12) + b"\xab" * 20, "here") == "0x" + "ab" * 20
    with pytest.raises(Inconsistent, match=r"here: 0x.* is not an address"):
        address(bytes(11) + b"\xab" * 21, "here")


def test_a_token_id_as_a_topic_is_a_whole_word():
    assert unsigned_word(258) == bytes(30) + b"\x01\x02"
    assert unsigned_word(2**256 - 1) == b"\xff" * 32
