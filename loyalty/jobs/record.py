"""Record: what the index needs of one chain, with the prices and the program file, as a file that stands for an endpoint.

The same conversations are held as when indexing, so a recording holds exactly the logs that an index asks for, whatever
its spans. Only final blocks are recorded: of a recording nothing is ever rewound.
"""

import hashlib
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.record import RecordingWriter, overheard
from loyalty.chain.recording_format import (
    RecordedChain,
    RecordedPoint,
    RecordedPool,
    RecordedPrices,
    RecordingFacts,
)
from loyalty.config import ChainSettings, PoolSettings, Program
from loyalty.config.endpoint_url import mask_url
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.facts import PoolPrice
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, Result
from loyalty.core.spans import Span
from loyalty.jobs.index import LOGS_WANTED, SPAN_BLOCKS_FIRST, SPAN_BLOCKS_MOST
from loyalty.jobs.pool_facts import pool_facts
from loyalty.protocols.uniswap_v3.adapter import read_last_price, read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import blocks, pools, prices, tokens
from loyalty.state.engine import State


class Recorded(NamedTuple):
    """What was written; `sha256` is the file's."""

    path: Path
    blocks: int
    logs: int
    sha256: str


class Block(NamedTuple):
    """A block to be recorded: with logs, or worth keeping for its time."""

    header: Header
    logs: Sequence[RawLog]


class Stretch(NamedTuple):
    """Blocks over which the same pools are asked the same questions."""

    span: Span
    pools: tuple[PoolSettings, ...]
    with_swaps: bool


async def record(state: State, program: Program, chain: Chain, path: Path, until: int | None = None) -> Recorded:
    """Write the recording of `chain` up to the block `until`, or to the last block that is final and indexed.

    Raises Conflict where `until` is not final, Invalid where the chain has no final blocks or `path` cannot be written.
    """
    if not path.parent.is_dir():
        raise Invalid(f"the recording {path} cannot be written: the folder {path.parent} does not exist; create it")
    settings = next(each for each in program.chains if each.id == chain.id)
    last = await _last_block(state, chain, until)
    facts = await _facts(state, program, chain)
    count = logs = 0
    with RecordingWriter.open(path, facts) as writer:
        listener = Listener(chain, settings, program)
        async for block in listener.blocks(last):
            writer.add_block(block.header, block.logs)
            count += 1
            logs += len(block.logs)
    with path.open("rb") as file:
        return Recorded(path, count, logs, hashlib.file_digest(file, "sha256").hexdigest())


async def _last_block(state: State, chain: Chain, until: int | None) -> Header:
    final = await chain.finalized()
    if final is None:
        raise Invalid(
            f"{chain.name} says nothing of final blocks, and only those are recorded: "
            "set `confirmations` of the chain in the program file"
        )
    if until is not None and until > final.number:
        raise Conflict(
            f"block {until} of {chain.name} is not final yet, the last final one is {final.number}: ask for a block up to it"
        )
    if until is None:
        with state.read() as connection:
            indexed = blocks.at_or_before(connection, chain.id, final.number)
        until = final.number if indexed is None else indexed.number
    return await chain.header_at_or_after(until)


async def _facts(state: State, program: Program, chain: Chain) -> RecordingFacts:
    recorded = [await _pool(state, chain, pool) for pool in program.pools if pool.chain_id == chain.id]
    return RecordingFacts(
        chain=RecordedChain(chain.name, chain.id),
        finality_seconds=0,
        pools=tuple(recorded),
        program=program_text(program.path),
        prices=stored_prices(state),
    )


async def _pool(state: State, chain: Chain, pool: PoolSettings) -> RecordedPool:
    found = await pool_facts(chain, pool)
    with state.read() as connection:
        row = pools.find(connection, chain.id, pool.address)
    symbols = (None, None) if row is None else (row.token0, row.token1)
    return RecordedPool(
        pool.address,
        found.token0,
        found.token1,
        found.decimals0,
        found.decimals1,
        found.fee_pips,
        found.tick_spacing,
        *symbols,
    )


def program_text(path: Path) -> str:
    """The program file as it is, but for the endpoints, which hold keys: of them only scheme and host are kept.

    Raises Invalid where an endpoint is written so that it cannot be found in the text again.
    """
    text = path.read_text(encoding="utf-8")
    for url in _servers(text):
        text = text.replace(url, mask_url(url))
    if any(url != mask_url(url) for url in _servers(text)):
        raise Invalid(f"the program file {path} writes an endpoint with escapes: write it as a plain string")
    return text


def _servers(text: str) -> list[str]:
    """The http(s) endpoints in a program file's text, the longest first: one may begin like another."""
    urls = {url for chain in tomllib.loads(text)["chains"] for url in chain.get("rpc", [])}
    return sorted((url for url in urls if not url.strip().lower().startswith("file:")), key=len, reverse=True)


def stored_prices(state: State) -> tuple[RecordedPrices, ...]:
    """Every stored price point of every token, with its source."""
    with state.read() as connection:
        return tuple(
            RecordedPrices(
                token.symbol,
                tuple(
                    RecordedPoint(point.valid_time, point.price, token.price_decimals, point.source)
                    for point in prices.points(connection, token.id)
                ),
            )
            for token in tokens.all_tokens(connection)
        )


@dataclass
class Listener:
    """Holds the index's conversations with a chain, from its pools' first blocks on, and keeps every log that it hears."""

    chain: Chain
    settings: ChainSettings
    program: Program
    _span_blocks: int = SPAN_BLOCKS_FIRST
    _ledger: Ledger = field(init=False)
    _last_prices: list[RawLog] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._managers = {manager.address: manager.start_block for manager in self.settings.position_managers}
        self._ledger = Ledger(self._managers)

    async def blocks(self, last: Header) -> AsyncIterator[Block]:
        """Up to `last` in order: blocks with logs that the index needs, the program's first block, and ends of spans."""
        begins = await self._program_begins(last)
        prices_before = await self._hear_last_prices(begins)
        for stretch in self._stretches(begins, last.number + 1):
            if begins is not None and stretch.span.start == begins.number:
                for pool, price in prices_before.items():
                    self._ledger.set_price(pool, price)
            start = stretch.span.start
            while start < stretch.span.end:
                wanted_last = min(start + self._span_blocks, stretch.span.end) - 1
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
        self._adapt(len(heard))
        heard += [log for log in self._last_prices if stretch.span.contains(log.block)]
        kept = {header.number: header for header in (begins, end_header) if header is not None}
        return _blocks(heard, {number: kept[number] for number in kept if stretch.span.contains(number)})

    async def _overhear(self, conversation: Conversation[Result], end: int) -> tuple[Result, list[RawLog], Header]:
        """The conversation's result, all the logs that it was sent, and the header of the last block."""
        heard: list[RawLog] = []
        reading = await self.chain.read(overheard(conversation, heard), end=end)
        return reading.result, heard, reading.end_header

    def _adapt(self, logs: int) -> None:
        """As an index does: a span's logs fit into memory."""
        if logs < LOGS_WANTED:
            self._span_blocks = min(self._span_blocks * 2, SPAN_BLOCKS_MOST)
        elif logs > 3 * LOGS_WANTED:
            self._span_blocks = max(self._span_blocks // 2, 1)


def _blocks(logs: Sequence[RawLog], kept: Mapping[int, Header]) -> list[Block]:
    """One block for each that has logs or is kept, in order, each log once. A log's own word for its block is enough."""
    by_block: dict[int, dict[int, RawLog]] = {number: {} for number in kept}
    headers = dict(kept)
    for log in logs:
        by_block.setdefault(log.block, {})[log.log_index] = log
        headers.setdefault(log.block, Header(log.block, log.block_hash, "", log.time))
    return [
        Block(headers[number], [by_block[number][index] for index in sorted(by_block[number])])
        for number in sorted(by_block)
    ]
