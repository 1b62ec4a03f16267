"""Uniswap V3 as deployed on a node, for whoever wants things done one at a time: each verb is a block of its own.

The calls themselves are built by pool.py, position_manager.py and router.py, for blocks with many transactions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.core.address import ZERO_ADDRESS, Address
from tools.evm import artifacts, erc20, payer
from tools.evm.functions import function
from tools.evm.node import Block, Node, Transaction
from tools.evm.payer import Call
from tools.evm.pool import INITIALIZE, Pool, PoolView
from tools.evm.position_manager import PositionManager
from tools.evm.router import Router

DEPLOYER = Address("0x" + "de" * 20)
CREATE_POOL = function("createPool", ["address", "address", "uint24"])
GET_POOL = function("getPool", ["address", "address", "uint24"], ["address"])
_TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def minted_token_ids(manager: Address, receipts: Iterable[dict[str, Any]]) -> list[int]:
    """The token ids that the manager made in these transactions, in order."""
    return [
        int(log["topics"][3], 16)
        for receipt in receipts
        for log in receipt["logs"]
        if log["address"] == manager and log["topics"][0] == _TRANSFER_TOPIC and int(log["topics"][1], 16) == 0
    ]


@dataclass(frozen=True, slots=True)
class Uniswap:
    """The factory, position manager and router of one node, and a payer contract that mints directly."""

    node: Node
    factory: Address
    manager: PositionManager
    router: Router
    payer: Address

    @classmethod
    def deploy(cls, node: Node) -> "Uniswap":
        """Everything new on `node`, at addresses that depend only on what the deployer did before."""
        factory = node.create(DEPLOYER, artifacts.creation_code(artifacts.FACTORY))
        manager = cls.deploy_manager(node, factory)
        router = node.create(DEPLOYER, artifacts.creation_code(artifacts.ROUTER, factory, ZERO_ADDRESS))
        return cls(node, factory, manager, Router(router), node.create(DEPLOYER, payer.creation_code()))

    @staticmethod
    def deploy_manager(node: Node, factory: Address) -> PositionManager:
        """One more position manager. Ether and token pictures are not served: there is no WETH9 and no descriptor."""
        code = artifacts.creation_code(artifacts.POSITION_MANAGER, factory, ZERO_ADDRESS, ZERO_ADDRESS)
        return PositionManager(node.create(DEPLOYER, code))

    def create_token(self, symbol: str, decimals: int = 18) -> Address:
        """A new ERC-20 token."""
        return erc20.create_token(self.node, DEPLOYER, symbol, symbol, decimals)

    def create_pool(self, token_a: Address, token_b: Address, fee_pips: int, sqrt_price_x96: int) -> Pool:
        """A new, initialized pool; the price is that of the lower token address in the higher."""
        self.send(DEPLOYER, Call(self.factory, CREATE_POOL(token_a, token_b, fee_pips)))
        (found,) = GET_POOL.answer(self.node.call(self.factory, GET_POOL(token_a, token_b, fee_pips)))
        address = Address(found.lower())
        self.send(DEPLOYER, Call(address, INITIALIZE(sqrt_price_x96)))
        token0, token1 = sorted((token_a, token_b))
        return Pool(address, token0, token1, fee_pips, PoolView(self.node, address).tick_spacing())

    def funding(self, account: Address, tokens: Iterable[Address], amount: int) -> list[Transaction]:
        """What gives the account `amount` of each token and lets the manager and the router take it."""
        sends = [(DEPLOYER, Call(token, erc20.MINT(account, amount))) for token in tokens]
        spenders = (self.manager.address, self.router.address)
        sends += [(account, Call(t, erc20.APPROVE(s, erc20.MAX_UINT256))) for t in tokens for s in spenders]
        return [Transaction(sender, call.to, call.data) for sender, call in sends]

    def fund(self, account: Address, tokens: Sequence[Address], amount: int = 10**30) -> None:
        """Gives the account `amount` of each token and lets the manager and the router take it."""
        self.node.mine(self.funding(account, tokens, amount))

    def send(self, sender: Address, *calls: Call, time: int | None = None) -> Block:
        """A block with these calls, each a transaction of `sender`; raises RevertedError."""
        return self.node.mine([Transaction(sender, call.to, call.data) for call in calls], time)

    def pay(self, sender: Address, *calls: Call, time: int | None = None) -> Block:
        """A block in which the payer contract makes these calls in one transaction; raises RevertedError."""
        return self.send(sender, Call(self.payer, payer.batch(calls)), time=time)

    def mint(
        self, account: Address, pool: Pool, lower: int, upper: int, amount0: int, amount1: int, time: int | None = None
    ) -> int:
        """The token id of a new position of `account`."""
        block = self.send(account, self.manager.mint(account, pool, lower, upper, amount0, amount1), time=time)
        (token_id,) = minted_token_ids(self.manager.address, block.receipts)
        return token_id

    def increase(self, account: Address, token_id: int, amount0: int, amount1: int, time: int | None = None) -> Block:
        return self.send(account, self.manager.increase(token_id, amount0, amount1), time=time)

    def decrease(self, account: Address, token_id: int, liquidity: int, time: int | None = None) -> Block:
        return self.send(account, self.manager.decrease(token_id, liquidity), time=time)

    def collect(self, account: Address, token_id: int, time: int | None = None) -> Block:
        return self.send(account, self.manager.collect(token_id, account), time=time)

    def burn_token(self, account: Address, token_id: int, time: int | None = None) -> Block:
        """Takes everything out, collects it and burns the token id, in one transaction."""
        liquidity = self.manager.position(self.node, token_id).liquidity
        calls = [self.manager.decrease(token_id, liquidity)] if liquidity else []
        calls += [self.manager.collect(token_id, account), self.manager.burn(token_id)]
        return self.send(account, self.manager.multicall(calls), time=time)

    def transfer_nft(self, sender: Address, recipient: Address, token_id: int, time: int | None = None) -> Block:
        return self.send(sender, self.manager.transfer(sender, recipient, token_id), time=time)

    def swap(
        self, account: Address, pool: Pool, zero_for_one: bool, amount: int, limit: int = 0, time: int | None = None
    ) -> Block:
        """`amount` of token0 for token1 (or the other way) until the price reaches `limit` (sqrt, X96; 0: none)."""
        return self.send(account, self.router.swap(account, pool, zero_for_one, amount, limit), time=time)

    def direct_mint(
        self, owner: Address, pool: Pool, lower: int, upper: int, liquidity: int, time: int | None = None
    ) -> Block:
        """Liquidity that `owner` holds in the pool itself; the payer contract, which needs tokens, pays."""
        return self.pay(DEPLOYER, pool.direct_mint(owner, lower, upper, liquidity), time=time)

    def direct_burn(
        self, owner: Address, pool: Pool, lower: int, upper: int, liquidity: int, time: int | None = None
    ) -> Block:
        """Takes a direct owner's liquidity out and collects it."""
        return self.send(owner, pool.burn(lower, upper, liquidity), pool.collect(owner, lower, upper), time=time)

    def view(self, pool: Pool, block: int | str = "latest") -> PoolView:
        """What the pool's contract says after a block."""
        return PoolView(self.node, pool.address, block)
