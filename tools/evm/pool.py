"""UniswapV3Pool: what is called on it and what it answers."""

from typing import NamedTuple

from eth_utils.crypto import keccak

from loyalty.core.address import Address
from tools.evm.functions import function
from tools.evm.node import Node
from tools.evm.payer import Call, callback_data

INITIALIZE = function("initialize", ["uint160"])
MINT = function("mint", ["address", "int24", "int24", "uint128", "bytes"], ["uint256", "uint256"])
BURN = function("burn", ["int24", "int24", "uint128"], ["uint256", "uint256"])
COLLECT = function("collect", ["address", "int24", "int24", "uint128", "uint128"], ["uint128", "uint128"])
SLOT0 = function("slot0", (), ["uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool"])
LIQUIDITY = function("liquidity", (), ["uint128"])
POSITIONS = function("positions", ["bytes32"], ["uint128", "uint256", "uint256", "uint128", "uint128"])
SNAPSHOT = function("snapshotCumulativesInside", ["int24", "int24"], ["int56", "uint160", "uint32"])
TICK_SPACING = function("tickSpacing", (), ["int24"])

MAX_UINT128 = 2**128 - 1


class Pool(NamedTuple):
    """A created pool. token0 < token1, as the factory orders them."""

    address: Address
    token0: Address
    token1: Address
    fee_pips: int
    tick_spacing: int

    def direct_mint(self, recipient: Address, lower: int, upper: int, liquidity: int) -> Call:
        """Liquidity for `recipient`, to be called by a payer, who pays."""
        data = callback_data(self.token0, self.token1)
        return Call(self.address, MINT(recipient, lower, upper, liquidity, data))

    def burn(self, lower: int, upper: int, liquidity: int) -> Call:
        """Liquidity out of the caller's own range; with 0 only its fees are counted."""
        return Call(self.address, BURN(lower, upper, liquidity))

    def collect(self, recipient: Address, lower: int, upper: int) -> Call:
        """All that the pool owes the caller's range, to `recipient`."""
        return Call(self.address, COLLECT(recipient, lower, upper, MAX_UINT128, MAX_UINT128))


class Slot0(NamedTuple):
    """The pool's price."""

    sqrt_price_x96: int
    tick: int


class PoolView:
    """What a pool's contract says of itself, after a block."""

    def __init__(self, node: Node, pool: Address, block: int | str = "latest") -> None:
        self._node, self._pool, self._block = node, pool, block

    def slot0(self) -> Slot0:
        answer = SLOT0.answer(self._call(SLOT0()))
        return Slot0(answer[0], answer[1])

    def liquidity(self) -> int:
        """Liquidity in range."""
        (answer,) = LIQUIDITY.answer(self._call(LIQUIDITY()))
        return int(answer)

    def position_liquidity(self, owner: Address, lower: int, upper: int) -> int:
        """Liquidity of (owner, lower, upper), the pool's own ledger."""
        ticks = (lower % 2**24).to_bytes(3, "big") + (upper % 2**24).to_bytes(3, "big")
        return int(POSITIONS.answer(self._call(POSITIONS(keccak(bytes.fromhex(owner[2:]) + ticks))))[0])

    def seconds_inside(self, lower: int, upper: int) -> int:
        """The counter of seconds with lower <= tick < upper; only the difference of two readings means something, and
        only while both ticks hold liquidity throughout.
        """
        return int(SNAPSHOT.answer(self._call(SNAPSHOT(lower, upper)))[2])

    def tick_spacing(self) -> int:
        (answer,) = TICK_SPACING.answer(self._call(TICK_SPACING()))
        return int(answer)

    def _call(self, data: bytes) -> bytes:
        return self._node.call(self._pool, data, self._block)
