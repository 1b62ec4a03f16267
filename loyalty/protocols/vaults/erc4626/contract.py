"""What an ERC-4626 vault says about itself: the calls (data to send) and how their answers are read."""

from loyalty.core.address import Address, address_of_word
from loyalty.core.errors import Invalid
from loyalty.protocols.abi import unsigned_word

ASSET = bytes.fromhex("38d52e0f")
"""asset(): the token that the shares are worth."""

DECIMALS = bytes.fromhex("313ce567")
"""decimals(): of the share, or asked of the asset."""

TOTAL_ASSETS = bytes.fromhex("01e1d114")
TOTAL_SUPPLY = bytes.fromhex("18160ddd")

_CONVERT_TO_ASSETS = bytes.fromhex("07a2d13a")
_WORD = 32
_MAX_DECIMALS = 77
"""The largest power of ten in a word is 10**77."""


def convert_to_assets(share_decimals: int) -> bytes:
    """convertToAssets(10**share_decimals): the price of one whole share."""
    if not 0 <= share_decimals <= _MAX_DECIMALS:
        raise Invalid(f"{share_decimals} decimals: one whole share would not fit uint256")
    return _CONVERT_TO_ASSETS + unsigned_word(10**share_decimals)


def decode_asset(answer: bytes, vault: Address) -> Address:
    """The asset in the vault's answer to ASSET."""
    value = _number(answer, vault, "asset()")
    if not 0 < value < 1 << 160:
        raise _wrong(vault, "asset()", f"{value:#x}, which is not the address of a token")
    return address_of_word(answer)


def decode_decimals(answer: bytes, token: Address) -> int:
    """The decimals in a token's answer to DECIMALS."""
    value = _number(answer, token, "decimals()")
    if value > _MAX_DECIMALS:
        raise _wrong(token, "decimals()", f"{value}, which is above {_MAX_DECIMALS}")
    return value


def decode_units(answer: bytes, vault: Address, function: str) -> int:
    """The amount in the answer to TOTAL_ASSETS, TOTAL_SUPPLY or `convert_to_assets`; `function` names it in errors."""
    return _number(answer, vault, function)


def _number(answer: bytes, contract: Address, function: str) -> int:
    if len(answer) != _WORD:
        raise _wrong(contract, function, f"{len(answer)} bytes")
    return int.from_bytes(answer)


def _wrong(contract: Address, function: str, found: str) -> Invalid:
    return Invalid(
        f"{contract} answers {function} with {found}: no ERC-4626 vault at this address and block. Check address, "
        "chain and start_block"
    )
