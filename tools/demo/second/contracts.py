"""The second chain's contracts: our own, which follow the events of Curve's pools and of vaults with rounds."""

from pathlib import Path
from typing import NamedTuple

from loyalty.core.address import Address
from tools.evm.functions import function
from tools.evm.node import Node
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

CONTRACTS = Path(__file__).parents[3] / "tests" / "contracts"
KEEPER = Address("0x" + "4e" * 20)
_NONCE = 1_000
COINS = (("USDE", 18), ("USDP", 6))
"""The pool's coins, a dollar each."""
ASSET = ("USDV", 6)
"""The vault's, a dollar too."""

APPROVE = function("approve", ["address", "uint256"])
MINT = function("mint", ["address", "uint256"])
TRANSFER = function("transfer", ["address", "uint256"])
BALANCE = function("balanceOf", ["address"], ["uint256"])
ADD = function("add_liquidity", ["uint256[]", "uint256", "address"])
REMOVE = function("remove_liquidity", ["uint256", "uint256[]", "address", "bool"])
REMOVE_ONE = function("remove_liquidity_one_coin", ["uint256", "int128", "uint256", "address"])
EXCHANGE = function("exchange", ["int128", "int128", "uint256", "uint256", "address"])
DEPOSIT = function("deposit", ["uint256", "address"])
WITHDRAW = function("withdraw", ["uint256"])
STAKE = function("stake", ["uint256", "address"])
INSTANT_UNSTAKE = function("instantUnstake", ["uint256"])
REDEEM = function("maxRedeem")
UNSTAKE = function("unstake", ["uint256"])
ROLL = function("rollToNextRound", ["uint256", "bool"])
SHARES = function("shares", ["address"], ["uint256"])
PENDING = function("totalPending", results=["uint256"])


class Deployed(NamedTuple):
    """Where everything is, and from which block on."""

    coins: tuple[Address, ...]
    pool: Address
    pool_block: int
    gauge: Address
    asset: Address
    vault: Address
    vault_block: int


def deploy(node: Node) -> Deployed:
    """All contracts, one a block, at other addresses than anything on the first chain."""
    node.rpc("anvil_setNonce", DEPLOYER, hex(_NONCE))

    def create(folder: str, contract: str, *arguments: object) -> Address:
        return node.create(DEPLOYER, creation_code(CONTRACTS / folder, contract, *arguments))

    coins = tuple(create("curve", "Coin", symbol, symbol, decimals) for symbol, decimals in COINS)
    pool = create("curve", "StableSwapNg", list(coins), 200, 4_000_000, DEPLOYER)
    pool_block = node.header().number
    gauge = create("curve", "ChildGauge", pool)
    asset = create("vaults", "Asset", "Vault dollar", *ASSET)
    vault = create("vaults", "StreamVault", asset, "Stream vault dollar", "streamUSDV", KEEPER, DEPLOYER)
    return Deployed(coins, pool, pool_block, gauge, asset, vault, node.header().number)
