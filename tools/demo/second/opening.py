"""The second stage before the story: contracts, and accounts with tokens that pool, gauge and vault may take."""

from loyalty.core.address import Address
from tools.demo.calendar import STORY_START
from tools.demo.second import contracts as on
from tools.demo.second.people import everyone
from tools.demo.second.stage import SecondStage
from tools.evm.node import Block, Node, Transaction
from tools.evm.uniswap import DEPLOYER

CHAIN_ID = 31338
GENESIS = STORY_START - 7_200
_DOLLARS = 10**9
_MOST = 2**256 - 1


def opened(seed: str, node: Node) -> SecondStage:
    """A stage with everybody on it, at STORY_START."""
    stage = SecondStage(seed, node, on.deploy(node), STORY_START)
    for process in everyone(stage):
        stage.processes.enter(process)
    for account in stage.accounts:
        node.mine(_funding(stage.deployed, account))
    stage.blocks = [Block(node.header(number), _receipts(node, number)) for number in range(node.header().number + 1)]
    return stage


def _funding(deployed: on.Deployed, account: Address) -> list[Transaction]:
    """A billion of each token for the account, which allows pool, gauge and vault to take theirs."""
    tokens = zip((*deployed.coins, deployed.asset), (*on.COINS, on.ASSET), strict=True)
    minted = [
        Transaction(DEPLOYER, token, on.MINT(account, _DOLLARS * 10**decimals)) for token, (_, decimals) in tokens
    ]
    spenders = [
        *((coin, deployed.pool) for coin in deployed.coins),
        (deployed.pool, deployed.gauge),
        (deployed.asset, deployed.vault),
    ]
    return minted + [Transaction(account, token, on.APPROVE(spender, _MOST)) for token, spender in spenders]


def _receipts(node: Node, number: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = node.rpc("eth_getBlockReceipts", hex(number)) or []
    return found
