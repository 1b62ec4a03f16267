"""Recorded calls: what contracts answered while a recording was made, and which addresses were contracts."""

import msgspec

from loyalty.chain.endpoint import CannotAnswer
from loyalty.chain.recording_format import RecordedCall, RecordingFacts
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid

_SOME_CODE = b"\x01"
"""Stands for the code of a contract: what it is was not recorded."""


class RecordedCalls:
    """The answers of a recording, by contract, data and block."""

    def __init__(self, facts: RecordingFacts) -> None:
        calls = () if isinstance(facts.calls, msgspec.UnsetType) else facts.calls
        self._answers = {(call.to, call.payload, call.block): call.answer for call in calls}
        self._contracts = None if isinstance(facts.contracts, msgspec.UnsetType) else frozenset(facts.contracts)

    def answer(self, name: str, to: Address, payload: bytes, block: int | None, head: int) -> bytes:
        """As the contract answered; Invalid where it refused. CannotAnswer where it was not asked, or `block` is not
        there yet while the recording plays."""
        if block is not None and block > head:
            raise CannotAnswer(name, f"block {block} is not there yet, the last one is {head}")
        key = (to, _hex(payload), block)
        if key not in self._answers:
            at = "the head" if block is None else f"block {block}"
            raise CannotAnswer(
                name,
                f"the recording does not hold what {checksum(to)} answers to {key[1][:10]} at {at}: record it again",
            )
        if (answer := self._answers[key]) is None:
            raise Invalid(f"{name}: the contract {checksum(to)} refused the call when it was recorded")
        return bytes.fromhex(answer[2:])

    def code(self, name: str, address: Address) -> bytes:
        """Some code or none; CannotAnswer where the recording does not say which addresses are contracts."""
        if self._contracts is None:
            raise CannotAnswer(name, "the recording does not say which addresses are contracts: record it again")
        return _SOME_CODE if address in self._contracts else b""


class HeardCalls:
    """What a chain's contracts answered while something was prepared or asked: kept to be recorded."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, int | None], str | None] = {}
        self._contracts: set[str] = set()

    def answered(self, to: Address, payload: bytes, block: int | None, answer: bytes | None) -> None:
        """A call and its answer; None where the contract refused it."""
        self._calls[to, _hex(payload), block] = None if answer is None else _hex(answer)

    def looked(self, address: Address, code: bytes | None) -> None:
        """An address and the code there."""
        if code:
            self._contracts.add(address)

    @property
    def calls(self) -> tuple[RecordedCall, ...]:
        """In an order that hangs on nothing but what was asked."""
        ordered = sorted(self._calls.items(), key=lambda item: (item[0][0], item[0][1], item[0][2] or -1))
        return tuple(RecordedCall(*key, answer) for key, answer in ordered)

    @property
    def contracts(self) -> tuple[str, ...]:
        return tuple(sorted(self._contracts))


def _hex(octets: bytes) -> str:
    return "0x" + octets.hex()
