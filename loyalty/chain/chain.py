"""A chain as the indexer sees it: the endpoints that answer for it, asked as if they were one that never fails."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from loyalty.chain.block_search import last_block_between
from loyalty.chain.clock import Clock
from loyalty.chain.endpoint import Endpoint, NoneCanAnswer, Observe, Reverted, observe_nothing
from loyalty.chain.failover import Failover, Line, Patience
from loyalty.chain.heard_calls import HeardCalls
from loyalty.chain.reading import Reader, Reading
from loyalty.chain.record import overheard
from loyalty.chain.recording import RecordingEndpoint, open_recording
from loyalty.chain.recording_format import RecordingFacts
from loyalty.chain.span_size import MOST_BLOCKS
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery, Result

T = TypeVar("T")

__all__ = ["Chain", "Reading", "open_chain"]

PARALLEL = 8
HEADERS_AT_ONCE = 100
ROUNDS = 4


class Chain:
    """One chain over its endpoints. Every method raises Unavailable where, after all patience, none answers."""

    def __init__(
        self,
        name: str,
        chain_id: int,
        endpoints: Sequence[Endpoint],
        *,
        confirmations: int = 0,
        parallel: int = PARALLEL,
        most_blocks: int = MOST_BLOCKS,
        patience: Patience | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.id = chain_id
        self._endpoints = tuple(endpoints)
        self._confirmations = confirmations
        self._parallel = parallel
        self._failover = Failover(name, endpoints, patience or Patience(), clock or Clock(), most_blocks)
        self._heard: HeardCalls | None = None
        self._heard_logs: list[RawLog] | None = None

    async def check(self) -> None:
        """Every endpoint that answers is of this chain, else Invalid naming both ids; none answers: Unavailable."""
        answers = await asyncio.gather(*(self._chain_id(line) for line in self._failover.lines))
        for line, found in zip(self._failover.lines, answers, strict=True):
            if isinstance(found, int) and found != self.id:
                raise Invalid(
                    f"{line.endpoint.name} is of the chain with id {found}, but the program file says id {self.id}: "
                    "correct the endpoint or the id"
                )
        if not any(isinstance(found, int) for found in answers):
            raise Unavailable("; ".join(str(found) for found in answers))

    async def head(self) -> Header:
        """The newest block."""
        return await self._failover.ask("for its newest block", lambda line: line.endpoint.head())

    async def finalized(self) -> Header | None:
        """The newest block that cannot be reorged any more; None where neither the tag nor `confirmations` exist.

        With `confirmations`: the block that many below the head; None while there are not as many blocks.
        """
        if not self._confirmations:
            return await self._failover.ask("for its finalized block", lambda line: line.endpoint.finalized())
        return await self._failover.ask("for its confirmed block", self._confirmed)

    async def header_at_or_after(self, number: int) -> Header:
        """The header of that block; in a recording of the first one recorded at or after it, its head at most."""
        return await self._failover.ask(f"block {number}", lambda line: line.endpoint.header_at_or_after(number))

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        """Of exactly these blocks, in this order."""
        parts = [numbers[start : start + HEADERS_AT_ONCE] for start in range(0, len(numbers), HEADERS_AT_ONCE)]
        room = asyncio.Semaphore(self._parallel)

        async def ask(part: Sequence[int]) -> list[Header]:
            async with room:
                return await self._failover.ask("block headers", lambda line: line.endpoint.headers(part))

        return [header for found in await _all_of([ask(part) for part in parts]) for header in found]

    async def span_end(self, wanted_last: int) -> Header:
        """The last block of a step that would end at `wanted_last`: the head at most; in a recording a recorded one."""
        head = await self.head()
        return head if wanted_last >= head.number else await self.header_at_or_after(wanted_last)

    async def logs(self, queries: Sequence[LogQuery]) -> list[RawLog]:
        """All logs of all queries in (block, log index) order, without repetitions, as of one state of the chain."""
        end = max((query.span.end for query in queries if query.span), default=0)
        if not end:
            return []
        logs, _ = await (await self._reader()).logs(queries, end, None)
        return logs

    async def read(self, conversation: Conversation[Result], end: int) -> Reading[Result]:
        """Drives an adapter's conversation over blocks below `end`, which `span_end(…).number + 1` gives.

        The header of the last block is the same before and after each round of logs, at every endpoint that was asked,
        and logs above the finalized block carry the hashes of the chain's headers; else the round is asked again.
        """
        if self._heard_logs is not None:
            conversation = overheard(conversation, self._heard_logs)
        return await (await self._reader()).converse(conversation, end)

    async def first_block_at(self, time: int, low: int = 0) -> Header | None:
        """The first block from `low` on with a time at or after `time`; None while the head is older. By bisection."""
        found = await self.head()
        if found.time < time:
            return None
        high = found.number
        while low < high:
            middle = (low + high) // 2
            header = await self.header_at_or_after(middle)
            if header.time >= time:
                found, high = header, middle
            else:
                low = header.number + 1
        return found

    async def last_block_at(self, time: int, low: Header | None = None, high: Header | None = None) -> Header | None:
        """The last block with a time at or before `time`; `low` and `high` are known blocks to search between.

        None while the head is not later than `time`, for a block of that time may still come, and where the first
        block is later. In a recording, the last recorded one.
        """
        if high is None or high.time <= time:
            high = await self.head()
        if high.time <= time:
            return None
        if low is None or low.time > time:
            low = await self.header_at_or_after(0)
        return None if low.time > time else await last_block_between(self._header_at_or_before, time, low, high)

    async def call(self, to: Address, payload: bytes, block: int | None = None) -> bytes:
        """What a contract answers at the end of a block, or at the head; raises Invalid where it refuses the call.

        Raises NoneCanAnswer where no endpoint keeps the state of that block any more.
        """
        try:
            answer = await self._failover.ask("eth_call", lambda line: line.endpoint.call(to, payload, block))
        except Reverted:
            self._hear(lambda heard: heard.answered(to, payload, block, None))
            raise
        self._hear(lambda heard: heard.answered(to, payload, block, answer))
        return answer

    async def code_at(self, address: Address, block: int | None = None) -> bytes | None:
        """The code of a contract at a block, or at the head; empty where there is none.

        None where no endpoint keeps the state of that block any more, as all but archive nodes forget it.
        """
        try:
            code = await self._failover.ask("eth_getCode", lambda line: line.endpoint.code_at(address, block))
        except NoneCanAnswer:
            if block is None:
                raise
            return None
        self._hear(lambda heard: heard.looked(address, code))
        return code

    def hear(self, heard: HeardCalls | None) -> None:
        """From now on what contracts answer is kept in `heard` too, to be recorded; None: no longer."""
        self._heard = heard

    def hear_logs(self, heard: list[RawLog] | None) -> None:
        """From now on every log that a conversation is sent is added to `heard` too, repetitions included; None: no
        longer.
        """
        self._heard_logs = heard

    def _hear(self, tell: Callable[[HeardCalls], None]) -> None:
        if self._heard is not None:
            tell(self._heard)

    def recording_facts(self) -> RecordingFacts | None:
        """What the first recording among the endpoints carries beside logs; None where there is none."""
        recordings = (endpoint for endpoint in self._endpoints if isinstance(endpoint, RecordingEndpoint))
        return next((recording.facts for recording in recordings), None)

    async def close(self) -> None:
        """Let go of all connections, which belong to the running event loop; the next question opens new ones."""
        for endpoint in self._endpoints:
            await endpoint.close()

    async def _chain_id(self, line: Line) -> int | Unavailable:
        try:
            return await self._failover.ask("eth_chainId", lambda line: line.endpoint.chain_id(), [line])
        except Unavailable as error:
            return error

    async def _confirmed(self, line: Line) -> Header | None:
        head = await line.endpoint.head()
        number = head.number - self._confirmations
        return None if number < 0 else await line.endpoint.header_at_or_before(number)

    async def _header_at_or_before(self, number: int) -> Header:
        return await self._failover.ask(f"block {number}", lambda line: line.endpoint.header_at_or_before(number))

    async def _reader(self) -> Reader:
        finalized = await self.finalized()
        final_block = -1 if finalized is None else finalized.number
        return Reader(self, self._failover, final_block, parallel=self._parallel, rounds=ROUNDS)


def open_chain(
    name: str,
    chain_id: int,
    urls: Sequence[str],
    *,
    confirmations: int = 0,
    base: Path = Path(),
    not_before: int | None = None,
    timeout_seconds: float = 30.0,
    parallel: int = PARALLEL,
    most_blocks: int = MOST_BLOCKS,
    patience: Patience | None = None,
    clock: Clock | None = None,
    observe: Observe = observe_nothing,
) -> Chain:
    """The chain over `urls`, asked in this order: `http(s)://…` servers and `file:…` recordings (paths from `base`).

    The clock of a recording that plays starts at `not_before` at the earliest. Nothing is asked of a server yet; a
    recording is read and checked, and raises Invalid where it is cut short or damaged. `most_blocks` are asked for logs
    at once at most, `parallel` questions side by side.
    """
    if not urls:
        raise Invalid(f"the chain {name} has no endpoint: set `rpc` in the program file or its LOYALTY_RPC_ variable")
    clock = clock or Clock()
    endpoints: list[Endpoint] = []
    for number, url in enumerate(urls, 1):
        label = f"{name} endpoint {number}"
        scheme = url.partition(":")[0].lower()
        if scheme == "file":
            endpoints.append(open_recording(label, url, base, clock.now, not_before))
        elif scheme in ("http", "https"):
            endpoints.append(_server(label, url, timeout_seconds, observe))
        else:
            raise Invalid(f"{label} is neither an http:// or https:// URL nor a file: recording")
    return Chain(
        name,
        chain_id,
        endpoints,
        confirmations=confirmations,
        parallel=parallel,
        most_blocks=most_blocks,
        patience=patience,
        clock=clock,
    )


def _server(name: str, url: str, timeout_seconds: float, observe: Observe) -> Endpoint:
    from loyalty.chain.http_endpoint import HttpEndpoint  # imported here: web3 costs 0.8 s at start

    return HttpEndpoint(name, url, timeout_seconds=timeout_seconds, observe=observe)


async def _all_of(questions: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All answers in order; the first failure ends the others."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
