"""What pools and tokens answer about themselves."""

import pytest
from eth_utils import keccak

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.protocols.uniswap_v3.contract import POOL_CALLS, PoolContract, decode_pool

POOL = Address("0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
USDC = "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WETH = "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"


@pytest.mark.parametrize("call", POOL_CALLS, ids=lambda call: call.function)
def test_a_payload_is_the_selector_of_its_function(call):
    assert call.payload == keccak(text=call.function)[:4]


def test_a_pool_tells_tokens_fee_and_tick_spacing():
    answers = [bytes.fromhex(USDC.rjust(64, "0")), bytes.fromhex(WETH.rjust(64, "0")), word(500), word(10)]
    assert decode_pool(answers, POOL) == PoolContract(Address("0x" + USDC), Address("0x" + WETH), 500, 10)


@pytest.mark.parametrize(
    ("place", "answer", "told"),
    [
        (0, b"", r"token0\(\) with 0 bytes"),
        (1, bytes(32), r"token1\(\) with 0x0, which is not the address of a token"),
        (0, b"\xff" * 32, r"token0\(\) with 0xf+, which is not the address"),
        (2, (1_000_000).to_bytes(32), r"fee\(\) with 1000000, which is not below 1000000"),
        (3, b"\xff" * 32, r"tickSpacing\(\) with \d+, which is not below 16384"),
    ],
)
def test_a_contract_that_is_no_pool_is_named(place, answer, told):
    answers = [word(1), word(2), word(500), word(10)]
    answers[place] = answer
    with pytest.raises(Invalid, match=f"{POOL} answers {told}.*Check address, chain and start_block"):
        decode_pool(answers, POOL)


def word(value: int) -> bytes:
    return value.to_bytes(32)
