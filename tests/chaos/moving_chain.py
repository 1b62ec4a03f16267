"""A recorded chain served over HTTP as if it went on: its head moves while it is asked, and it changes its mind."""

import hashlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loyalty.chain.recording_file import read_recording
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.protocols.uniswap_v3.contract import POOL_CALLS
from loyalty.protocols.view_call import DECIMALS
from tests.chain.rpc_server import Fault, Reply, RpcError, Site
from tests.chain.world import World, told_header, told_log

FINAL_BEHIND = 40
FINAL_AT_ONCE = 100
"""Blocks become final so many at a time: in between, those above are indexed as they come."""
NO_HASH = "0x" + "00" * 32


@dataclass(frozen=True)
class Fork:
    """From block `start` on all logs come `shift` blocks later than recorded, in blocks of other hashes."""

    start: int
    shift: int


class Recorded:
    """The blocks of a recording without gaps, from 0 to `last`, as on the recorded chain or on a fork of it."""

    def __init__(self, path: Path, last: int | None = None) -> None:
        self.facts, blocks = read_recording(path)
        end = len(blocks.headers) if last is None else last + 1
        self.headers = blocks.headers[:end]
        self.logs = [list(blocks.logs_of(place)) for place in range(end)]
        self.last = end - 1

    def header(self, number: int, fork: Fork | None) -> Header:
        found = self.headers[number]
        return found._replace(hash=_hash(number, fork), parent_hash=NO_HASH) if forked(number, fork) else found

    def logs_at(self, number: int, fork: Fork | None) -> list[RawLog]:
        if fork is None or number < fork.start:
            return self.logs[number]
        if number - fork.shift < fork.start:
            return []
        header = self.header(number, fork)
        moved = self.logs[number - fork.shift]
        return [log._replace(block=number, time=header.time, block_hash=header.hash) for log in moved]


def forked(number: int, fork: Fork | None) -> bool:
    return fork is not None and number >= fork.start


def _hash(number: int, fork: object) -> str:
    return "0x" + hashlib.sha256(repr((number, fork)).encode()).hexdigest()


@dataclass
class MovingChain:
    """The head goes on by up to `stride` blocks whenever it is asked for, up to `limit`; `reorgs` counts the forks."""

    recorded: Recorded
    chance: random.Random
    stride: int
    head: int = 0
    fork: Fork | None = None
    finalized: int = 0
    reorgs: int = 0
    looks_left: int = 0
    limit: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.head = FINAL_BEHIND
        self.limit = self.recorded.last

    def move(self) -> None:
        """One look at the head: the chain goes on; an old fork dies; what is deep enough becomes final."""
        with self.lock:
            self.head = min(self.head + self.chance.randrange(self.stride + 1), self.limit)
            self.looks_left -= 1
            if self.fork is not None and self.looks_left <= 0:
                self.fork = None
                self.reorgs += 1
            final = self.recorded.last if self.finished else (self.head - FINAL_BEHIND) // FINAL_AT_ONCE * FINAL_AT_ONCE
            limit = self.fork.start - 1 if self.fork else final
            self.finalized = max(self.finalized, min(final, limit))

    @property
    def finished(self) -> bool:
        return self.head == self.recorded.last and self.fork is None

    def reorganize(self, below: int | None = None) -> bool:
        """A new fork above what is final, at most at block `below`; it dies after some looks. False without room."""
        with self.lock:
            last = self.head if below is None else min(below, self.head)
            if last <= self.finalized or self.finished:
                return False
            start = self.chance.randrange(self.finalized + 1, last + 1)
            self.fork = Fork(start, self.chance.randrange(1, 4))
            self.looks_left = self.chance.randrange(2, 8)
            self.reorgs += 1
            return True


class MovingSite(Site):
    """One endpoint of the moving chain, which may misbehave."""

    def __init__(self, chain: MovingChain, chain_id: int, always: Fault | None = None) -> None:
        super().__init__(World((), ()), chain_id=chain_id, always=always)
        self.chain = chain

    def reply(self, body: bytes) -> Reply:
        with self.chain.lock:
            return super().reply(body)

    def eth_getBlockByNumber(self, tag: str, _: bool) -> dict[str, Any] | None:
        chain = self.chain
        if tag == "latest":
            chain.move()
        named = {"latest": chain.head, "finalized": chain.finalized}
        number = named[tag] if tag in named else int(tag, 16)
        return told_header(chain.recorded.header(number, chain.fork)) if number <= chain.head else None

    def eth_getCode(self, address: str, tag: str) -> str:
        return "0x6001"

    def eth_call(self, call: dict[str, str], tag: str) -> str:
        """What pools and tokens say of themselves."""
        to, answers = call["to"].lower(), {}
        for pool in self.chain.recorded.facts.pools:
            if pool.address.lower() == to:
                answers = dict(
                    zip(POOL_CALLS, (pool.token0, pool.token1, pool.fee_pips, pool.tick_spacing), strict=True)
                )
            for token, decimals in ((pool.token0, pool.decimals0), (pool.token1, pool.decimals1)):
                if token.lower() == to:
                    answers = {DECIMALS: decimals}
        found = next(value for asked, value in answers.items() if call["data"] == "0x" + asked.payload.hex())
        return f"0x{int(found, 16) if isinstance(found, str) else found:064x}"

    def eth_getLogs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        if last > self.chain.head:
            raise RpcError(-32000, "block range extends beyond current head block")
        return [told_log(log) for log in self._logs(first, last) if self._wanted(log.address, log.topics, wanted)]

    def _logs(self, first: int, last: int) -> Iterator[RawLog]:
        for number in range(first, last + 1):
            yield from self.chain.recorded.logs_at(number, self.chain.fork)
