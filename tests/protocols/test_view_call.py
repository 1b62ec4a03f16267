"""Answers of one word."""

import pytest
from eth_utils import keccak

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.protocols.view_call import DECIMALS

TOKEN = Address("0x" + "99" * 20)


def test_a_payload_is_the_selector_of_its_function() -> None:
    assert DECIMALS.payload == keccak(text=DECIMALS.function)[:4]


@pytest.mark.parametrize("decimals", [0, 6, 255])
def test_a_token_tells_its_decimals(decimals: int) -> None:
    assert DECIMALS.decode(decimals.to_bytes(32), TOKEN) == decimals


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"", "0 bytes"), (bytes(33), "33 bytes"), ((256).to_bytes(32), "256, which is not below 256")],
)
def test_a_contract_that_is_no_token_is_named(answer: bytes, told: str) -> None:
    with pytest.raises(
        Invalid, match=rf"{TOKEN} answers decimals\(\) with {told}.*Check address, chain and start_block"
    ):
        DECIMALS.decode(answer, TOKEN)
