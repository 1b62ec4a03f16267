"""A small contract, written in EVM instructions: it owns ranges of a pool directly, and does several calls in one go.

The published contracts mint only through the position manager. This one calls a pool's `mint` itself and pays in the
callback from its own balance, with any recipient: the way of direct owners, and of the forged-token attack.

Called with a sequence of (20 bytes target, 4 bytes length, call data) it makes these calls in order, all or none, and
answers as the last one does. Called back by a pool, it pays what is owed in the tokens that the callback's data names.
It trusts everyone, so it is for chains that nobody else is on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode

from loyalty.core.address import Address
from tools.evm.assembler import assemble

MINT_CALLBACK = "0xd3487997"
SWAP_CALLBACK = "0xfa461e33"
TRANSFER = "0xa9059cbb"


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a contract."""

    to: Address
    data: bytes


def batch(calls: Sequence[Call]) -> bytes:
    """The call data with which the payer makes these calls."""
    return b"".join(bytes.fromhex(c.to[2:]) + len(c.data).to_bytes(4, "big") + c.data for c in calls)


def callback_data(token0: Address, token1: Address) -> bytes:
    """What a pool hands back to the payer in its callback."""
    return encode(["address", "address"], [token0, token1])


def _pay(amount_at: int, token_at: int, after: str) -> str:
    """Sends the amount at one place of the call data, in the token at another, to the caller. Paid amounts are > 0."""
    return f"""
        {amount_at} CALLDATALOAD DUP1 0 SLT ISZERO @{after} JUMPI
        DUP1 36 MSTORE
        0 0 68 0 0 {token_at} CALLDATALOAD GAS CALL ISZERO @fail JUMPI
    {after}: POP
    """


_RUNTIME = f"""
        0 CALLDATALOAD 0xe0 SHR
        DUP1 {MINT_CALLBACK} EQ @pay JUMPI
        DUP1 {SWAP_CALLBACK} EQ @pay JUMPI
        POP 0
    next:                                               ; place
        DUP1 CALLDATASIZE EQ @done JUMPI
        DUP1 CALLDATALOAD 0x60 SHR                      ; target place
        DUP2 20 ADD CALLDATALOAD 0xe0 SHR               ; length target place
        DUP1 DUP4 24 ADD 0 CALLDATACOPY
        0 0 DUP3 0 0 DUP7 GAS CALL @called JUMPI
        RETURNDATASIZE 0 0 RETURNDATACOPY RETURNDATASIZE 0 REVERT
    called:
        SWAP1 POP ADD 24 ADD @next JUMP
    done:
        RETURNDATASIZE 0 0 RETURNDATACOPY RETURNDATASIZE 0 RETURN
    pay:
        POP
        {TRANSFER} 0xe0 SHL 0 MSTORE
        CALLER 4 MSTORE
        {_pay(4, 132, "paid0")}
        {_pay(36, 164, "paid1")}
        STOP
    fail:
        0 0 REVERT
"""


_HEAD_BYTES = 14


def creation_code() -> bytes:
    """The code that creates the payer: a head that returns the rest."""
    runtime = assemble(_RUNTIME)
    size = f"{len(runtime):#06x}"
    return assemble(f"{size} {_HEAD_BYTES} 0 CODECOPY {size} 0 RETURN") + runtime
