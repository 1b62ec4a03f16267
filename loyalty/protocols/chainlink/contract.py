"""What a feed's proxy says about itself: the calls and their answers (AggregatorProxy of Chainlink's contracts).

A proxy passes on what its current aggregator says. The aggregators that it had and has are its phases, numbered from 1.
"""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from loyalty.core.address import ZERO_ADDRESS, Address, address_of_word
from loyalty.core.errors import Invalid

Answer = TypeVar("Answer")

_WORD = 32
_PHASE_OFFSET = 64
_PHASE_AGGREGATORS = bytes.fromhex("c1597304")


class View(NamedTuple, Generic[Answer]):
    """A view function with its arguments: `payload` is the call's data, `decode(answer, contract)` its result."""

    function: str
    payload: bytes
    words: int
    read: Callable[[Sequence[bytes]], Answer]

    def decode(self, answer: bytes, contract: Address) -> Answer:
        """The result in `answer`; Invalid where the contract does not answer as a feed's proxy."""
        try:
            if len(answer) != self.words * _WORD:
                raise ValueError(f"{len(answer)} bytes")
            return self.read([answer[start : start + _WORD] for start in range(0, len(answer), _WORD)])
        except ValueError as error:
            raise Invalid(
                f"{contract} answers {self.function} with {error}: no Chainlink proxy at this address and block. "
                "Check the address of the price feed and its chain"
            ) from None


class RoundData(NamedTuple):
    """What a proxy says about a round. `round_id` is the proxy's: the phase and, below it, the aggregator's own."""

    round_id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in_round: int

    @property
    def phase(self) -> int:
        return self.round_id >> _PHASE_OFFSET

    @property
    def aggregator_round_id(self) -> int:
        """The number under which the aggregator's own AnswerUpdated names the round."""
        return self.round_id & ((1 << _PHASE_OFFSET) - 1)


def _unsigned(word: bytes, bits: int) -> int:
    value = int.from_bytes(word)
    if value >> bits:
        raise ValueError(f"{value}, which does not fit uint{bits}")
    return value


def _decimals(words: Sequence[bytes]) -> int:
    return _unsigned(words[0], 8)


def _phase_id(words: Sequence[bytes]) -> int:
    phase = _unsigned(words[0], 16)
    if not phase:
        raise ValueError("0, which is no phase")
    return phase


def _aggregator(words: Sequence[bytes]) -> Address | None:
    _unsigned(words[0], 160)
    address = address_of_word(words[0])
    return None if address == ZERO_ADDRESS else address


def _round_data(words: Sequence[bytes]) -> RoundData:
    round_id, answer, started_at, updated_at, answered_in_round = words
    return RoundData(
        _unsigned(round_id, 80),
        int.from_bytes(answer, signed=True),
        int.from_bytes(started_at),
        int.from_bytes(updated_at),
        _unsigned(answered_in_round, 80),
    )


DECIMALS = View("decimals()", bytes.fromhex("313ce567"), 1, _decimals)
"""The decimals of every answer: 8 for nearly all USD feeds, not all."""

PHASE_ID = View("phaseId()", bytes.fromhex("58303b10"), 1, _phase_id)
"""The number of the current phase: so many aggregators there are. It grows, so it is asked again at each step."""

LATEST_ROUND_DATA = View("latestRoundData()", bytes.fromhex("feaf968c"), 5, _round_data)


def phase_aggregator(phase: int) -> View[Address | None]:
    """The aggregator of a phase (from 1); None where the proxy has no such phase."""
    payload = _PHASE_AGGREGATORS + phase.to_bytes(_WORD)
    return View(f"phaseAggregators({phase})", payload, 1, _aggregator)
