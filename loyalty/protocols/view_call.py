"""A call of a view function whose answer is one word: what is sent, and how the answer is read."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from loyalty.core.address import Address, address_of_word
from loyalty.core.errors import Invalid
from loyalty.protocols.abi import WORD

Answer = TypeVar("Answer")


class ViewCall(NamedTuple, Generic[Answer]):
    """`function` with its arguments, as errors name it; `payload` is the call's data, `decode(answer, contract)` its
    result; `read` raises ValueError, saying what it found, for a word that is no answer."""

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


def address_read(value: int) -> Address:
    """The token's address that a word holds; ValueError for zero and for what is longer."""
    if not 0 < value < 1 << 160:
        raise ValueError(f"{value:#x}, which is not the address of a token")
    return address_of_word(value.to_bytes(WORD))


def below(limit: int) -> Callable[[int], int]:
    """Reads a number; ValueError where it reaches `limit`."""

    def read(value: int) -> int:
        if not value < limit:
            raise ValueError(f"{value}, which is not below {limit}")
        return value

    return read


DECIMALS = ViewCall("decimals()", bytes.fromhex("313ce567"), below(1 << 8))
"""To be asked of an ERC-20 token."""
