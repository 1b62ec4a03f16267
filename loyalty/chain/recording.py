"""A recording as an endpoint: it answers from memory, and can play, so that its head moves with a clock of its own."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

from loyalty.chain.endpoint import CannotAnswer, Reverted
from loyalty.chain.recording_file import RecordedBlocks, read_recording
from loyalty.chain.recording_format import RecordingFacts
from loyalty.chain.recording_url import RecordingUrl, parse_recording_url
from loyalty.chain.span_size import MOST_BLOCKS
from loyalty.chain.topic_filter import TopicFilter
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.times import time_text

_number = attrgetter("number")
_time = attrgetter("time")


class ChainClock:
    """The recording's time in unix seconds: from `start` on, `speed` seconds for each second of `now`."""

    def __init__(self, start: int, speed: float, now: Callable[[], float]) -> None:
        self._start = start
        self._speed = speed
        self._now = now
        self._opened = now()

    def time(self) -> int:
        return self._start + int((self._now() - self._opened) * self._speed)


class RecordingEndpoint:
    """One recording. With a clock, blocks later than it do not exist yet; without, all of them are there."""

    def __init__(self, name: str, facts: RecordingFacts, blocks: RecordedBlocks, clock: ChainClock | None) -> None:
        self._name = name
        self._blocks = blocks
        self._headers = blocks.headers
        self._clock = clock
        self._answers = {(call.to, bytes.fromhex(call.payload[2:]), call.block): call.answer for call in facts.calls}
        self.facts = facts

    @property
    def name(self) -> str:
        return self._name

    @property
    def first_blocks(self) -> int:
        return MOST_BLOCKS

    async def chain_id(self) -> int:
        return self.facts.chain.id

    async def head(self) -> Header:
        return self._headers[self._count() - 1]

    async def finalized(self) -> Header | None:
        """The last block `finality_seconds` older than the clock, or without one than the head; None before any is."""
        count = self._count()
        now = self._headers[count - 1].time if self._clock is None else self._clock.time()
        place = bisect_right(self._headers, now - self.facts.finality_seconds, hi=count, key=_time)
        return self._headers[place - 1] if place else None

    async def header_at_or_after(self, number: int) -> Header:
        count = self._count()
        return self._headers[min(bisect_left(self._headers, number, hi=count, key=_number), count - 1)]

    async def header_at_or_before(self, number: int) -> Header:
        place = bisect_right(self._headers, number, hi=self._count(), key=_number)
        if not place:
            raise CannotAnswer(self._name, f"the recording begins at block {self._headers[0].number}, after {number}")
        return self._headers[place - 1]

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        found = [await self.header_at_or_after(number) for number in numbers]
        for number, header in zip(numbers, found, strict=True):
            if header.number != number:
                raise CannotAnswer(self._name, f"block {number} is not in the recording")
        return found

    async def logs(self, query: LogQuery) -> list[RawLog]:
        count = self._count()
        passes, addresses = TopicFilter(query).passes, frozenset(query.addresses)
        first = bisect_left(self._headers, query.span.start, hi=count, key=_number)
        last = bisect_left(self._headers, query.span.end, hi=count, key=_number)
        return [
            log
            for place in range(first, last)
            for log in self._blocks.logs_of(place)
            if log.address in addresses and passes(log.topics)
        ]

    async def call(self, to: Address, payload: bytes, block: int | None) -> bytes:
        if block is not None and block > (await self.head()).number:
            raise CannotAnswer(self._name, f"block {block} of a call is later than the recording's head")
        try:
            answer = self._answers[to, payload, block]
        except KeyError:
            told = "the head" if block is None else f"block {block}"
            missing = f"the call 0x{payload.hex()} to {to} at {told} is not in the recording: record it again"
            raise CannotAnswer(self._name, missing) from None
        if answer is None:
            raise Reverted(f"{self._name}: the contract refused the call when it was recorded")
        return bytes.fromhex(answer[2:])

    async def code_at(self, address: Address, block: int | None) -> bytes:
        """A stand-in of one byte for the contracts that are recorded: of code, only whether there is any is known."""
        if self.facts.contracts is None:
            raise CannotAnswer(self._name, "no contracts are in the recording: record it again")
        return b"\x01" if address in self.facts.contracts else b""

    async def close(self) -> None:
        """A recording holds nothing open."""

    def _count(self) -> int:
        """How many blocks exist by now, at least one."""
        if self._clock is None:
            return len(self._headers)
        count = bisect_right(self._headers, self._clock.time(), key=_time)
        if not count:
            raise CannotAnswer(
                self._name, f"the recording begins at {time_text(self._headers[0].time)}, after its clock"
            )
        return count


def open_recording(
    name: str, url: str, base: Path, now: Callable[[], float], not_before: int | None = None
) -> RecordingEndpoint:
    """The recording of a `file:` URL, read and checked; its clock starts at `not_before` at the earliest."""
    place = parse_recording_url(name, url, base)
    facts, blocks = read_recording(place.path)
    return RecordingEndpoint(name, facts, blocks, _clock(place, blocks, now, not_before))


def _clock(
    place: RecordingUrl, blocks: RecordedBlocks, now: Callable[[], float], not_before: int | None
) -> ChainClock | None:
    """None where the URL names neither a start nor a speed. A start alone is a clock that stands."""
    if place.start is None and place.speed is None:
        return None
    start = blocks.headers[0].time if place.start is None else place.start
    return ChainClock(max(start, not_before or start), place.speed or 0.0, now)
