"""A JSON-RPC server as an endpoint."""

from collections.abc import Awaitable, Sequence
from typing import Any

from web3 import AsyncWeb3
from web3.exceptions import Web3Exception
from web3.types import TxParams

from loyalty.chain.endpoint import CannotAnswer, EndpointFailed, Observe, SpanTooLarge, observe_nothing
from loyalty.chain.provider import RawProvider, RpcRefused
from loyalty.chain.rpc_words import says_no_tag
from loyalty.chain.span_size import SpanSize
from loyalty.chain.topic_filter import TopicFilter
from loyalty.chain.wire import decode_header, decode_octets, decode_wire_logs
from loyalty.chain.wire_logs import raw_logs
from loyalty.core.address import Address, checksum
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery, Result

FIRST_BLOCKS = 10_000
HEADERS_PER_BATCH = 100
_ROUND_LIMIT = 1_000
"""Servers that cut an answer silently cut it at a round number, as far as is known all at a multiple of this."""


class HttpEndpoint:
    """One JSON-RPC server. Retries nothing: who asks decides whom to ask again."""

    def __init__(
        self, name: str, url: str, *, timeout_seconds: float = 30.0, observe: Observe = observe_nothing
    ) -> None:
        self._name = name
        self._provider = RawProvider(name, url, timeout_seconds, observe)
        self._web3 = AsyncWeb3(self._provider, middleware=[])
        self._batch = SpanSize(HEADERS_PER_BATCH, most=HEADERS_PER_BATCH)
        self._longest = 0

    @property
    def name(self) -> str:
        return self._name

    @property
    def first_blocks(self) -> int:
        return FIRST_BLOCKS

    async def chain_id(self) -> int:
        return await self._asked(self._web3.eth.chain_id)

    async def head(self) -> Header:
        header = await self._block("latest")
        if header is None:
            raise EndpointFailed(self._name, "it has no newest block")
        return header

    async def finalized(self) -> Header | None:
        try:
            return await self._block("finalized")
        except RpcRefused as refused:
            if says_no_tag(refused.rpc_code, refused.message):
                return None
            raise

    async def header_at_or_after(self, number: int) -> Header:
        return self._of_block(number, await self._block(hex(number)))

    async def header_at_or_before(self, number: int) -> Header:
        return await self.header_at_or_after(number)

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        """In batches, which get smaller where the server refuses their size, down to single questions."""
        found: list[Header] = []
        while len(found) < len(numbers):
            part = numbers[len(found) : len(found) + self._batch.blocks]
            try:
                found += await self._headers_of(part)
                self._batch.answered(len(part), 0)
            except (SpanTooLarge, RpcRefused):
                if len(part) == 1:
                    raise
                self._batch.refused(len(part))
            except EndpointFailed:
                self._batch.refused(len(part))
                raise
        return found

    async def logs(self, query: LogQuery) -> list[RawLog]:
        answer = await self._provider.ask("eth_getLogs", [_filter(query)])
        wire_logs = self._provider.decoded(decode_wire_logs, answer)
        if query.span.length > 1 and self._could_be_cut(len(wire_logs)):
            raise SpanTooLarge(self._name, f"an answer of {len(wire_logs)} logs could have been cut there")
        logs: list[RawLog] = self._provider.decoded(lambda wire: raw_logs(wire, query), wire_logs)
        return logs

    async def call(self, to: Address, payload: bytes, block: int | None) -> bytes:
        question: TxParams = {"to": checksum(to), "data": "0x" + payload.hex()}  # type: ignore[typeddict-item]
        asked = self._web3.eth.call(question, "latest" if block is None else block, ccip_read_enabled=False)
        return bytes(await self._of_state(self._asked(asked), block))

    async def code_at(self, address: Address, block: int | None) -> bytes:
        tag = "latest" if block is None else hex(block)
        answer = await self._of_state(self._provider.ask("eth_getCode", [address, tag]), block)
        code: bytes = self._provider.decoded(decode_octets, answer)
        return code

    async def close(self) -> None:
        await self._provider.disconnect()

    async def _of_state(self, question: Awaitable[Result], block: int | None) -> Result:
        """The answer from a block's state. Where it is refused, the state is forgotten, or the block not there yet."""
        try:
            return await question
        except (RpcRefused, SpanTooLarge) as refused:  # anvil says of a forgotten state that its block is out of range
            if block is None:
                raise
            reason = refused.reason
        if (await self.head()).number < block:
            raise EndpointFailed(self._name, f"it has no block {block} yet: {reason}")
        raise CannotAnswer(self._name, reason)

    async def _asked(self, question: Awaitable[Result]) -> Result:
        """What web3.py makes of the answer; what it cannot read is a failure of this endpoint."""
        try:
            return await question
        except (Web3Exception, ValueError, TypeError) as error:
            kind = type(error).__name__
        raise EndpointFailed(self._name, f"an answer that web3.py cannot read ({kind})")

    async def _block(self, tag: str) -> Header | None:
        answer = await self._provider.ask("eth_getBlockByNumber", [tag, False])
        header: Header | None = self._provider.decoded(decode_header, answer)
        return header

    async def _headers_of(self, numbers: Sequence[int]) -> list[Header]:
        if len(numbers) == 1:  # not as a batch of one, which is refused where batches are
            return [await self.header_at_or_after(numbers[0])]
        answers = await self._provider.ask_batch("eth_getBlockByNumber", [(hex(number), False) for number in numbers])
        blocks = [self._provider.decoded(decode_header, answer) for answer in answers]
        return [self._of_block(number, block) for number, block in zip(numbers, blocks, strict=True)]

    def _of_block(self, number: int, header: Header | None) -> Header:
        if header is None:
            raise EndpointFailed(self._name, f"it has no block {number}")
        if header.number != number:
            raise EndpointFailed(self._name, f"it answered block {header.number} where {number} was asked for")
        return header

    def _could_be_cut(self, length: int) -> bool:
        """Whether the answer is as long as a limit, told or not: a multiple of 1,000, or no shorter than any before."""
        if length < _ROUND_LIMIT:
            return False
        longest, self._longest = self._longest, max(self._longest, length)
        return length % _ROUND_LIMIT == 0 or length >= longest


def _filter(query: LogQuery) -> dict[str, Any]:
    """The question in JSON-RPC's words, whose last block is inclusive."""
    topics: list[list[str] | None] = [
        ["0x" + word.hex() for word in sorted(words)] if words else None for words in TopicFilter(query).allowed
    ]
    span = {"fromBlock": hex(query.span.start), "toBlock": hex(query.span.end - 1)}
    return {**span, "address": list(query.addresses), "topics": topics}
