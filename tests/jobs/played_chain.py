"""A chain whose logs a test writes down, served by an endpoint without a network. A block every 12 seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loyalty.chain.endpoint import Reverted
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery

CHAIN = 7


@dataclass
class PlayedEndpoint:
    """`told` are all logs up to the block `last`; blocks from `fork` on are of another branch than without.

    `answers` by contract and payload are what calls give; everything else is reverted.
    """

    told: Sequence[RawLog]
    last: int
    final: int = 0
    fork: int | None = None
    answers: Mapping[tuple[Address, bytes], bytes] = field(default_factory=dict)
    bare: frozenset[Address] = frozenset()
    """Addresses without a contract."""
    name: str = "river endpoint 1"
    first_blocks: int = 10_000

    def header(self, number: int) -> Header:
        branch = "b" if self.fork is not None and number >= self.fork else "a"
        return Header(number, f"0x{branch * 4}{number:060x}", "", 12 * number)

    async def chain_id(self) -> int:
        return CHAIN

    async def head(self) -> Header:
        return self.header(self.last)

    async def finalized(self) -> Header:
        return self.header(self.final)

    async def header_at_or_after(self, number: int) -> Header:
        return self.header(min(number, self.last))

    async def header_at_or_before(self, number: int) -> Header:
        return self.header(min(number, self.last))

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        return [self.header(number) for number in numbers]

    async def logs(self, query: LogQuery) -> list[RawLog]:
        found = (log for log in self.told if query.span.contains(log.block) and log.address in query.addresses)
        return [log._replace(block_hash=self.header(log.block).hash) for log in found if _asked(log, query)]

    async def call(self, to: Address, payload: bytes, block: int | None) -> bytes:
        try:
            return self.answers[to, payload]
        except KeyError:
            raise Reverted("execution reverted") from None

    async def code_at(self, address: Address, block: int | None) -> bytes:
        return b"" if address in self.bare else b"\x60"

    async def close(self) -> None:
        """Nothing is open."""


def _asked(log: RawLog, query: LogQuery) -> bool:
    return all(
        position < len(log.topics) and log.topics[position] in words
        for position, words in enumerate(query.topics)
        if words
    )
