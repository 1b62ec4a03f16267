"""What pools and tokens answer about themselves."""

import pytest
from eth_utils import keccak

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.protocols.curve import contract

POOL = Address("0x" + "99" * 20)
COIN = "0x" + "c0" * 20


def test_a_payload_is_the_selector_of_its_function():
    plain = (contract.TOKEN, contract.LP_TOKEN, contract.VIRTUAL_PRICE, contract.TOTAL_SUPPLY)
    for call in plain:
        assert call.payload == keccak(text=call.function)[:4]


@pytest.mark.parametrize(("oldest", "number"), [(False, "uint256"), (True, "int128")])
def test_a_numbered_view_carries_its_number(oldest, number):
    assert contract.coins(3, oldest=oldest).payload == keccak(text=f"coins({number})")[:4] + (3).to_bytes(32)
    assert contract.balances(1, oldest=oldest).payload == keccak(text=f"balances({number})")[:4] + (1).to_bytes(32)


def test_answers_are_addresses_and_numbers():
    assert contract.coins(0).decode(bytes.fromhex(COIN[2:].rjust(64, "0")), POOL) == COIN
    assert contract.balances(0).decode((5).to_bytes(32), POOL) == 5
    assert contract.VIRTUAL_PRICE.decode((10**18).to_bytes(32), POOL) == 10**18
    assert contract.TOTAL_SUPPLY.decode(bytes(32), POOL) == 0


@pytest.mark.parametrize(
    ("call", "answer", "told"),
    [
        (contract.coins(2), b"", r"coins\(2\) with 0 bytes"),
        (contract.coins(2), bytes(32), r"coins\(2\) with 0x0, which is not the address of a token"),
        (contract.LP_TOKEN, b"\xff" * 32, r"lp_token\(\) with 0xf+, which is not the address of a token"),
        (contract.VIRTUAL_PRICE, bytes(32), r"get_virtual_price\(\) with 0, which is no price"),
    ],
)
def test_a_contract_of_another_kind_is_named(call, answer, told):
    with pytest.raises(Invalid, match=f"{POOL} answers {told}.*Check address, chain and start_block"):
        call.decode(answer, POOL)


def test_the_native_coin_is_known():
    assert contract.is_native(Address("0x" + "ee" * 20))
    assert not contract.is_native(Address(COIN))
