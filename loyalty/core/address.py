"""Addresses: 20 bytes, lower-case hexadecimal with 0x inside, EIP-55 checksum outside."""

import re
from typing import NewType

from loyalty.core.errors import Invalid

Address = NewType("Address", str)

ZERO_ADDRESS = Address("0x" + "0" * 40)
_SHAPE = re.compile(r"0x[0-9a-fA-F]{40}")


def parse_address(text: str) -> Address:
    """The address a person or file wrote. A mixed-case one must carry a right EIP-55 checksum; raises Invalid."""
    if not _SHAPE.fullmatch(text):
        raise Invalid(f"{text!r} is not an address: expected 0x and 40 hexadecimal digits")
    digits = text[2:]
    address = Address(text.lower())
    if digits != digits.lower() and digits != digits.upper() and checksum(address) != text:
        raise Invalid(f"{text!r} has a wrong checksum (EIP-55): one of its letters was mistyped")
    return address


def checksum(address: Address) -> str:
    """The address in EIP-55 mixed case, as people read it."""
    from eth_utils.crypto import keccak  # imported here: eth_utils costs 0.1 s at start

    digits = address[2:]
    nibbles = keccak(text=digits).hex()
    return "0x" + "".join(d.upper() if int(n, 16) >= 8 else d for d, n in zip(digits, nibbles, strict=False))


def address_of_word(word: bytes) -> Address:
    """The address in the low 20 bytes of a 32-byte word of a log."""
    return Address("0x" + word[12:32].hex())
