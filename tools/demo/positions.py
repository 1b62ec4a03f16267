"""What a provider does with positions, as parts of its process: each deed waits for its transaction."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from loyalty.core.address import Address
from tools.demo.liquidity import Range, amounts
from tools.demo.processes import Receipts, Step
from tools.demo.stage import Opened, Stage, Venue
from tools.evm.node import Transaction
from tools.evm.payer import Call
from tools.evm.uniswap import minted_token_ids

Result = TypeVar("Result")
Deed = Generator[Step, Receipts, Result]


@dataclass(frozen=True, slots=True)
class Hands:
    """A provider's hands in one venue: an address that has tokens, and the position manager."""

    stage: Stage
    venue: Venue
    address: Address

    def send(self, *calls: Call) -> Deed[Receipts]:
        """Each call a transaction of its own."""
        receipts = yield [Transaction(self.address, call.to, call.data) for call in calls]
        return receipts

    def open(self, span: Range, usd: float) -> Deed[int]:
        """A new position of this worth; its token id."""
        (token_id,) = yield from self.open_all([(span, usd)])
        return token_id

    def open_all(self, wanted: Sequence[tuple[Range, float]]) -> Deed[list[int]]:
        """New positions, several in one transaction; their token ids."""
        manager = self.stage.uniswap.manager
        calls = [
            manager.mint(self.address, self.venue.pool, *span, *amounts(self.stage, self.venue, span, usd))
            for span, usd in wanted
        ]
        receipts = yield from self.send(calls[0] if len(calls) == 1 else manager.multicall(calls))
        token_ids = minted_token_ids(manager.address, receipts)
        self.stage.opened.update(
            {token_id: Opened(self.venue, *span) for token_id, (span, _) in zip(token_ids, wanted, strict=True)}
        )
        return token_ids

    def grow(self, token_id: int, span: Range, usd: float) -> Deed[None]:
        """More liquidity in a position, whosever it is."""
        more = amounts(self.stage, self.venue, span, usd)
        yield from self.send(self.stage.uniswap.manager.increase(token_id, *more))

    def shrink(self, token_id: int, percent: int) -> Deed[None]:
        """A part of the liquidity out, the tokens collected later."""
        part = self._liquidity(token_id) * percent // 100
        yield from self.send(self.stage.uniswap.manager.decrease(token_id, part))

    def poke(self, token_id: int) -> Deed[None]:
        """Collects the fees."""
        yield from self.send(self.stage.uniswap.manager.collect(token_id, self.address))

    def close(self, token_id: int, burn: bool) -> Deed[None]:
        """Everything out and collected; the token id burned or left empty."""
        manager = self.stage.uniswap.manager
        calls = [manager.decrease(token_id, self._liquidity(token_id)), manager.collect(token_id, self.address)]
        yield from self.send(manager.multicall([*calls, manager.burn(token_id)] if burn else calls))

    def give(self, token_id: int, recipient: Address) -> Deed[None]:
        """The position to somebody else."""
        yield from self.send(self.stage.uniswap.manager.transfer(self.address, recipient, token_id))

    def _liquidity(self, token_id: int) -> int:
        return self.stage.uniswap.manager.position(self.stage.node, token_id).liquidity
