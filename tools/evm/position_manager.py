"""NonfungiblePositionManager: what is called on it and what it answers."""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from tools.evm.functions import function
from tools.evm.node import Node, RevertedError
from tools.evm.payer import Call
from tools.evm.pool import MAX_UINT128, Pool

DEADLINE = 2**40
"""Unix seconds: later than any block."""

_MINT = [
    "address",
    "address",
    "uint24",
    "int24",
    "int24",
    "uint256",
    "uint256",
    "uint256",
    "uint256",
    "address",
    "uint256",
]
MINT = function("mint", [f"({','.join(_MINT)})"], ["uint256", "uint128", "uint256", "uint256"])
INCREASE = function("increaseLiquidity", ["(uint256,uint256,uint256,uint256,uint256,uint256)"])
DECREASE = function("decreaseLiquidity", ["(uint256,uint128,uint256,uint256,uint256)"])
COLLECT = function("collect", ["(uint256,address,uint128,uint128)"])
BURN = function("burn", ["uint256"])
TRANSFER_FROM = function("transferFrom", ["address", "address", "uint256"])
MULTICALL = function("multicall", ["bytes[]"])
OWNER_OF = function("ownerOf", ["uint256"], ["address"])
POSITIONS = function(
    "positions",
    ["uint256"],
    [
        *("uint96", "address", "address", "address", "uint24", "int24", "int24"),
        *("uint128", "uint256", "uint256", "uint128", "uint128"),
    ],
)


class ManagedPosition(NamedTuple):
    """What the manager says of a token id."""

    token0: Address
    token1: Address
    fee_pips: int
    lower: int
    upper: int
    liquidity: int


class PositionManager(NamedTuple):
    """The calls on one deployed position manager."""

    address: Address

    def mint(self, recipient: Address, pool: Pool, lower: int, upper: int, amount0: int, amount1: int) -> Call:
        """A new position with as much liquidity as both amounts allow, for `recipient`, at any price."""
        fields = (*pool[1:4], lower, upper, amount0, amount1, 0, 0, recipient, DEADLINE)
        return Call(self.address, MINT(fields))

    def increase(self, token_id: int, amount0: int, amount1: int) -> Call:
        """More liquidity, paid by whoever calls."""
        return Call(self.address, INCREASE((token_id, amount0, amount1, 0, 0, DEADLINE)))

    def decrease(self, token_id: int, liquidity: int) -> Call:
        """Less liquidity; the tokens wait until they are collected."""
        return Call(self.address, DECREASE((token_id, liquidity, 0, 0, DEADLINE)))

    def collect(self, token_id: int, recipient: Address) -> Call:
        """All that is owed. With liquidity in the position it pokes the pool first (a Burn of 0)."""
        return Call(self.address, COLLECT((token_id, recipient, MAX_UINT128, MAX_UINT128)))

    def burn(self, token_id: int) -> Call:
        """The end of a token id that is empty and collected."""
        return Call(self.address, BURN(token_id))

    def transfer(self, sender: Address, recipient: Address, token_id: int) -> Call:
        """Another owner."""
        return Call(self.address, TRANSFER_FROM(sender, recipient, token_id))

    def multicall(self, calls: Sequence[Call]) -> Call:
        """Several calls on the manager in one transaction."""
        return Call(self.address, MULTICALL([call.data for call in calls]))

    def owner_of(self, node: Node, token_id: int, block: int | str = "latest") -> Address:
        """Who holds the token id; raises RevertedError where it is burned or was never minted."""
        (owner,) = OWNER_OF.answer(node.call(self.address, OWNER_OF(token_id), block))
        return Address(owner.lower())

    def owner_or_nobody(self, node: Node, token_id: int, block: int | str = "latest") -> Address:
        """Who holds the token id, ZERO_ADDRESS where nobody does."""
        try:
            return self.owner_of(node, token_id, block)
        except RevertedError:
            return ZERO_ADDRESS

    def position(self, node: Node, token_id: int, block: int | str = "latest") -> ManagedPosition:
        """The token id's pool, range and liquidity; raises RevertedError where it is burned."""
        answer = POSITIONS.answer(node.call(self.address, POSITIONS(token_id), block))
        return ManagedPosition(Address(answer[2].lower()), Address(answer[3].lower()), *answer[4:8])
