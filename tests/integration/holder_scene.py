"""Contracts that hold for others: stakers of position NFTs, a manager of ranges, gauge tokens staked once more, a vault
of LP tokens; and what they and the pools say block by block."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from tests.integration import curve_scene
from tests.integration.curve_scene import CurveScene
from tests.integration.scene import Scene, decimals_of
from tests.integration.two_chains import quoted, table, texts
from tests.integration.vault_calls import PEOPLE, SUPPLY, ask, balances, number
from tests.integration.vault_views import Yield
from tools.evm.erc20 import APPROVE, MAX_UINT256
from tools.evm.functions import Function, function
from tools.evm.node import Node, RevertedError, Transaction
from tools.evm.pool import Pool
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

SOURCES = Path(__file__).parent.parent / "contracts" / "holders"
KEEPER = DEPLOYER
"""Who moves the managed range."""

SET_APPROVAL_FOR_ALL = function("setApprovalForAll", ["address", "bool"])
SAFE_TRANSFER = function("safeTransferFrom", ["address", "address", "uint256"])
STAKE = function("stake", ["uint256"])
TRANSFER_DEPOSIT = function("transferDeposit", ["uint256", "address"])
WITHDRAW_TOKEN = function("withdrawToken", ["uint256", "address"])
USER_DEPOSIT = function("deposit", ["uint256", "address"])
USER_WITHDRAW = function("withdraw", ["uint256"])
DEPOSITOR = function("depositor", ["uint256"], ["address"])
RANGE_DEPOSIT = function("deposit", ["uint128", "address"])
RANGE_DONATE = function("donate", ["uint128"])
RANGE_WITHDRAW = function("withdraw", ["uint256", "address"])
RANGE_REBALANCE = function("rebalance", ["int24", "int24", "uint128"])
LOWER = function("lower", results=["int24"])
UPPER = function("upper", results=["int24"])
LIQUIDITY = function("liquidity", results=["uint128"])
RECEIPT_STAKE = function("stake", ["uint256", "address"])
RECEIPT_UNSTAKE = function("unstake", ["uint256", "address"])


class Position(NamedTuple):
    """A position NFT by the manager's and the stakers' views; `depositor` is the zero address where there is none."""

    token_id: int
    owner: Address
    depositor: Address
    lower: int
    upper: int
    liquidity: int


class Range(NamedTuple):
    """What the manager of ranges holds in the pool itself."""

    lower: int
    upper: int
    liquidity: int


class HolderMoment(NamedTuple):
    """What all say after a block. `shares` (above zero) and `supply` by contract: managed range, receipts, LP vault."""

    block: int
    time: int
    sqrt_price_x96: int
    tick: int
    in_range_liquidity: int
    positions: tuple[Position, ...]
    range: Range
    shares: dict[Address, dict[Address, int]]
    supply: dict[Address, int]
    curve: curve_scene.Moment


@dataclass
class HolderScene:
    """On the node of `scene` and `curve`: `staker` has Uniswap's event, `user_staker` others; `manager` owns a range of
    the Uniswap pool; `receipts` stand for tokens of the first gauge; `lp_vault` holds LP tokens of its pool."""

    scene: Scene
    curve: CurveScene
    staker: Address
    user_staker: Address
    manager: Address
    receipts: Address
    lp_vault: Yield
    token_ids: list[int] = field(default_factory=list)
    moments: list[HolderMoment] = field(default_factory=list)

    @classmethod
    def deploy(cls, scene: Scene, curve: CurveScene) -> "HolderScene":
        node, nft, middle = scene.node, scene.uniswap.manager.address, scene.middle
        lower, upper = (round((middle + tick) / 60) * 60 for tick in (-1_200, 1_200))
        staker, user_staker = _create(node, "NftStaker", nft), _create(node, "UserNftStaker", nft)
        manager = _create(node, "RangeManager", scene.pool.address, lower, upper)
        receipts = _create(node, "ShareStaker", curve.ng.gauge, "Staked gauge tokens", "receipt")
        lp_vault = Yield.deploy(node, curve.ng.lp_token)
        told = cls(scene, curve, staker, user_staker, manager, receipts, lp_vault)
        curve.others += [receipts, lp_vault.address]
        node.mine([*scene.uniswap.funding(KEEPER, (scene.pool.token0, scene.pool.token1), 10**30)])
        node.mine([each for person in (*PEOPLE, KEEPER) for each in told._allowing(person)])
        told.note()
        return told

    def _allowing(self, person: Address) -> list[Transaction]:
        nft = self.scene.uniswap.manager.address
        may_take = (
            (self.scene.pool.token0, self.manager),
            (self.scene.pool.token1, self.manager),
            (self.curve.ng.gauge, self.receipts),
        )
        stakers = (self.staker, self.user_staker)
        return [Transaction(person, nft, SET_APPROVAL_FOR_ALL(staker, True)) for staker in stakers] + [
            Transaction(person, token, APPROVE(spender, MAX_UINT256)) for token, spender in may_take
        ]

    # What is done -----------------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node:
        return self.scene.node

    @property
    def nft(self) -> Address:
        """The position manager."""
        return self.scene.uniswap.manager.address

    @property
    def share_contracts(self) -> tuple[Address, Address, Address]:
        """Those that hold for whoever holds their shares."""
        return self.manager, self.receipts, self.lp_vault.address

    def mint(self, owner: Address, lower: int, upper: int, dollars: int, time: int | None = None) -> HolderMoment:
        """A new position of `owner` on ticks counted from the middle."""
        self.token_ids.append(self.scene.mint(owner, lower, upper, dollars, time))
        return self.note()

    def send(
        self, sender: Address, to: Address, call: Function, *values: object, time: int | None = None
    ) -> HolderMoment:
        """One transaction in a block of its own, and what all say after it."""
        return self.send_all((sender, to, call(*values)), time=time)

    def send_all(self, *calls: tuple[Address, Address, bytes], time: int | None = None) -> HolderMoment:
        """These transactions in one block."""
        self.node.mine([Transaction(*each) for each in calls], time)
        return self.note()

    def swap(self, tick: int, time: int | None = None) -> HolderMoment:
        """A swap that takes the price to this tick, counted from the middle."""
        self.scene.swap(tick, time)
        return self.note()

    def pass_time(self, time: int) -> HolderMoment:
        self.node.mine_at(time)
        return self.note()

    # What is said -----------------------------------------------------------------------------------------------------

    def note(self) -> HolderMoment:
        header, view = self.node.header(), self.scene.uniswap.view(self.scene.pool)
        self.lp_vault.note()
        moment = HolderMoment(
            header.number,
            header.time,
            *view.slot0(),
            view.liquidity(),
            tuple(found for each in self.token_ids if (found := self._position(each))),
            Range(*(number(self.node, self.manager, each) for each in (LOWER, UPPER, LIQUIDITY))),
            {each: balances(self.node, each, (*PEOPLE, KEEPER, each)) for each in self.share_contracts},
            {each: number(self.node, each, SUPPLY) for each in self.share_contracts},
            self.curve.note(),
        )
        self.moments.append(moment)
        return moment

    def _position(self, token_id: int) -> Position | None:
        """None once it is burned."""
        manager = self.scene.uniswap.manager
        try:
            found, owner = manager.position(self.node, token_id), manager.owner_of(self.node, token_id)
        except RevertedError:
            return None
        return Position(token_id, owner, self._depositor(owner, token_id), found.lower, found.upper, found.liquidity)

    def _depositor(self, owner: Address, token_id: int) -> Address:
        if owner not in (self.staker, self.user_staker):
            return ZERO_ADDRESS
        return Address(str(ask(self.node, owner, DEPOSITOR, token_id)[0]).lower())

    # The program file -------------------------------------------------------------------------------------------------

    def tables(self, chain: str = "play") -> str:
        """How the contracts are looked through."""
        keys = {"chain": quoted(chain)}
        shared = [
            table("look_through", **keys, address=quoted(each), shares=quoted(each)) for each in self.share_contracts
        ]
        staker = table("look_through", **keys, address=quoted(self.staker), kind=quoted("nft_staker"))
        return (
            "".join(shared)
            + staker
            + table(
                "look_through",
                **keys,
                address=quoted(self.user_staker),
                kind=quoted("nft_staker"),
                deposit=quoted("Deposit(address indexed user, uint256 indexed tokenId)"),
                withdraw=quoted("Withdraw(address indexed user, uint256 indexed tokenId)"),
            )
        )

    def program(self) -> Path:
        """The scene's program on one chain: the Uniswap pool, the first Curve pool, and everything looked through."""
        return self.scene.program(exclusions=self.curve.tables("play", [self.curve.ng]) + self.tables())


def uniswap_tables(scene: Scene, chain: str) -> str:
    """Tokens and pool of a scene, on the chain of that name; ONE has the hourly prices beside the program file."""
    pool: Pool = scene.pool
    text = ""
    for address in (pool.token0, pool.token1):
        decimals = decimals_of(scene.node, address)
        symbol, price = ("ONE", '{ file = "one.csv" }') if decimals == 18 else ("TWO", '{ fixed = "1" }')
        keys = {"symbol": quoted(symbol), "chain": quoted(chain), "address": quoted(address)}
        text += table("tokens", **keys, decimals=str(decimals), price=price)
    return text + table(
        "pools",
        chain=quoted(chain),
        protocol=quoted("uniswap_v3"),
        address=quoted(pool.address),
        start_block=str(scene.start_block),
        tokens=texts("ONE", "TWO"),
    )


def managers(scene: Scene) -> str:
    """The position managers of a scene, as the program file lists them."""
    return ", ".join(f"{{ address = {quoted(each.address)}, start_block = 0 }}" for each in scene.managers)


def _create(node: Node, contract: str, *arguments: object) -> Address:
    return node.create(DEPLOYER, creation_code(SOURCES, contract, *arguments))
