"""Two Curve pools with gauges beside the Uniswap pool of a scene, and what their own views say block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from loyalty.core.address import Address
from tests.integration.scene import ALICE, BOB, CAROL, DAVE, MALLORY, TRADER, Scene
from tools.evm.erc20 import APPROVE, BALANCE_OF, MAX_UINT256, MINT
from tools.evm.functions import Function, function
from tools.evm.node import Transaction
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

SOURCES = Path(__file__).parent.parent / "contracts" / "curve"
PEOPLE = (ALICE, BOB, CAROL, DAVE, MALLORY)
COINS = (("USDX", 6), ("DAIX", 18), ("ETHX", 8))
"""Symbol and decimals of each coin. The first two are a dollar, the third has the hourly price of the scene's ONE."""

TRANSFER = function("transfer", ["address", "uint256"])
SUPPLY = function("totalSupply", results=["uint256"])
SET_MINTER = function("set_minter", ["address"])
DEPOSIT = function("deposit", ["uint256", "address"])
WITHDRAW = function("withdraw", ["uint256"])
NG_ADD = function("add_liquidity", ["uint256[]", "uint256", "address"])
NG_REMOVE = function("remove_liquidity", ["uint256", "uint256[]", "address", "bool"])
NG_REMOVE_ONE = function("remove_liquidity_one_coin", ["uint256", "int128", "uint256", "address"])
NG_REMOVE_IMBALANCE = function("remove_liquidity_imbalance", ["uint256[]", "uint256", "address"])
NG_EXCHANGE = function("exchange", ["int128", "int128", "uint256", "uint256", "address"])
NG_FEES = function("withdraw_admin_fees")
OLD_ADD = function("add_liquidity", ["uint256[2]", "uint256"])
OLD_REMOVE = function("remove_liquidity", ["uint256", "uint256[2]"])
OLD_REMOVE_ONE = function("remove_liquidity_one_coin", ["uint256", "int128", "uint256"])
OLD_EXCHANGE = function("exchange", ["int128", "int128", "uint256", "uint256"])


class Venue(NamedTuple):
    """A Curve pool of a scene and what belongs to it; `coins` are places in COINS."""

    pool: Address
    lp_token: Address
    gauge: Address
    coins: tuple[int, ...]

    @property
    def shares(self) -> tuple[Address, Address]:
        return self.lp_token, self.gauge


class Moment(NamedTuple):
    """What the contracts' own views say after a block: LP and gauge balances, LP supply, and the pool's coins."""

    block: int
    time: int
    balances: dict[Address, dict[Address, int]]
    supply: dict[Address, int]
    holdings: dict[Address, tuple[int, ...]]


@dataclass
class CurveScene:
    """`ng` is a pool of three coins that is its own LP token, with an ERC-20 gauge; `old` one of two coins with a
    separate LP token and a gauge of the first kind."""

    scene: Scene
    coins: tuple[Address, ...]
    ng: Venue
    old: Venue
    start_block: int
    moments: list[Moment] = field(default_factory=list)
    others: list[Address] = field(default_factory=list)
    """More contracts whose balances are noted: those that hold shares for others."""

    def send(self, sender: Address, to: Address, call: Function, *values: object, time: int | None = None) -> Moment:
        """One transaction in a block of its own, and what the views say after it."""
        return self.send_all((sender, to, call(*values)), time=time)

    def send_all(self, *calls: tuple[Address, Address, bytes], time: int | None = None) -> Moment:
        """These transactions in one block."""
        self.scene.node.mine([Transaction(*each) for each in calls], time)
        return self.note()

    def pass_time(self, time: int) -> Moment:
        self.scene.node.mine_at(time)
        return self.note()

    def balance(self, token: Address, holder: Address) -> int:
        return int(BALANCE_OF.answer(self.scene.node.call(token, BALANCE_OF(holder)))[0])

    def note(self) -> Moment:
        header = self.scene.node.header()
        moment = Moment(
            header.number,
            header.time,
            {token: self._balances(token) for venue in self.venues for token in venue.shares},
            {venue.pool: self._supply(venue.lp_token) for venue in self.venues},
            {venue.pool: tuple(self.balance(self.coins[n], venue.pool) for n in venue.coins) for venue in self.venues},
        )
        self.moments.append(moment)
        return moment

    @property
    def venues(self) -> tuple[Venue, Venue]:
        return self.ng, self.old

    def _supply(self, token: Address) -> int:
        return int(SUPPLY.answer(self.scene.node.call(token, SUPPLY()))[0])

    def _balances(self, token: Address) -> dict[Address, int]:
        venues = (self.ng.pool, self.ng.gauge, self.old.pool, self.old.lp_token, self.old.gauge)
        holders = (*PEOPLE, *venues, *self.others)
        return {holder: units for holder in holders if (units := self.balance(token, holder))}

    def program(self) -> Path:
        """The scene's program with both pools and their coins."""
        return self.scene.program(exclusions=self.tables())

    def tables(
        self, chain: str = "play", venues: Sequence[Venue] | None = None, third: str = '{ file = "one.csv" }'
    ) -> str:
        """The coins and pools (both by default) of a program file, on the chain of that name; `third` prices ETHX."""
        dollar, tokens = '{ fixed = "1" }', ""
        for coin, (symbol, decimals), price in zip(self.coins, COINS, (dollar, dollar, third), strict=True):
            tokens += _token(chain, symbol, coin, decimals, price)
        pools = "".join(_pool(chain, venue, self.start_block) for venue in venues or self.venues)
        return tokens + pools


def _token(chain: str, symbol: str, address: Address, decimals: int, price: str) -> str:
    return (
        f'\n[[tokens]]\nsymbol = "{symbol}"\nchain = "{chain}"\naddress = "{address}"\ndecimals = {decimals}\n'
        f"price = {price}\n"
    )


def _pool(chain: str, venue: Venue, start_block: int) -> str:
    coins = ", ".join(f'"{COINS[n][0]}"' for n in venue.coins)
    lp_token = f'lp_token = "{venue.lp_token}"\n' if venue.lp_token != venue.pool else 'value = "holdings"\n'
    return (
        f'\n[[pools]]\nchain = "{chain}"\nprotocol = "curve"\naddress = "{venue.pool}"\nstart_block = {start_block}\n'
        f'tokens = [{coins}]\n{lp_token}gauges = ["{venue.gauge}"]\n'
    )


def deploy(scene: Scene) -> CurveScene:
    """Coins, both pools and their gauges on the scene's node; everyone has coins, and the pools and gauges may take
    them."""
    node = scene.node

    def create(contract: str, *arguments: object) -> Address:
        return node.create(DEPLOYER, creation_code(SOURCES, contract, *arguments))

    coins = tuple(create("Coin", symbol, symbol, decimals) for symbol, decimals in COINS)
    start_block = node.header().number + 1
    ng = create("StableSwapNg", list(coins), 100, 4_000_000, DEPLOYER)
    ng_gauge = create("ChildGauge", ng)
    lp_token = create("LpToken", "Old LP", "oldLP")
    old = create("StableSwapOld", list(coins[:2]), lp_token, 200, 4_000_000, 5_000_000_000)
    old_gauge = create("FirstGauge", lp_token)
    node.mine([Transaction(DEPLOYER, lp_token, SET_MINTER(old))])
    for person in (*PEOPLE, TRADER):
        node.mine(list(_funding(person, coins, (ng, old))))
        allowed = ((ng, ng_gauge), (lp_token, old_gauge), (lp_token, old))
        node.mine([Transaction(person, token, APPROVE(spender, MAX_UINT256)) for token, spender in allowed])
    return CurveScene(
        scene, coins, Venue(ng, ng, ng_gauge, (0, 1, 2)), Venue(old, lp_token, old_gauge, (0, 1)), start_block
    )


def _funding(person: Address, coins: Sequence[Address], pools: Sequence[Address]) -> list[Transaction]:
    minted = [Transaction(DEPLOYER, coin, MINT(person, 10**30)) for coin in coins]
    return minted + [Transaction(person, coin, APPROVE(pool, MAX_UINT256)) for coin in coins for pool in pools]


def ng_amounts(dollars: int) -> list[int]:
    """About so many of each coin, by its decimals."""
    return [dollars * 10**decimals for _, decimals in COINS]
