"""SwapRouter: the calls that swap."""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from tools.evm.functions import function
from tools.evm.payer import Call
from tools.evm.pool import Pool
from tools.evm.position_manager import DEADLINE

EXACT_INPUT_SINGLE = function(
    "exactInputSingle", ["(address,address,uint24,address,uint256,uint256,uint256,uint160)"], ["uint256"]
)
MULTICALL = function("multicall", ["bytes[]"])


class Router(NamedTuple):
    """The calls on one deployed router."""

    address: Address

    def swap(self, trader: Address, pool: Pool, zero_for_one: bool, amount: int, sqrt_price_limit_x96: int = 0) -> Call:
        """`amount` of token0 for token1 (or the other way), or less where the price reaches the limit (0: none)."""
        tokens = (pool.token0, pool.token1) if zero_for_one else (pool.token1, pool.token0)
        fields = (*tokens, pool.fee_pips, trader, DEADLINE, amount, 0, sqrt_price_limit_x96)
        return Call(self.address, EXACT_INPUT_SINGLE(fields))

    def multicall(self, calls: Sequence[Call]) -> Call:
        """Several swaps in one transaction."""
        return Call(self.address, MULTICALL([call.data for call in calls]))
