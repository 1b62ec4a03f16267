"""A simulated chain with Uniswap V3 pools and position managers: it emits raw logs as the contracts do, answers queries
as `eth_getLogs` does, and keeps the truth about positions in the plainest way, to compare with."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.facts import PositionKey, PositionToken
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.uniswap_v3 import topics
from loyalty.protocols.uniswap_v3.adapter import SpanFacts, read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

Result = TypeVar("Result")


def named(name: str) -> Address:
    """An address that shows its name: `named("a11ce")` is 0x0…0a11ce."""
    return Address("0x" + name.rjust(40, "0"))


def word(value: int | str) -> bytes:
    """An integer (two's complement) or an address as a word."""
    if isinstance(value, str):
        return bytes(12) + bytes.fromhex(value[2:])
    return (value % (1 << 256)).to_bytes(32)


def answer(logs: Sequence[RawLog], query: LogQuery) -> list[RawLog]:
    """What `eth_getLogs` answers out of `logs`."""

    def wanted(log: RawLog) -> bool:
        if log.address not in query.addresses or not query.span.contains(log.block):
            return False
        if len(log.topics) < len(query.topics):
            return False
        return all(not allowed or topic in allowed for allowed, topic in zip(query.topics, log.topics, strict=False))

    return [log for log in logs if wanted(log)]


class Driver:
    """Drives conversations over fixed logs, and remembers the queries of each turn."""

    answer = staticmethod(answer)

    def __init__(self, logs: Sequence[RawLog]) -> None:
        self.logs = logs
        self.turns: list[list[LogQuery]] = []

    def __call__(self, conversation: Conversation[Result]) -> Result:
        try:
            queries = next(conversation)
            while True:
                self.turns.append(list(queries))
                found = {log for query in queries for log in self.answer(self.logs, query)}
                queries = conversation.send(sorted(found, key=lambda log: (log.block, log.log_index)))
        except StopIteration as stop:
            result: Result = stop.value
            return result


class World:
    """`at(block, time)` opens a block; each event takes the next log index; `transaction()` opens a transaction."""

    def __init__(self, *managers: Address) -> None:
        self.managers = managers
        self.logs: list[RawLog] = []
        self.block = self.time = self.next_index = self.transactions = 0
        self.tick: dict[Address, int] = {}
        self.ranges: Counter[tuple[Address, Address, int, int]] = Counter()
        self.owner: dict[PositionToken, Address] = {}
        self.place: dict[PositionToken, tuple[Address, int, int]] = {}
        self.liquidity: Counter[PositionToken] = Counter()
        self.next_id = 1

    # The chain ------------------------------------------------------------------------------------------------------

    def at(self, block: int, time: int | None = None) -> "World":
        self.block, self.time, self.next_index = block, 12 * block if time is None else time, 0
        self.transaction()
        return self

    def transaction(self) -> None:
        self.transactions += 1

    def emit(self, address: Address, topic: bytes, indexed: Sequence[int | str], values: Sequence[int | str]) -> None:
        words = (topic, *map(word, indexed))
        body = b"".join(map(word, values))
        place = (self.block, self.next_index, self.time, address)
        self.logs.append(RawLog(*place, words, body, word(self.transactions), f"0x{self.block:064x}"))
        self.next_index += 1

    # Pools ----------------------------------------------------------------------------------------------------------

    def initialize(self, pool: Address, tick: int) -> None:
        self.tick[pool] = tick
        self.emit(pool, topics.INITIALIZE, [], [1 << 96, tick])

    def swap(self, pool: Address, tick: int, sqrt_price_x96: int = 1 << 96) -> None:
        self.tick[pool] = tick
        values = [5, -4, sqrt_price_x96, self.in_range(pool), tick]
        self.emit(pool, topics.SWAP, [named("ca11"), named("ca12")], values)

    def pool_mint(self, pool: Address, owner: Address, lower: int, upper: int, liquidity: int) -> None:
        self.ranges[pool, owner, lower, upper] += liquidity
        values = [named("ca11"), liquidity, 3 * liquidity, 7 * liquidity]
        self.emit(pool, topics.MINT, [owner, lower, upper], values)

    def pool_burn(self, pool: Address, owner: Address, lower: int, upper: int, liquidity: int) -> None:
        self.ranges[pool, owner, lower, upper] -= liquidity
        self.emit(pool, topics.BURN, [owner, lower, upper], [liquidity, 3 * liquidity, 7 * liquidity])

    def pool_collect(self, pool: Address, owner: Address, lower: int, upper: int) -> None:
        self.emit(pool, topics.POOL_COLLECT, [owner, lower, upper], [named("ca12"), 1, 2])

    def in_range(self, pool: Address) -> int:
        tick = self.tick[pool]
        ranges = self.ranges.items()
        return sum(amount for (at, _, lower, upper), amount in ranges if at == pool and lower <= tick < upper)

    # Position managers ----------------------------------------------------------------------------------------------

    def mint(
        self, manager: Address, recipient: Address, pool: Address, lower: int, upper: int, liquidity: int
    ) -> PositionToken:
        token = PositionToken(manager, self.next_id)
        self.next_id += 1
        self.place[token], self.owner[token] = (pool, lower, upper), recipient
        self.liquidity[token] = liquidity
        self.pool_mint(pool, manager, lower, upper, liquidity)
        self.emit(manager, topics.TRANSFER, [ZERO_ADDRESS, recipient, token.token_id], [])
        self._token_event(topics.INCREASE_LIQUIDITY, token, liquidity)
        return token

    def increase(self, token: PositionToken, liquidity: int) -> None:
        pool, lower, upper = self.place[token]
        self.liquidity[token] += liquidity
        self.pool_mint(pool, token.manager, lower, upper, liquidity)
        self._token_event(topics.INCREASE_LIQUIDITY, token, liquidity)

    def decrease(self, token: PositionToken, liquidity: int) -> None:
        pool, lower, upper = self.place[token]
        self.liquidity[token] -= liquidity
        self.pool_burn(pool, token.manager, lower, upper, liquidity)
        self._token_event(topics.DECREASE_LIQUIDITY, token, liquidity)

    def collect(self, token: PositionToken) -> None:
        """As the manager does: a poke where liquidity is left, the pool's Collect, its own."""
        pool, lower, upper = self.place[token]
        if self.liquidity[token]:
            self.pool_burn(pool, token.manager, lower, upper, 0)
        self.pool_collect(pool, token.manager, lower, upper)
        self.emit(token.manager, topics.TOKEN_COLLECT, [token.token_id], [named("ca12"), 1, 2])

    def transfer(self, token: PositionToken, recipient: Address) -> None:
        self.emit(token.manager, topics.TRANSFER, [self.owner[token], recipient, token.token_id], [])
        self.owner[token] = recipient

    def burn(self, token: PositionToken) -> None:
        self.transfer(token, ZERO_ADDRESS)

    def _token_event(self, topic: bytes, token: PositionToken, liquidity: int) -> None:
        self.emit(token.manager, topic, [token.token_id], [liquidity, 3 * liquidity, 7 * liquidity])

    # What is true, and what loyalty reads -----------------------------------------------------------------------------

    def positions(self, pool: Address) -> dict[PositionKey, int]:
        direct = {
            PositionKey(owner, lower, upper, None): amount
            for (at, owner, lower, upper), amount in self.ranges.items()
            if at == pool and amount and owner not in self.managers
        }
        tokens = {
            PositionKey(self.owner[token], lower, upper, token): self.liquidity[token]
            for token, (at, lower, upper) in self.place.items()
            if at == pool and self.liquidity[token]
        }
        return direct | tokens

    def ledger(self) -> Ledger:
        return Ledger(self.managers)

    def read(
        self, ledger: Ledger, *pools: Address, span: Span | None = None, with_swaps: bool = True
    ) -> tuple[SpanFacts, Driver]:
        driver = Driver(self.logs)
        whole = Span(0, self.block + 1)
        managers = dict.fromkeys(self.managers, 0)
        return driver(
            read_span(pools, managers, ledger, whole if span is None else span, with_swaps=with_swaps)
        ), driver


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    return World


@pytest.fixture(scope="session")
def driver() -> type[Driver]:
    return Driver


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return SHARED_DATA


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], list[RawLog]]:
    """The logs of one folder of the shared data, in order; the test is skipped where it is absent."""

    def read(folder: str) -> list[RawLog]:
        path = SHARED_DATA / folder / "logs.jsonl.gz"
        if not path.exists():
            pytest.skip(f"{path.name} of {folder} is not here")
        with gzip.open(path, "rt") as lines:
            return [_raw_log(json.loads(line)) for line in lines]

    return read


def _raw_log(entry: dict[str, str]) -> RawLog:
    return RawLog(
        int(entry["blockNumber"], 16),
        int(entry["logIndex"], 16),
        int(entry["blockTimestamp"], 16),
        Address(entry["address"]),
        tuple(bytes.fromhex(topic[2:]) for topic in entry["topics"]),
        bytes.fromhex(entry["data"][2:]),
        bytes.fromhex(entry["transactionHash"][2:]),
        entry["blockHash"],
    )
