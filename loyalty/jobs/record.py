"""Record: what the index needs of one chain, with prices and program file, as a file that stands for an endpoint.

Only final blocks are recorded: of a recording nothing is ever rewound.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.heard_calls import HeardCalls
from loyalty.chain.record import RecordingWriter
from loyalty.chain.recording_format import (
    RecordedChain,
    RecordedPoint,
    RecordedPool,
    RecordedPrices,
    RecordingFacts,
)
from loyalty.config import PoolSettings, Program
from loyalty.config.endpoint_url import mask_url
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.spans import Span
from loyalty.jobs.ask_shares import ShareAsker
from loyalty.jobs.contracts.pool_facts import pool_facts
from loyalty.jobs.listen import Listener, ask_contracts, ask_price_contracts
from loyalty.program.rules import Rules
from loyalty.state import blocks, pools, prices, share_answers, tokens
from loyalty.state.engine import State

ALL_TIME = Span(0, 1 << 40)


class Recorded(NamedTuple):
    """What was written; `sha256` is the file's."""

    path: Path
    blocks: int
    logs: int
    sha256: str


async def record(state: State, program: Program, chain: Chain, path: Path, until: int | None = None) -> Recorded:
    """Write the recording of `chain` up to the block `until`, or to the last block that is final and indexed.

    Raises Conflict where `until` is not final, Invalid where the chain has no final blocks or `path` cannot be written.
    """
    if not path.parent.is_dir():
        raise Invalid(f"the recording {path} cannot be written: the folder {path.parent} does not exist; create it")
    settings = next(each for each in program.chains if each.id == chain.id)
    last = await _last_block(state, chain, until)
    heard = HeardCalls()
    found = await ask_contracts(chain, program, heard)
    found_prices = await ask_price_contracts(chain, program, heard)
    asked = keep_share_answers(state, program.rules, chain, last.number, heard)
    kept = dict(zip(asked, await chain.headers(asked), strict=True))
    facts = await _facts(state, program, chain, heard)
    count = logs = 0
    with RecordingWriter.open(path, facts) as writer:
        async for block in Listener(chain, settings, program, found, found_prices).blocks(last, kept):
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
        raise Conflict(f"block {until} of {chain.name} is not final yet: ask for one up to {final.number}")
    if until is None:
        with state.read() as connection:
            indexed = blocks.at_or_before(connection, chain.id, final.number)
        until = final.number if indexed is None else indexed.number
    return await chain.header_at_or_after(until)


async def _facts(state: State, program: Program, chain: Chain, heard: HeardCalls) -> RecordingFacts:
    listed = [pool for pool in program.pools if pool.chain_id == chain.id and pool.protocol == "uniswap_v3"]
    recorded = [await _pool(state, chain, pool) for pool in listed]
    return RecordingFacts(
        chain=RecordedChain(chain.name, chain.id),
        finality_seconds=0,
        pools=tuple(recorded),
        program=program_text(program.path),
        prices=stored_prices(state),
        calls=heard.calls,
        contracts=heard.contracts or None,
    )


def keep_share_answers(state: State, rules: Rules, chain: Chain, last: int, heard: HeardCalls) -> list[int]:
    """What contracts said a share is worth, as it was stored up to the block `last`; the blocks, ascending."""
    questions = ShareAsker(state, chain, rules).questions()
    blocks_asked: set[int] = set()
    with state.read() as connection:
        for each in questions:
            for answer in share_answers.answers(connection, each.pool.id, ALL_TIME):
                if answer.block <= last:
                    heard.answered(each.pool.address, each.payload, answer.block, answer.value.to_bytes(32))
                    blocks_asked.add(answer.block)
    return sorted(blocks_asked)


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
