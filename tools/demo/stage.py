"""The stage: a node, the contracts, two pools, the market, and the actors, block after block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isqrt
from random import Random
from typing import NamedTuple

from eth_utils.crypto import keccak

from loyalty.core.address import Address
from tools.demo.market import Market
from tools.demo.processes import Processes
from tools.evm.node import Block, Node, Transaction
from tools.evm.pool import Pool, Slot0
from tools.evm.uniswap import Uniswap


@dataclass(frozen=True, slots=True)
class Venue:
    """A pool, and the symbols and decimals of its tokens."""

    pool: Pool
    symbols: tuple[str, str]
    decimals: tuple[int, int]


class Opened(NamedTuple):
    """A range of a pool into which liquidity was minted."""

    venue: Venue
    lower: int
    upper: int


@dataclass
class Stage:
    """`blocks` are all that were mined, in order; `accounts` those that are given tokens before the story begins;
    `opened` all token ids that were minted into the venues, `direct` the owners of ranges without a token.
    """

    seed: str
    node: Node
    uniswap: Uniswap
    market: Market
    venues: dict[str, Venue]
    tokens: dict[str, Address]
    blocks: list[Block]
    time: int
    opened: dict[int, Opened] = field(default_factory=dict)
    direct: list[tuple[Address, Opened]] = field(default_factory=list)
    accounts: list[Address] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)

    def random(self, name: str) -> Random:
        """Chance of its own for each actor: one more actor leaves the others' lives as they are."""
        return Random(f"{self.seed}/{name}")

    def address(self, name: str) -> Address:
        """An address that looks like any other."""
        return Address("0x" + keccak(text=f"{self.seed}/{name}").hex()[-40:])

    def account(self, name: str) -> Address:
        """An address that has tokens."""
        address = self.address(name)
        self.accounts.append(address)
        return address

    def slot0(self, venue: Venue) -> Slot0:
        """The pool's price before the block that is being made."""
        return self.uniswap.view(venue.pool).slot0()

    def market_sqrt_price_x96(self, venue: Venue) -> int:
        """Where the pool's price would agree with the market."""
        usd0, usd1 = (self.market.usd(symbol, self.time) for symbol in venue.symbols)
        return isqrt((usd0 * 10 ** venue.decimals[1] << 192) // (usd1 * 10 ** venue.decimals[0]))

    def play(self, end: int, moments: dict[int, Callable[[], None]]) -> None:
        """Plays all processes until `end`, with a last block there; each of `moments` is done after the last block
        before its time.
        """
        waiting = sorted(moments)
        while (time := self.processes.next_time()) is not None and time < end:
            while waiting and waiting[0] <= time:
                moments[waiting.pop(0)]()
            self.time = time
            self._play_slot()
        self.time = end
        self.mine([])

    def mine(self, transactions: Sequence[Transaction]) -> Block:
        """A block at the present time."""
        block = self.node.mine(transactions, self.time)
        self.blocks.append(block)
        return block

    def _play_slot(self) -> None:
        """One block with what everybody whose turn it is wants in it; none where nobody wants anything."""
        wanted = self.processes.due(self.time)
        if not wanted:
            return
        receipts = iter(self.mine([t for _, transactions in wanted for t in transactions]).receipts)
        for process, transactions in wanted:
            self.processes.tell(process, [next(receipts) for _ in transactions], self.time)
