"""Listening: the index's conversations with a chain, with every log kept that it hears.

So a recording holds exactly the logs that an index asks for, whatever the spans of either.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.record import overheard
from loyalty.config import ChainSettings, PoolSettings, Program
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.facts import PoolPrice
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, Result
from loyalty.core.spans import Span
from loyalty.jobs.index import LOGS_WANTED, SPAN_BLOCKS_FIRST
from loyalty.jobs.step_blocks import StepBlocks
from loyalty.protocols.uniswap_v3.adapter import read_last_price, read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger


class Block(NamedTuple):
    """A block to be recorded: with logs, or worth keeping for its time."""

    header: Header
    logs: Sequence[RawLog]


class Stretch(NamedTuple):
    """Blocks over which the same pools are asked the same questions."""

    span: Span
    pools: tuple[PoolSettings, ...]
    with_swaps: bool


@dataclass
class Listener:
    """Holds the conversations, from the first block of each pool of the program on."""

    chain: Chain
    settings: ChainSettings
    program: Program
    _step_blocks: StepBlocks = field(init=False)
    _ledger: Ledger = field(init=False)
    _last_prices: list[RawLog] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._managers = {manager.address: manager.start_block for manager in self.settings.position_managers}
        self._ledger = Ledger(self._managers)
        self._step_blocks = StepBlocks(SPAN_BLOCKS_FIRST, LOGS_WANTED)

    async def blocks(self, last: Header) -> AsyncIterator[Block]:
        """Up to `last` in order: blocks with logs that are needed, the program's first block, and ends of spans."""
        begins = await self._program_begins(last)
        prices_before = await self._hear_last_prices(begins)
        for stretch in self._stretches(begins, last.number + 1):
            if begins is not None and stretch.span.start == begins.number:
                for pool, price in prices_before.items():
                    self._ledger.set_price(pool, price)
            start = stretch.span.start
            while start < stretch.span.end:
                wanted_last = min(start + self._step_blocks.blocks, stretch.span.end) - 1
                end = min((await self.chain.span_end(wanted_last)).number + 1, stretch.span.end)
                for block in await self._hear(stretch._replace(span=Span(start, end)), begins):
                    yield block
                start = end

    async def _program_begins(self, last: Header) -> Header | None:
        """The first block of the program; None where it lies above `last`."""
        found = await self.chain.first_block_at(self.program.rules.start)
        return found if found is not None and found.number <= last.number else None

    async def _hear_last_prices(self, begins: Header | None) -> dict[Address, PoolPrice]:
        """Of each pool that is older than the program, the last price before it; its log is kept."""
        found: dict[Address, PoolPrice] = {}
        for pool in self._pools():
            if begins is None or pool.start_block >= begins.number:
                continue
            conversation = read_last_price(pool.address, begins.number, pool.start_block)
            swap, heard, _ = await self._overhear(conversation, begins.number)
            if swap is not None:
                found[pool.address] = PoolPrice(swap.time, swap.sqrt_price_x96, swap.tick)
                self._last_prices += [
                    log for log in heard if (log.block, log.log_index) == (swap.block, swap.log_index)
                ]
        return found

    def _stretches(self, begins: Header | None, end: int) -> Iterator[Stretch]:
        """From pool to pool as they begin, and cut where the program does."""
        listed = self._pools()
        cuts = {pool.start_block for pool in listed if pool.start_block < end} | {end}
        first = min(cuts)
        if begins is not None and begins.number > first:
            cuts.add(begins.number)
        for start, stop in pairwise(sorted(cuts)):
            begun = tuple(pool for pool in listed if pool.start_block <= start)
            yield Stretch(Span(start, stop), begun, begins is not None and start >= begins.number)

    def _pools(self) -> list[PoolSettings]:
        return [pool for pool in self.program.pools if pool.chain_id == self.chain.id]

    async def _hear(self, stretch: Stretch, begins: Header | None) -> list[Block]:
        """The blocks of a span that are recorded."""
        addresses = [pool.address for pool in stretch.pools]
        conversation = read_span(addresses, self._managers, self._ledger, stretch.span, with_swaps=stretch.with_swaps)
        _, heard, end_header = await self._overhear(conversation, stretch.span.end)
        self._step_blocks.stepped(len(heard))
        heard += [log for log in self._last_prices if stretch.span.contains(log.block)]
        kept = {header.number: header for header in (begins, end_header) if header is not None}
        return _blocks(heard, {number: kept[number] for number in kept if stretch.span.contains(number)})

    async def _overhear(self, conversation: Conversation[Result], end: int) -> tuple[Result, list[RawLog], Header]:
        """The conversation's result, all the logs that it was sent, and the header of the last block."""
        heard: list[RawLog] = []
        reading = await self.chain.read(overheard(conversation, heard), end=end)
        return reading.result, heard, reading.end_header


def _blocks(logs: Sequence[RawLog], kept: Mapping[int, Header]) -> list[Block]:
    """Each block that has logs or is kept, in order, each log once. A log's own word for its block is enough."""
    by_block: dict[int, dict[int, RawLog]] = {number: {} for number in kept}
    headers = dict(kept)
    for log in logs:
        by_block.setdefault(log.block, {})[log.log_index] = log
        headers.setdefault(log.block, Header(log.block, log.block_hash, "", log.time))
    return [
        Block(headers[number], [by_block[number][index] for index in sorted(by_block[number])])
        for number in sorted(by_block)
    ]
