"""What is called on vaults of a node, and how their views are asked."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from loyalty.core.address import Address
from tests.integration.scene import ALICE, BOB, CAROL, DAVE, MALLORY
from tools.evm.erc20 import APPROVE, BALANCE_OF, MAX_UINT256, MINT
from tools.evm.functions import Function, function
from tools.evm.node import Node, Transaction
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

SOURCES = Path(__file__).parent.parent / "contracts" / "vaults"
PEOPLE = (ALICE, BOB, CAROL, DAVE, MALLORY)
KEEPER = Address("0x" + "4e" * 20)
BRIDGE = Address("0x" + "b1" * 20)
"""What stands for the bridge's messages: it says what arrives."""
DECIMALS = 6
"""Of the asset of the vault with rounds, and so of its shares."""

TRANSFER = function("transfer", ["address", "uint256"])
SUPPLY = function("totalSupply", results=["uint256"])
STAKE = function("stake", ["uint256", "address"])
INSTANT_UNSTAKE = function("instantUnstake", ["uint256"])
REDEEM = function("redeem", ["uint256"])
MAX_REDEEM = function("maxRedeem")
UNSTAKE = function("unstake", ["uint256"])
ROLL = function("rollToNextRound", ["uint256", "bool"])
BRIDGE_OUT = function("bridgeOut", ["uint32", "bytes32", "uint256"])
BRIDGE_IN = function("bridgeIn", ["uint32", "bytes32", "address", "uint256"])
ROUND = function("round", results=["uint256"])
OMNI_SUPPLY = function("omniTotalSupply", results=["uint256"])
TOTAL_PENDING = function("totalPending", results=["uint256"])
PRICE = function("roundPricePerShare", ["uint256"], ["uint256"])
SHARES = function("shares", ["address"], ["uint256"])
RECEIPT = function("stakeReceipts", ["address"], ["uint256", "uint256", "uint256"])
UNSTAKED = function("unstakedShares", ["uint256", "address"], ["uint256"])
YIELD_DEPOSIT = function("deposit", ["uint256", "address"])
YIELD_MINT = function("mint", ["uint256", "address"])
YIELD_WITHDRAW = function("withdraw", ["uint256", "address", "address"])
YIELD_REDEEM = function("redeem", ["uint256", "address", "address"])
TOTAL_ASSETS = function("totalAssets", results=["uint256"])
CONVERT_TO_ASSETS = function("convertToAssets", ["uint256"], ["uint256"])

Sent = tuple[Address, Address, bytes]
"""Sender, contract, call data."""


def create(node: Node, contract: str, *arguments: object) -> Address:
    return node.create(DEPLOYER, creation_code(SOURCES, contract, *arguments))


def ask(node: Node, contract: Address, view: Function, *arguments: object) -> tuple[Any, ...]:
    """What a view answers at the head."""
    return view.answer(node.call(contract, view(*arguments)))


def number(node: Node, contract: Address, view: Function, *arguments: object) -> int:
    """The answer of a view that is one number."""
    return int(ask(node, contract, view, *arguments)[0])


def balances(node: Node, token: Address, holders: Iterable[Address]) -> dict[Address, int]:
    """Those above zero."""
    return {holder: units for holder in holders if (units := number(node, token, BALANCE_OF, holder))}


def fund(node: Node, asset: Address, spender: Address, people: Sequence[Address]) -> None:
    """Everyone has the asset, and the vault may take it."""
    minted = [Transaction(DEPLOYER, asset, MINT(person, 10**24)) for person in people]
    node.mine([*minted, *(Transaction(person, asset, APPROVE(spender, MAX_UINT256)) for person in people)])
