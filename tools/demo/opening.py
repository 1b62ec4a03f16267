"""The stage before the story: contracts, tokens, pools at the market's price, and accounts with tokens."""

from math import isqrt

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from tools.demo.calendar import SLOT_SECONDS, STORY_START
from tools.demo.cast import everyone
from tools.demo.market import Market
from tools.demo.stage import Stage, Venue
from tools.evm.node import Block, Node, Transaction
from tools.evm.pool import Pool
from tools.evm.uniswap import Uniswap

GENESIS = STORY_START - 3_600
DECIMALS = {"WETH": 18, "USDC": 6, "LOYAL": 18}
VENUES = (("WETH", "USDC", 500), ("LOYAL", "WETH", 3000))
_FUNDED_PER_BLOCK = 25
_PLENTY = 10**32


def opened(seed: str, node: Node) -> Stage:
    """A stage with everybody on it, at STORY_START."""
    uniswap, market = Uniswap.deploy(node), Market(seed)
    tokens = {symbol: uniswap.create_token(symbol, decimals) for symbol, decimals in DECIMALS.items()}
    stage = Stage(seed, node, uniswap, market, {}, tokens, [], STORY_START)
    for symbol_a, symbol_b, fee_pips in VENUES:
        stage.venues[f"{symbol_a}/{symbol_b}"] = _venue(stage, symbol_a, symbol_b, fee_pips)
    for process in everyone(stage, _worthless(uniswap)):
        stage.processes.enter(process)
    _fund(stage)
    stage.blocks = [Block(node.header(number), _receipts(node, number)) for number in range(node.header().number + 1)]
    return stage


def _venue(stage: Stage, symbol_a: str, symbol_b: str, fee_pips: int) -> Venue:
    """A new pool at the market's price."""
    addresses = {stage.tokens[symbol]: symbol for symbol in (symbol_a, symbol_b)}
    symbol0, symbol1 = (addresses[address] for address in sorted(addresses))
    decimals = (DECIMALS[symbol0], DECIMALS[symbol1])
    usd0, usd1 = (stage.market.usd(symbol, STORY_START) for symbol in (symbol0, symbol1))
    price = isqrt((usd0 * 10 ** decimals[1] << 192) // (usd1 * 10 ** decimals[0]))
    pool = stage.uniswap.create_pool(stage.tokens[symbol0], stage.tokens[symbol1], fee_pips, price)
    return Venue(pool, (symbol0, symbol1), decimals)


def _worthless(uniswap: Uniswap) -> Pool:
    """A pool of nobody's tokens, that the program does not know."""
    fakes = [uniswap.create_token(symbol) for symbol in ("FAKE", "SHAM")]
    uniswap.fund(uniswap.payer, fakes, _PLENTY)
    return uniswap.create_pool(fakes[0], fakes[1], 500, 2**96)


def _fund(stage: Stage) -> None:
    """Tokens for all accounts, some accounts a block."""
    accounts: list[Address] = [stage.uniswap.payer, *stage.accounts]
    tokens = list(stage.tokens.values())
    for first in range(0, len(accounts), _FUNDED_PER_BLOCK):
        some = accounts[first : first + _FUNDED_PER_BLOCK]
        sends: list[Transaction] = [t for a in some for t in stage.uniswap.funding(a, tokens, _PLENTY)]
        stage.node.mine(sends)
    if stage.node.header().time > STORY_START - SLOT_SECONDS:
        raise Invalid("the opening takes longer than the hour before the story: fund more accounts a block")


def _receipts(node: Node, number: int) -> list[dict[str, object]]:
    """Of a block that was mined before the story; raises Inconsistent when the node has forgotten them."""
    receipts: list[dict[str, object]] = node.rpc("eth_getBlockReceipts", hex(number)) or []
    gas_used = int(node.rpc("eth_getBlockByNumber", hex(number), False)["gasUsed"], 16)
    if gas_used and not receipts:
        raise Inconsistent(f"block {number} used gas but has no receipts: let the node keep more blocks")
    return receipts
