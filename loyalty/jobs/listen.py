"""Listening: the index itself, on a database of its own that is thrown away, with every log kept that it hears.

So a recording holds exactly the logs that an index asks for, whatever the protocols and the spans of either.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.heard_calls import HeardCalls
from loyalty.config import ChainSettings, PoolSettings, Program
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict
from loyalty.core.logs import RawLog
from loyalty.jobs.contracts import price_contracts
from loyalty.jobs.contracts.contract_facts import ContractFacts, contract_facts
from loyalty.jobs.contracts.holders import check_holder
from loyalty.jobs.contracts.vault_facts import VaultFacts
from loyalty.jobs.followers import pool_price
from loyalty.jobs.index import SPAN_BLOCKS_FIRST, Indexer, Step
from loyalty.jobs.prepare import prepare
from loyalty.program.rules import PoolKey
from loyalty.protocols.uniswap_v3.adapter import read_last_price
from loyalty.state import open_state
from loyalty.state.engine import State
from loyalty.state.migrate import upgrade


class Block(NamedTuple):
    """A block to be recorded: with logs, or worth keeping for its time."""

    header: Header
    logs: Sequence[RawLog]


@dataclass
class Listener:
    """Indexes the chain from the first block of each pool of the program on; `found` is what its contracts say."""

    chain: Chain
    settings: ChainSettings
    program: Program
    found: Mapping[PoolKey, ContractFacts]
    found_prices: Sequence[price_contracts.Found] = ()

    async def blocks(self, last: Header, kept: Mapping[int, Header]) -> AsyncIterator[Block]:
        """Up to `last` in order: blocks with logs that are needed, the program's first block, ends of steps, and those
        of `kept`, by number.
        """
        begins = await self._program_begins(last)
        early = await self._last_prices(begins)
        worth = dict(kept) if begins is None else {**kept, begins.number: begins}
        told = -1
        with self._database() as state:
            async for step, heard in self._steps(state, last):
                logs = [log for log in heard if log.block >= step.span.start]
                logs += [log for log in early if told < log.block < step.span.end]
                ends = {step.end.number: step.end} if step.span.contains(step.end.number) else {}
                headers = {number: header for number, header in worth.items() if told < number < step.span.end} | ends
                for block in _blocks(logs, headers):
                    yield block
                told = step.span.end - 1

    async def _steps(self, state: State, last: Header) -> AsyncIterator[tuple[Step, list[RawLog]]]:
        managers = {manager.address: manager.start_block for manager in self.settings.position_managers}
        index = Indexer(state, self.chain, managers, self.program.rules.start, SPAN_BLOCKS_FIRST)
        heard: list[RawLog] = []
        self.chain.hear_logs(heard)
        try:
            while (step := await index.step(0, last.number)) is not None:
                if not isinstance(step, Step):
                    raise Conflict(
                        f"{self.chain.name} changed below a final block while it was recorded: record it again"
                    )
                yield step, list(heard)
                heard.clear()
        finally:
            self.chain.hear_logs(None)

    async def _program_begins(self, last: Header) -> Header | None:
        """The first block of the program; None where it lies above `last`."""
        found = await self.chain.first_block_at(self.program.rules.start)
        return found if found is not None and found.number <= last.number else None

    async def _last_prices(self, begins: Header | None) -> list[RawLog]:
        """Of each Uniswap pool that is older than the program, the log of the last price before it; of one that prices
        a token, before it is followed.

        The index looks for it when it comes there; the blocks before are written by then.
        """
        asked = [
            (pool.address, begins.number, pool.start_block)
            for pool in self._pools()
            if begins is not None and pool.protocol == "uniswap_v3" and pool.start_block < begins.number
        ]
        asked += [(each.address, each.start_block, 0) for each in self.found_prices if each.kind == pool_price.KIND]
        return [log for pool, before, since in asked for log in await self._last_price(pool, before, since)]

    async def _last_price(self, pool: Address, before_block: int, start_block: int) -> list[RawLog]:
        heard: list[RawLog] = []
        self.chain.hear_logs(heard)
        try:
            reading = await self.chain.read(read_last_price(pool, before_block, start_block), before_block)
        finally:
            self.chain.hear_logs(None)
        swap = reading.result
        return [log for log in heard if swap and (log.block, log.log_index) == (swap.block, swap.log_index)]

    def _pools(self) -> list[PoolSettings]:
        return [pool for pool in self.program.pools if pool.chain_id == self.chain.id]

    @contextmanager
    def _database(self) -> Iterator[State]:
        """Bound to the program, with the pools of this chain and the vaults elsewhere that they are shares of."""
        others = {chain.id for chain in self.program.chains} - {self.chain.id}
        with TemporaryDirectory() as folder, open_state(Path(folder) / "listening.db") as state:
            upgrade(state)
            prepare(state, self.program, {**self._homes(), **self.found}, 0, others, self.found_prices)
            yield state

    def _homes(self) -> dict[PoolKey, ContractFacts]:
        """What is known here of vaults on other chains: the decimals of their shares."""
        homes: dict[PoolKey, ContractFacts] = {}
        for pool in self._pools():
            facts = self.found.get(pool.key)
            if pool.home is not None and pool.home.chain != self.chain.id and isinstance(facts, VaultFacts):
                homes[pool.home] = VaultFacts(facts.share_decimals, None, None)
        return homes


async def ask_contracts(chain: Chain, program: Program, heard: HeardCalls) -> dict[PoolKey, ContractFacts]:
    """What the contracts of the chain's pools say; what they and those looked through answered is kept in `heard`.

    Not of Uniswap pools: a recording has places of their own for those.
    """
    chain.hear(heard)
    try:
        for holder in (each for each in program.look_through if each.chain_id == chain.id):
            await check_holder(chain, holder)
    finally:
        chain.hear(None)
    found: dict[PoolKey, ContractFacts] = {}
    for pool in program.pools:
        if pool.chain_id == chain.id:
            chain.hear(None if pool.protocol == "uniswap_v3" else heard)
            try:
                found[pool.key] = await contract_facts(chain, pool)
            finally:
                chain.hear(None)
    return found


async def ask_price_contracts(chain: Chain, program: Program, heard: HeardCalls) -> list[price_contracts.Found]:
    """What the feeds and pools of the chain say that the program takes prices from; kept in `heard` too."""
    chain.hear(heard)
    try:
        return await price_contracts.ask(chain, program, price_contracts.wanted(program, chain.id))
    finally:
        chain.hear(None)


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
