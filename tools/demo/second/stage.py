"""The second stage: a node, the contracts and the actors, block after block."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from eth_utils.crypto import keccak

from loyalty.core.address import Address
from tools.demo.processes import Processes
from tools.demo.second.contracts import Deployed
from tools.evm.functions import Function
from tools.evm.node import Block, Node, Transaction

_UNTIL_FINAL = 2


@dataclass
class SecondStage:
    """`seed` is the first chain's: a provider has one address on both. `blocks` are all that were mined, in order."""

    seed: str
    node: Node
    deployed: Deployed
    time: int
    blocks: list[Block] = field(default_factory=list)
    accounts: list[Address] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)

    def random(self, name: str) -> Random:
        """Chance of its own for each actor."""
        return Random(f"{self.seed}/second/{name}")

    def account(self, name: str) -> Address:
        """An address that has tokens; the names of the first chain's actors are theirs here too."""
        address = Address("0x" + keccak(text=f"{self.seed}/{name}").hex()[-40:])
        self.accounts.append(address)
        return address

    def ask(self, contract: Address, view: Function, *arguments: object) -> int:
        """What a view answers before the block that is being made."""
        return int(view.answer(self.node.call(contract, view(*arguments)))[0])

    def play(self, end: int, moments: Mapping[int, Callable[[], None]]) -> None:
        """Plays all processes until `end`, with a last block there that becomes final; each of `moments` is done after
        the last block before its time."""
        waiting = sorted(moments)
        while (time := self.processes.next_time()) is not None and time < end:
            while waiting and waiting[0] <= time:
                moments[waiting.pop(0)]()
            self.time = time
            self._play_slot()
        self.time = end
        self.blocks.append(self.node.mine([], end))
        for _ in range(_UNTIL_FINAL):
            self.node.mine()

    def _play_slot(self) -> None:
        wanted = self.processes.due(self.time)
        if not wanted:
            return
        transactions: list[Transaction] = [each for _, some in wanted for each in some]
        block = self.node.mine(transactions, self.time)
        self.blocks.append(block)
        receipts = iter(block.receipts)
        for process, some in wanted:
            self.processes.tell(process, [next(receipts) for _ in some], self.time)
