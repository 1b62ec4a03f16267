"""A reading: an adapter's conversation with the chain, held over blocks that stood still meanwhile."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol

from loyalty.chain.failover import Failover
from loyalty.chain.log_fetch import LogFetch, Moved
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery, Result


class Reading(NamedTuple, Generic[Result]):
    """What a conversation resulted in.

    `end_header` is that of the last block read, or in a recording of the first block recorded at or after it. The next
    cursor is the end that was asked for. `block_headers` holds every block with logs above the finalized one, and
    those whose time no log told.
    """

    result: Result
    end_header: Header
    block_headers: Mapping[int, Header]


class Headers(Protocol):
    """What a reading needs of its chain beside logs."""

    async def header_at_or_after(self, number: int) -> Header: ...

    async def headers(self, numbers: Sequence[int]) -> list[Header]: ...


class Reader:
    """Reads logs as of one anchor block; each round of a conversation is asked again while the chain moves.

    In the first round the anchor may be taken anew. Later the adapter already knows logs as of the anchor: then the
    rounds are repeated only until the anchor is back, and if it is not, Unavailable is raised and the next step begins
    with a new conversation.
    """

    def __init__(self, headers: Headers, failover: Failover, final_block: int, *, parallel: int, rounds: int) -> None:
        self._headers = headers
        self._failover = failover
        self._final_block = final_block
        self._parallel = parallel
        self._rounds = rounds
        self._known: dict[int, Header] = {}

    async def converse(self, conversation: Conversation[Result], end: int) -> Reading[Result]:
        """Drives `conversation`, which asks only below `end`."""
        if end < 1:
            raise Invalid(f"{self._failover.name}: nothing lies below block {end}")
        anchor: Header | None = None
        try:
            queries = next(conversation)
            while True:
                logs, anchor = await self.logs(queries, end, anchor)
                queries = conversation.send(logs)
        except StopIteration as stop:
            end_header = anchor or await self._headers.header_at_or_after(end - 1)
            return Reading(stop.value, end_header, self._known)
        finally:
            conversation.close()

    async def logs(self, queries: Sequence[LogQuery], end: int, anchor: Header | None) -> tuple[list[RawLog], Header]:
        """The logs of one round and the anchor as of which they are; a new anchor where none is given."""
        if outside := [query.span for query in queries if query.span.end > end]:
            raise Invalid(f"{self._failover.name}: blocks {outside[0]} were asked for in a reading up to {end}")
        attempt = 0
        while True:
            try:
                sight = anchor or await self._anchor(end)
                return await self._round(queries, sight), sight
            except Moved as moved:
                attempt += 1
                if attempt >= self._rounds:
                    raise Unavailable(f"{self._failover.name}: the chain is moving: {moved}") from None
            self._known.clear()
            await self._failover.pause(attempt)

    async def _anchor(self, end: int) -> Header:
        anchor = await self._headers.header_at_or_after(end - 1)
        if anchor.number < end - 1:
            raise Unavailable(
                f"{self._failover.name}: block {end - 1} is not there yet, the last one is {anchor.number}"
            )
        return anchor

    async def _round(self, queries: Sequence[LogQuery], anchor: Header) -> list[RawLog]:
        logs = await LogFetch(self._failover, anchor, self._parallel).fetch(queries)
        await self._learn(log.block for log in logs if log.block > self._final_block)
        self._check_hashes(logs)
        if self._times_believed(logs, anchor):
            return logs
        await self._learn(log.block for log in logs)
        self._check_hashes(logs)
        return [log._replace(time=self._known[log.block].time) for log in logs]

    async def _learn(self, blocks: Iterable[int]) -> None:
        """Fetch the headers of these blocks that are not known yet."""
        wanted = sorted(set(blocks) - self._known.keys())
        for header in await self._headers.headers(wanted):
            self._known[header.number] = header

    def _check_hashes(self, logs: Iterable[RawLog]) -> None:
        """Every log of a block whose header is known carries that header's hash."""
        for log in logs:
            header = self._known.get(log.block)
            if header is not None and header.hash != log.block_hash:
                raise Moved(f"block {log.block} has the hash {header.hash}, but its logs say {log.block_hash}")

    def _times_believed(self, logs: Sequence[RawLog], anchor: Header) -> bool:
        """Whether the times in the logs are there, never go back, are one a block, and agree with all known headers."""
        time, block = 1, -1
        for log in logs:
            header = self._known.get(log.block)
            if log.time < time or (log.block == block and log.time != time) or (header and header.time != log.time):
                return False
            time, block = log.time, log.block
        return time <= anchor.time or not logs
