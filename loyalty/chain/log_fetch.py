"""Logs over spans: cut to what each endpoint takes, asked side by side, and believed only as of one anchor block."""

import asyncio
from collections.abc import Sequence

from loyalty.chain.endpoint import EndpointFailed, SpanTooLarge, TimedOut
from loyalty.chain.failover import Failover, Line
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span


class Moved(Unavailable):
    """The chain changed while it was read: asked again, it may hold still."""


class LogFetch:
    """One reading of logs. Every endpoint that is used has shown that it has the anchor, and is asked again afterwards.

    The anchor is a block at or above all that is asked: an endpoint that lags or is on another fork does not have it,
    and the logs that it would answer are short or of another history.
    """

    def __init__(self, failover: Failover, anchor: Header, parallel: int) -> None:
        self._failover = failover
        self._anchor = anchor
        self._parallel = parallel
        self._left: asyncio.Queue[LogQuery] = asyncio.LifoQueue()
        self._found: list[RawLog] = []
        self._vouched: list[Line] = []
        self._vouching = asyncio.Lock()

    async def fetch(self, queries: Sequence[LogQuery]) -> list[RawLog]:
        """All logs of all queries in (block, log index) order, without repetitions; raises Moved or Unavailable."""
        for query in queries:
            if not query.addresses:
                raise Invalid(f"{self._failover.name}: logs of no contract were asked for: name the contracts")
            if query.span:
                self._left.put_nowait(query)
        await self._work_all()
        await self._check_anchor()
        return self._in_order()

    async def _work_all(self) -> None:
        workers = [asyncio.create_task(self._work()) for _ in range(self._parallel)]
        finished = asyncio.create_task(self._left.join())
        try:
            await asyncio.wait([finished, *workers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (finished, *workers):
                task.cancel()
            ended = await asyncio.gather(finished, *workers, return_exceptions=True)
        for failure in ended:
            if isinstance(failure, BaseException) and not isinstance(failure, asyncio.CancelledError):
                raise failure

    async def _work(self) -> None:
        while True:
            query = await self._left.get()
            await self._fetch_piece(query)
            self._left.task_done()

    async def _fetch_piece(self, query: LogQuery) -> None:
        """The first blocks of the query, as many as the endpoint takes; another worker asks for the rest."""
        piece = query

        async def ask(line: Line) -> list[RawLog]:
            nonlocal piece
            length = max(1, line.size.blocks)
            if piece.span.length > length:
                first, rest = _cut(piece, piece.span.start + length)
                self._left.put_nowait(rest)
                piece = first
            await self._vouch(line)
            return await self._ask(line, piece)

        self._found += await self._failover.ask("eth_getLogs", ask)

    async def _ask(self, line: Line, piece: LogQuery) -> list[RawLog]:
        length = piece.span.length
        try:
            logs = await line.endpoint.logs(piece)
        except SpanTooLarge as refused:
            line.size.refused(length)
            self._left_halves(line, piece, refused)
            return []
        except TimedOut:
            line.size.refused(length)
            raise
        line.size.answered(length, len(logs))
        return logs

    def _left_halves(self, line: Line, piece: LogQuery, refused: SpanTooLarge) -> None:
        """Both halves are asked instead: of the blocks, or in one block of the contracts or the longest topic list."""
        halves = _halves(piece)
        if halves is None:
            raise EndpointFailed(line.endpoint.name, f"even for block {piece.span.start} alone: {refused.reason}")
        for half in reversed(halves):
            self._left.put_nowait(half)

    async def _vouch(self, line: Line) -> None:
        """Before the endpoint's first answer is used it must have the anchor."""
        async with self._vouching:
            if line in self._vouched:
                return
            if await line.endpoint.header_at_or_after(self._anchor.number) != self._anchor:
                raise EndpointFailed(
                    line.endpoint.name, f"it lags or is on another fork at block {self._anchor.number}"
                )
            self._vouched.append(line)

    async def _check_anchor(self) -> None:
        """Every endpoint that was used still has the anchor."""
        for line in self._vouched:
            header = await self._failover.ask(
                "eth_getBlockByNumber", lambda line: line.endpoint.header_at_or_after(self._anchor.number), [line]
            )
            if header != self._anchor:
                raise Moved(f"{line.endpoint.name}: block {self._anchor.number} changed while its logs were read")

    def _in_order(self) -> list[RawLog]:
        """Raises Moved where two endpoints, or two answers of one, contradict each other."""
        self._found.sort()
        kept: list[RawLog] = []
        for log in self._found:
            if kept and kept[-1][:2] == log[:2]:
                if kept[-1]._replace(time=0) != log._replace(time=0):
                    raise Moved(f"{self._failover.name}: two different logs {log.log_index} in block {log.block}")
                continue
            if kept and kept[-1].block == log.block and kept[-1].block_hash != log.block_hash:
                raise Moved(f"{self._failover.name}: logs of two different blocks {log.block}")
            kept.append(log)
        return kept


def _cut(query: LogQuery, block: int) -> tuple[LogQuery, LogQuery]:
    return query._replace(span=Span(query.span.start, block)), query._replace(span=Span(block, query.span.end))


def _halves(query: LogQuery) -> tuple[LogQuery, LogQuery] | None:
    """The query as two; None where it asks for one block, one contract and one word a topic."""
    if query.span.length > 1:
        first, second = query.span.halves()
        return query._replace(span=first), query._replace(span=second)
    if (count := len(query.addresses)) > 1:
        addresses = query.addresses
        return query._replace(addresses=addresses[: count // 2]), query._replace(addresses=addresses[count // 2 :])
    position = max(range(len(query.topics)), key=lambda place: len(query.topics[place]), default=None)
    if position is None or (count := len(query.topics[position])) < 2:
        return None
    words = query.topics[position]
    return _with_words(query, position, words[: count // 2]), _with_words(query, position, words[count // 2 :])


def _with_words(query: LogQuery, position: int, words: tuple[bytes, ...]) -> LogQuery:
    return query._replace(topics=(*query.topics[:position], words, *query.topics[position + 1 :]))
