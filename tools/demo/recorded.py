"""Of all logs, those that the program needs: the pools' own, and the position manager's of the program's token ids."""

from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from tools.demo.stage import Stage
from tools.evm.node import Block


def _topic(signature: str) -> str:
    return "0x" + keccak(text=signature).hex()


MINT = _topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN = _topic("Burn(address,int24,int24,uint128,uint256,uint256)")
SWAP = _topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
POOL_TOPICS = frozenset({_topic("Initialize(uint160,int24)"), MINT, BURN, SWAP})
INCREASE = _topic("IncreaseLiquidity(uint256,uint128,uint256,uint256)")
DECREASE = _topic("DecreaseLiquidity(uint256,uint128,uint256,uint256)")
TRANSFER = _topic("Transfer(address,address,uint256)")

Log = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interest:
    """What is recorded: the addresses of the pools and of the manager, and the token ids that lie in these pools."""

    pools: frozenset[str]
    manager: str
    token_ids: frozenset[int]

    def logs(self, block: Block) -> list[Log]:
        """The block's logs that are recorded, in order."""
        logs = [log for receipt in block.receipts for log in receipt["logs"]]
        ours = any(self._is_managed(log) for log in logs)
        return [log for log in logs if self._of_pool(log) or self._of_manager(log, ours)]

    def _of_pool(self, log: Log) -> bool:
        found: bool = log["address"] in self.pools and log["topics"][0] in POOL_TOPICS
        return found

    def _is_managed(self, log: Log) -> bool:
        """A Mint or Burn that the pool ascribes to the manager: it names a block whose manager logs are asked for."""
        change = self._of_pool(log) and log["topics"][0] in (MINT, BURN)
        return change and _address(log["topics"][1]) == self.manager

    def _of_manager(self, log: Log, in_managed_block: bool) -> bool:
        if log["address"] != self.manager or log["topics"][0] not in (INCREASE, DECREASE, TRANSFER):
            return False
        return in_managed_block or (log["topics"][0] == TRANSFER and int(log["topics"][3], 16) in self.token_ids)


def interest(stage: Stage) -> Interest:
    """The interest of a program with the stage's venues."""
    pools = frozenset(str(venue.pool.address) for venue in stage.venues.values())
    return Interest(pools, stage.uniswap.manager.address, frozenset(stage.opened))


def _address(topic: str) -> str:
    return "0x" + topic[-40:]
