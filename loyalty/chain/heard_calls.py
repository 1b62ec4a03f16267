"""Heard calls: what contracts answered while somebody asked, kept for a recording."""

from loyalty.chain.calls import Calls
from loyalty.chain.endpoint import Reverted
from loyalty.chain.recording_format import RecordedCall
from loyalty.core.address import Address


class HeardCalls:
    """Passes questions on to `source`, and keeps every call with its answer and every contract found at the head."""

    def __init__(self, source: Calls) -> None:
        self._source = source
        self._answers: dict[tuple[Address, bytes, int | None], bytes | None] = {}
        self._contracts: set[Address] = set()

    async def call(self, to: Address, payload: bytes, block: int | None = None) -> bytes:
        """The source's answer. A refusal is kept too; a failure of the source is not."""
        try:
            answer = await self._source.call(to, payload, block)
        except Reverted:
            self._answers[to, payload, block] = None
            raise
        self._answers[to, payload, block] = answer
        return answer

    async def code_at(self, address: Address, block: int | None = None) -> bytes | None:
        """The source's answer."""
        code = await self._source.code_at(address, block)
        if code and block is None:
            self._contracts.add(address)
        return code

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """In the order in which they were first asked."""
        return tuple(
            RecordedCall(to, "0x" + payload.hex(), block, None if answer is None else "0x" + answer.hex())
            for (to, payload, block), answer in self._answers.items()
        )

    @property
    def contracts(self) -> tuple[Address, ...]:
        """Ascending."""
        return tuple(sorted(self._contracts))
