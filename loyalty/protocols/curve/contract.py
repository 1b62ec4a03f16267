"""What a Curve pool and its tokens say about themselves: the calls and their answers.

`get_virtual_price()` and `balances(i)` depend on the block: they are asked on a fixed grid of blocks and stored, never
when it happens to suit.
"""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

from loyalty.core.address import Address, address_of_word
from loyalty.core.errors import Invalid
from loyalty.protocols.abi import WORD, unsigned_word
from loyalty.protocols.curve.pool import NATIVE_COIN

Answer = TypeVar("Answer")


class Call(NamedTuple, Generic[Answer]):
    """A view function: `payload` is the call's data, `decode(answer, contract)` its result."""

    function: str
    payload: bytes
    read: Callable[[int], Answer]

    def decode(self, answer: bytes, contract: Address) -> Answer:
        """The result in `answer`; Invalid where the contract does not answer as one of its kind."""
        try:
            if len(answer) != WORD:
                raise ValueError(f"{len(answer)} bytes")
            return self.read(int.from_bytes(answer))
        except ValueError as error:
            raise Invalid(
                f"{contract} answers {self.function} with {error}: no such contract at this address and block. "
                "Check address, chain and start_block"
            ) from None


def _address(value: int) -> Address:
    if not 0 < value < 1 << 160:
        raise ValueError(f"{value:#x}, which is not an address")
    return address_of_word(value.to_bytes(WORD))


def _units(value: int) -> int:
    return value


def _virtual_price(value: int) -> int:
    if not value:
        raise ValueError("0, which is no price (the pool is empty)")
    return value


def _decimals(value: int) -> int:
    if value > 255:
        raise ValueError(f"{value}, which does not fit uint8")
    return value


_COINS = bytes.fromhex("c6610657")
_COINS_INT128 = bytes.fromhex("23746eb8")
_BALANCES = bytes.fromhex("4903b0d1")
_BALANCES_INT128 = bytes.fromhex("065a80d8")

TOKEN: Final = Call("token()", bytes.fromhex("fc0c546a"), _address)
"""The separate LP token of crypto pools; StableSwap pools of then call it LP_TOKEN. A pool that answers neither is its
own LP token, or tells it only by the registry."""
LP_TOKEN: Final = Call("lp_token()", bytes.fromhex("82c63066"), _address)
VIRTUAL_PRICE: Final = Call("get_virtual_price()", bytes.fromhex("bb7b8b80"), _virtual_price)
"""Invariant per LP token, 18 decimals. Of the pool."""
TOTAL_SUPPLY: Final = Call("totalSupply()", bytes.fromhex("18160ddd"), _units)
"""Of the LP or gauge token."""
DECIMALS: Final = Call("decimals()", bytes.fromhex("313ce567"), _decimals)
"""Of a coin or share token."""


def coins(index: int, *, oldest: bool = False) -> Call[Address]:
    """The pool's coin at `index`. The `oldest` pools (of 2020) number their coins by int128."""
    return Call(f"coins({index})", (_COINS_INT128 if oldest else _COINS) + unsigned_word(index), _address)


def balances(index: int, *, oldest: bool = False) -> Call[int]:
    """What the pool counts as its own of the coin at `index`: its holdings without admin fees."""
    return Call(f"balances({index})", (_BALANCES_INT128 if oldest else _BALANCES) + unsigned_word(index), _units)


def is_native(coin: Address) -> bool:
    """Whether a pool's coin is the chain's own, which moves without logs."""
    return coin == NATIVE_COIN
