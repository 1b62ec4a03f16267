"""What a pool and its tokens say about themselves: the calls (four-byte selectors, no arguments) and their answers."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from loyalty.core.address import Address, address_of_word
from loyalty.core.errors import Invalid

Answer = TypeVar("Answer")

_WORD = 32


class Call(NamedTuple, Generic[Answer]):
    """A view function without arguments: `payload` is the call's data, `decode(answer, contract)` its result."""

    function: str
    payload: bytes
    read: Callable[[int], Answer]

    def decode(self, answer: bytes, contract: Address) -> Answer:
        """The result in `answer`; Invalid where the contract does not answer as one of its kind."""
        try:
            if len(answer) != _WORD:
                raise ValueError(f"{len(answer)} bytes")
            return self.read(int.from_bytes(answer))
        except ValueError as error:
            raise Invalid(
                f"{contract} answers {self.function}() with {error}: no such contract at this address and block. "
                "Check address, chain and start_block"
            ) from None


class PoolContract(NamedTuple):
    """What never changes about a pool. `fee_pips` in hundredths of a bip: 3000 is 0.30%."""

    token0: Address
    token1: Address
    fee_pips: int
    tick_spacing: int


def _address(value: int) -> Address:
    if not 0 < value < 1 << 160:
        raise ValueError(f"{value:#x}, which is not the address of a token")
    return address_of_word(value.to_bytes(_WORD))


def _within(limit: int) -> Callable[[int], int]:
    def read(value: int) -> int:
        if not 0 <= value < limit:
            raise ValueError(f"{value}, which is not below {limit}")
        return value

    return read


TOKEN0 = Call("token0", bytes.fromhex("0dfe1681"), _address)
TOKEN1 = Call("token1", bytes.fromhex("d21220a7"), _address)
FEE_PIPS = Call("fee", bytes.fromhex("ddca3f43"), _within(1_000_000))
TICK_SPACING = Call("tickSpacing", bytes.fromhex("d0c93a7c"), _within(16_384))
"""Bounds of `UniswapV3Factory.enableFeeAmount`."""

POOL_CALLS: tuple[Call[Address] | Call[int], ...] = (TOKEN0, TOKEN1, FEE_PIPS, TICK_SPACING)
"""To be asked of a pool, in the order in which `decode_pool` takes the answers."""

DECIMALS = Call("decimals", bytes.fromhex("313ce567"), _within(256))
"""To be asked of an ERC-20 token."""


def decode_pool(answers: Sequence[bytes], pool: Address) -> PoolContract:
    """A pool's answers to POOL_CALLS."""
    token0, token1, fee, tick_spacing = answers
    return PoolContract(
        TOKEN0.decode(token0, pool),
        TOKEN1.decode(token1, pool),
        FEE_PIPS.decode(fee, pool),
        TICK_SPACING.decode(tick_spacing, pool),
    )


def decode_decimals(answer: bytes, token: Address) -> int:
    """A token's answer to DECIMALS."""
    return DECIMALS.decode(answer, token)
