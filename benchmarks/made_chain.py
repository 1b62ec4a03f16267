"""A made-up chain with one Uniswap V3 pool: mostly swaps, with positions that come, grow, shrink and change hands.

Everything is consistent (each swap says the liquidity in range), seeded, and serialised once, as a node would tell it.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.protocols.uniswap_v3 import topics

CHAIN_ID = 31337
POOL = "0x" + "b7" * 20
MANAGER = "0x" + "c3" * 20
START_TIME = 1_735_689_600
"""2025-01-01T00:00:00Z, the time of block 0 and the start of the program."""
BLOCK_SECONDS = 2
FINAL_BEHIND = 64
LOGS_A_BLOCK = 4
CHANGE_EVERY = 80
"""One deed of a provider for so many swaps."""
HALF_WIDTH = 3_000
_TRADER = "0x" + "00" * 12 + "dd" * 20


class ToldLog(NamedTuple):
    """A log as the server keeps it: what is filtered by, and its JSON."""

    address: str
    topics: tuple[str, ...]
    text: bytes


@dataclass
class MadeChain:
    """Blocks from 0 on with the logs of each, as JSON. `blocks[n]` are the logs of block n."""

    seed: int
    blocks: list[list[ToldLog]] = field(default_factory=list)
    _positions: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    _owners: dict[int, str] = field(default_factory=dict)
    _in_range: dict[int, int] = field(default_factory=dict)
    _tick: int = 0
    _tokens: int = 0
    _index: int = 0
    _deeds: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self.blocks.append([])
        self._log(POOL, [_hex(topics.INITIALIZE)], _words(sqrt_ratio_at_tick(0), 0))
        for _ in range(40):
            self._deeds += 1
            self._mint()

    def grow(self, logs: int) -> "MadeChain":
        """At least so many logs more."""
        made = 0
        while made < logs:
            self.blocks.append([])
            self._index = 0
            for _ in range(LOGS_A_BLOCK):
                self._deeds += 1
                if self._chance.randrange(CHANGE_EVERY):
                    self._swap()
                else:
                    self._deed()
            made += len(self.blocks[-1])
        return self

    def header(self, number: int) -> dict[str, object]:
        """As a node tells it."""
        return {
            "number": hex(number),
            "hash": block_hash(number),
            "parentHash": block_hash(number - 1),
            "timestamp": hex(START_TIME + BLOCK_SECONDS * number),
            "transactions": [],
        }

    def select(self, first: int, last: int, addresses: Iterable[str], words: list[list[str] | None]) -> Iterator[bytes]:
        """The logs that eth_getLogs would give."""
        wanted = frozenset(address.lower() for address in addresses)
        allowed = [(place, frozenset(each)) for place, each in enumerate(words) if each]
        for block in self.blocks[first : last + 1]:
            for log in block:
                if log.address in wanted and all(p < len(log.topics) and log.topics[p] in each for p, each in allowed):
                    yield log.text

    def _swap(self) -> None:
        self._tick = max(-HALF_WIDTH, min(HALF_WIDTH, self._tick + self._chance.randrange(-9, 10)))
        low = sqrt_ratio_at_tick(self._tick)
        price = low + self._chance.randrange(low // 30_000)
        amount = self._chance.randrange(10**15, 10**18)
        liquidity = self._liquidity()
        self._log(POOL, [_hex(topics.SWAP), _TRADER, _TRADER], _words(amount, -amount, price, liquidity, self._tick))

    def _liquidity(self) -> int:
        found = self._in_range.get(self._tick)
        if found is None:
            found = sum(amount for low, high, amount in self._positions.values() if low <= self._tick < high)
            self._in_range[self._tick] = found
        return found

    def _deed(self) -> None:
        match self._chance.randrange(4):
            case 0:
                self._mint()
            case 1:
                self._change(self._chance.choice(list(self._positions)), self._chance.randrange(10**15, 10**18))
            case 2:
                token = self._chance.choice(list(self._positions))
                self._change(token, -self._positions[token][2] // 3)
            case _:
                token = self._chance.choice(list(self._positions))
                self._hand_over(token, self._owners[token])

    def _mint(self) -> None:
        middle, width = self._chance.randrange(-40, 40) * 60, self._chance.randrange(1, 40) * 60
        self._tokens += 1
        self._positions[self._tokens] = (middle - width, middle + width, 0)
        self._change(self._tokens, self._chance.randrange(10**16, 10**19), minted=True)

    def _change(self, token: int, delta: int, *, minted: bool = False) -> None:
        low, high, before = self._positions[token]
        self._positions[token] = (low, high, before + delta)
        self._in_range.clear()
        ends = [f"0x{low % 2**256:064x}", f"0x{high % 2**256:064x}"]
        owner, amount, paid = "0x" + "00" * 12 + MANAGER[2:], abs(delta), abs(delta) // 1_000
        if delta > 0:
            self._log(POOL, [_hex(topics.MINT), owner, *ends], _words(int(MANAGER, 16), amount, paid, paid))
        else:
            self._log(POOL, [_hex(topics.BURN), owner, *ends], _words(amount, paid, paid))
        if minted:
            self._hand_over(token, "0x" + "00" * 32)
        told = topics.INCREASE_LIQUIDITY if delta > 0 else topics.DECREASE_LIQUIDITY
        self._log(MANAGER, [_hex(told), f"0x{token:064x}"], _words(amount, paid, paid))

    def _hand_over(self, token: int, sender: str) -> None:
        self._owners[token] = f"0x{self._chance.randrange(1, 500):064x}"
        self._log(MANAGER, [_hex(topics.TRANSFER), sender, self._owners[token], f"0x{token:064x}"], "0x")

    def _log(self, address: str, words: list[str], content: str) -> None:
        number = len(self.blocks) - 1
        listed = ",".join(f'"{word}"' for word in words)
        text = (
            f'{{"address":"{address}","topics":[{listed}],"data":"{content}","blockHash":"{block_hash(number)}",'
            f'"blockNumber":"{number:#x}","blockTimestamp":"{START_TIME + BLOCK_SECONDS * number:#x}",'
            f'"transactionHash":"0x{self._deeds:064x}","transactionIndex":"{self._index:#x}",'
            f'"logIndex":"{self._index:#x}","removed":false}}'
        )
        self.blocks[-1].append(ToldLog(address, tuple(words), text.encode()))
        self._index += 1


def block_hash(number: int) -> str:
    return f"0x{number + 2**200:064x}"


def _hex(topic: bytes) -> str:
    return "0x" + topic.hex()


def _words(*values: int) -> str:
    return "0x" + "".join(f"{value % 2**256:064x}" for value in values)
