"""Calls: what contracts answer, asked of a chain or through who listens."""

from typing import Protocol

from loyalty.core.address import Address


class Calls(Protocol):
    """Who can be asked what contracts answer."""

    async def call(self, to: Address, payload: bytes, block: int | None = None) -> bytes:
        """What a contract answers at the end of a block, or at the head; raises Invalid where it refuses the call."""
        ...

    async def code_at(self, address: Address, block: int | None = None) -> bytes | None:
        """The code of a contract; empty where there is none, None where the block's state is not kept any more."""
        ...
