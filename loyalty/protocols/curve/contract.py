"""What a Curve pool and its share tokens say about themselves: the calls and their answers.

`get_virtual_price()` and `balances(i)` depend on the block: they are asked on a fixed grid of blocks and stored, never
when it happens to suit.
"""

from typing import Final

from loyalty.core.address import Address
from loyalty.protocols.abi import unsigned_word
from loyalty.protocols.curve.pool import NATIVE_COIN
from loyalty.protocols.view_call import ViewCall, address_read


def _units(value: int) -> int:
    return value


def _virtual_price(value: int) -> int:
    if not value:
        raise ValueError("0, which is no price (the pool is empty)")
    return value


_COINS = bytes.fromhex("c6610657")
_COINS_INT128 = bytes.fromhex("23746eb8")
_BALANCES = bytes.fromhex("4903b0d1")
_BALANCES_INT128 = bytes.fromhex("065a80d8")

TOKEN: Final = ViewCall("token()", bytes.fromhex("fc0c546a"), address_read)
"""The separate LP token of crypto pools; StableSwap pools of then call it LP_TOKEN. A pool that answers neither is its
own LP token, or tells it only by the registry."""
LP_TOKEN: Final = ViewCall("lp_token()", bytes.fromhex("82c63066"), address_read)
VIRTUAL_PRICE: Final = ViewCall("get_virtual_price()", bytes.fromhex("bb7b8b80"), _virtual_price)
"""Invariant per LP token, 18 decimals. Of the pool."""
TOTAL_SUPPLY: Final = ViewCall("totalSupply()", bytes.fromhex("18160ddd"), _units)
"""Of the LP or gauge token."""


def coins(index: int, *, oldest: bool = False) -> ViewCall[Address]:
    """The pool's coin at `index`. The `oldest` pools (of 2020) number their coins by int128."""
    return ViewCall(f"coins({index})", (_COINS_INT128 if oldest else _COINS) + unsigned_word(index), address_read)


def balances(index: int, *, oldest: bool = False) -> ViewCall[int]:
    """What the pool counts as its own of the coin at `index`: its holdings without admin fees."""
    return ViewCall(f"balances({index})", (_BALANCES_INT128 if oldest else _BALANCES) + unsigned_word(index), _units)


def is_native(coin: Address) -> bool:
    """Whether a pool's coin is the chain's own, which moves without logs."""
    return coin == NATIVE_COIN
