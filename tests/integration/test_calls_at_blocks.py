"""Calls at past blocks on a real node: the answer of that block, or that its state is kept no more."""

import asyncio
from pathlib import Path

import pytest

from loyalty.chain.chain import Chain, open_chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.core.address import Address
from tools.evm.functions import function
from tools.evm.node import Node, Transaction
from tools.evm.solidity import creation_code

DEPLOYER = Address("0x" + "de" * 20)
ALICE = Address("0x" + "a1" * 20)
CURVE = Path(__file__).parent.parent / "contracts" / "curve"
MINT = function("mint", ["address", "uint256"])
BALANCE_OF = function("balanceOf", ["address"], ["uint256"])


def balance(node: Node, coin: Address, block: int | None) -> int:
    async def ask(chain: Chain) -> bytes:
        try:
            return await chain.call(coin, BALANCE_OF(ALICE), block)
        finally:
            await chain.close()

    chain_id = int(node.rpc("eth_chainId"), 16)
    return int(BALANCE_OF.answer(asyncio.run(ask(open_chain("anvil", chain_id, [node.url]))))[0])


def minted(node: Node) -> tuple[Address, list[int]]:
    """A coin of which Alice gets 100 in each of three blocks."""
    coin = node.create(DEPLOYER, creation_code(CURVE, "Coin", "A coin", "COIN", 6))
    return coin, [node.mine([Transaction(ALICE, coin, MINT(ALICE, 100))]).header.number for _ in range(3)]


def test_a_balance_is_told_as_of_each_block() -> None:
    with Node(1_700_000_000) as node:
        coin, blocks = minted(node)
        assert [balance(node, coin, block) for block in (*blocks, None)] == [100, 200, 300, 300]


def test_a_node_that_forgets_states_cannot_answer() -> None:
    with Node(1_700_000_000, ("--prune-history",)) as node:
        coin, blocks = minted(node)
        for _ in range(3):
            node.mine()
        assert balance(node, coin, None) == 300
        with pytest.raises(NoneCanAnswer):
            balance(node, coin, blocks[0])
