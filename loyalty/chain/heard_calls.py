"""Heard calls: what contracts answered while somebody asked, kept for a recording."""

from loyalty.chain.recording_format import RecordedCall
from loyalty.core.address import Address


class HeardCalls:
    """Every call that a chain was asked, with its answer, and every contract that was found at the head."""

    def __init__(self) -> None:
        self._answers: dict[tuple[Address, bytes, int | None], bytes | None] = {}
        self._contracts: set[Address] = set()

    def answered(self, to: Address, payload: bytes, block: int | None, answer: bytes | None) -> None:
        """A call and its answer; None where the contract refused it."""
        self._answers[to, payload, block] = answer

    def looked(self, address: Address, code: bytes | None) -> None:
        """An address, and the code at it."""
        if code:
            self._contracts.add(address)

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """In an order that hangs on nothing but what was asked: contract, data, block, the head first."""
        ordered = sorted(
            self._answers.items(), key=lambda item: (*item[0][:2], -1 if item[0][2] is None else item[0][2])
        )
        return tuple(
            RecordedCall(to, "0x" + payload.hex(), block, None if answer is None else "0x" + answer.hex())
            for (to, payload, block), answer in ordered
        )

    @property
    def contracts(self) -> tuple[Address, ...]:
        """Ascending."""
        return tuple(sorted(self._contracts))
