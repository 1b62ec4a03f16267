"""A made-up chain, seeded, and its logs as a JSON-RPC server tells them."""

import hashlib
import random
from typing import Any, NamedTuple

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span

GENESIS_TIME = 1_700_000_000
BLOCK_SECONDS = 12
POOLS = tuple(Address("0x" + f"{n:02x}" * 20) for n in (0xA1, 0xB2, 0xC3))
EVENTS = tuple(bytes([n]) * 32 for n in (1, 2, 3))


class World(NamedTuple):
    """Headers from block 0 on without gaps, and logs in order."""

    headers: tuple[Header, ...]
    logs: tuple[RawLog, ...]

    @property
    def head(self) -> Header:
        return self.headers[-1]

    def query(self, start: int = 0, end: int | None = None) -> LogQuery:
        """Everything in these blocks."""
        return LogQuery(POOLS, (), Span(start, self.head.number + 1 if end is None else end))

    def matching(self, query: LogQuery) -> list[RawLog]:
        """The logs of a query, by the plainest reading of eth_getLogs."""
        return [
            log
            for log in self.logs
            if query.span.contains(log.block)
            and log.address in query.addresses
            and all(
                position < len(log.topics) and log.topics[position] in words
                for position, words in enumerate(query.topics)
                if words
            )
        ]


def make_world(seed: int, blocks: int, logs_per_block: int = 2, fork: int | None = None) -> World:
    """`blocks` blocks with 0 to 2 × `logs_per_block` logs each; from block `fork` on another chain than without."""
    chance = random.Random(seed)
    headers: list[Header] = []
    logs: list[RawLog] = []
    parent = "0x" + "00" * 32
    for number in range(blocks):
        salt = "fork" if fork is not None and number >= fork else ""
        block_hash = _hash("block", seed, number, salt)
        header = Header(number, block_hash, parent, GENESIS_TIME + BLOCK_SECONDS * number)
        headers.append(header)
        parent = block_hash
        index = 0
        for _ in range(chance.randrange(2 * logs_per_block + 1)):
            index += chance.randrange(1, 4)
            logs.append(_log(chance, header, index))
    return World(tuple(headers), tuple(logs))


def told_log(log: RawLog, with_time: bool = True) -> dict[str, Any]:
    """The log as a node tells it."""
    told = {
        "address": log.address,
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "blockNumber": hex(log.block),
        "blockHash": log.block_hash,
        "transactionHash": "0x" + log.transaction_hash.hex(),
        "transactionIndex": "0x0",
        "logIndex": hex(log.log_index),
        "removed": False,
    }
    return {**told, "blockTimestamp": hex(log.time)} if with_time else told


def told_header(header: Header) -> dict[str, Any]:
    return {
        "number": hex(header.number),
        "hash": header.hash,
        "parentHash": header.parent_hash,
        "timestamp": hex(header.time),
        "transactions": ["0x" + "11" * 32],
        "gasLimit": "0x1c9c380",
    }


def _log(chance: random.Random, header: Header, index: int) -> RawLog:
    topics = (chance.choice(EVENTS), chance.randrange(4).to_bytes(32))[: chance.randrange(1, 3)]
    return RawLog(
        header.number,
        index,
        header.time,
        chance.choice(POOLS),
        topics,
        chance.randbytes(32 * chance.randrange(3)),
        chance.randbytes(32),
        header.hash,
    )


def _hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()
