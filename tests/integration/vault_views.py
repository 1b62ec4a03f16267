"""Vaults on a node, what is done to them, and what their own views say block by block."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from loyalty.core.address import Address
from tests.integration.vault_calls import (
    BRIDGE,
    CONVERT_TO_ASSETS,
    DECIMALS,
    KEEPER,
    OMNI_SUPPLY,
    PEOPLE,
    PRICE,
    RECEIPT,
    ROLL,
    ROUND,
    SHARES,
    SUPPLY,
    TOTAL_ASSETS,
    TOTAL_PENDING,
    UNSTAKED,
    Sent,
    ask,
    balances,
    create,
    fund,
    number,
)
from tools.evm.erc20 import APPROVE, MAX_UINT256, MINT
from tools.evm.functions import Function
from tools.evm.node import Node, Transaction
from tools.evm.uniswap import DEPLOYER

# The vault with rounds ---------------------------------------------------------------------------------------------


class Receipt(NamedTuple):
    """What an account staked in `round`, and the shares owed to it from before, as the contract keeps them."""

    round: int
    amount: int
    unredeemed: int


class VaultMoment(NamedTuple):
    """What the vault says after a block. `round` is open; `price_per_share` is of the round before, 0 in the first.

    `shares` (held and owed) and `balances` are above zero; the vault's own balance is among the latter. `unstaked` has
    by round, for the open one and the one before, who unstaked in it.
    """

    block: int
    time: int
    round: int
    price_per_share: int
    supply: int
    omni_supply: int
    total_pending: int
    shares: dict[Address, int]
    balances: dict[Address, int]
    receipts: dict[Address, Receipt]
    unstaked: dict[int, frozenset[Address]]

    def pending(self, account: Address) -> int:
        """Assets staked in the open round."""
        receipt = self.receipts[account]
        return receipt.amount if receipt.round == self.round else 0

    def owed(self, account: Address) -> int:
        """Shares that the vault holds for the account."""
        return self.shares.get(account, 0) - self.balances.get(account, 0)


@dataclass
class RoundVault:
    """A vault with rounds. `moments` are noted after each block, `starts` right after each RoundRolled log.

    What a vault says in the middle of a block is had by mining its beginning alone, looking, and undoing it.
    """

    node: Node
    asset: Address
    address: Address
    start_block: int
    holders: tuple[Address, ...] = PEOPLE
    moments: list[VaultMoment] = field(default_factory=list)
    starts: list[VaultMoment] = field(default_factory=list)

    @classmethod
    def deploy(cls, node: Node) -> "RoundVault":
        asset = create(node, "Asset", "Dollar", "USDX", DECIMALS)
        start_block = node.header().number + 1
        address = create(node, "StreamVault", asset, "Stream dollar", "streamUSD", KEEPER, BRIDGE)
        fund(node, asset, address, PEOPLE)
        return cls(node, asset, address, start_block)

    def sent(self, sender: Address, call: Function, *values: object) -> Sent:
        """A call on the vault, for `send_all`."""
        return sender, self.address, call(*values)

    def send(self, sender: Address, call: Function, *values: object, time: int | None = None) -> VaultMoment:
        """One transaction in a block of its own, and what the views say after it."""
        return self.send_all(self.sent(sender, call, *values), time=time)

    def send_all(self, *calls: Sent, time: int | None = None) -> VaultMoment:
        """These transactions in one block; a start is noted for each roll among them."""
        transactions = [Transaction(*call) for call in calls]
        for place, (_, _, payload) in enumerate(calls):
            if payload.startswith(ROLL.selector):
                self._note_start(transactions[: place + 1], time)
        self.node.mine(transactions, time)
        return self.note()

    def _note_start(self, transactions: Sequence[Transaction], time: int | None) -> None:
        before = self.node.snapshot()
        self.node.mine(transactions, time)
        self.starts.append(self.view())
        self.node.revert(before)

    def note(self) -> VaultMoment:
        self.moments.append(self.view())
        return self.moments[-1]

    def view(self) -> VaultMoment:
        header, vault = self.node.header(), self.address
        current = self._number(ROUND)
        shares = {holder: self._number(SHARES, holder) for holder in self.holders}
        return VaultMoment(
            header.number,
            header.time,
            current,
            self._number(PRICE, current - 1),
            self._number(SUPPLY),
            self._number(OMNI_SUPPLY),
            self._number(TOTAL_PENDING),
            {holder: units for holder, units in shares.items() if units},
            balances(self.node, vault, (*self.holders, vault)),
            {holder: Receipt(*ask(self.node, vault, RECEIPT, holder)) for holder in self.holders},
            {each: self._unstaked(each) for each in (current - 1, current)},
        )

    def _unstaked(self, in_round: int) -> frozenset[Address]:
        return frozenset(holder for holder in self.holders if self._number(UNSTAKED, in_round, holder))

    def _number(self, view: Function, *arguments: object) -> int:
        return number(self.node, self.address, view, *arguments)


# Shares on another chain -------------------------------------------------------------------------------------------


class ShareMoment(NamedTuple):
    """Balances above zero, the contract's own too, and supply after a block."""

    block: int
    time: int
    balances: dict[Address, int]
    supply: int


@dataclass
class AwayShares:
    """The shares of a vault on a chain without its rounds."""

    node: Node
    address: Address
    start_block: int
    holders: tuple[Address, ...] = PEOPLE
    moments: list[ShareMoment] = field(default_factory=list)

    @classmethod
    def deploy(cls, node: Node) -> "AwayShares":
        start_block = node.header().number + 1
        address = create(node, "BridgedShare", "Stream dollar", "streamUSD", DECIMALS, BRIDGE)
        return cls(node, address, start_block)

    def send(self, sender: Address, call: Function, *values: object, time: int | None = None) -> ShareMoment:
        self.node.mine([Transaction(sender, self.address, call(*values))], time)
        return self.note()

    def note(self) -> ShareMoment:
        header = self.node.header()
        found = balances(self.node, self.address, (*self.holders, self.address))
        self.moments.append(ShareMoment(header.number, header.time, found, number(self.node, self.address, SUPPLY)))
        return self.moments[-1]

    def at(self, time: int) -> ShareMoment:
        """As of the last block with a time up to `time`."""
        return next(moment for moment in reversed(self.moments) if moment.time <= time)


# ERC-4626 ----------------------------------------------------------------------------------------------------------


class YieldMoment(NamedTuple):
    """What an ERC-4626 vault says after a block. `price_per_share`: asset units per whole share."""

    block: int
    time: int
    balances: dict[Address, int]
    supply: int
    total_assets: int
    price_per_share: int


@dataclass
class Yield:
    """An ERC-4626 vault over `asset`, whose shares have `decimals`."""

    node: Node
    asset: Address
    address: Address
    decimals: int
    start_block: int
    holders: tuple[Address, ...] = PEOPLE
    moments: list[YieldMoment] = field(default_factory=list)

    @classmethod
    def deploy(cls, node: Node, asset: Address | None = None, decimals: int = 18) -> "Yield":
        """Over an asset of its own with six decimals that everyone has, or over `asset`, which the vault may take."""
        venue = asset or create(node, "Asset", "Other dollar", "USDY", DECIMALS)
        start_block = node.header().number + 1
        address = create(node, "YieldVault", venue, "Yield", "yield", decimals)
        if asset is None:
            fund(node, venue, address, PEOPLE)
        else:
            node.mine([Transaction(person, venue, APPROVE(address, MAX_UINT256)) for person in PEOPLE])
        return cls(node, venue, address, decimals, start_block)

    def send(self, sender: Address, call: Function, *values: object, time: int | None = None) -> YieldMoment:
        return self.send_all((sender, self.address, call(*values)), time=time)

    def send_all(self, *calls: Sent, time: int | None = None) -> YieldMoment:
        self.node.mine([Transaction(*call) for call in calls], time)
        return self.note()

    def earn(self, units: int, time: int | None = None) -> YieldMoment:
        """Yield: a plain transfer of the asset from outside."""
        return self.send_all((DEPLOYER, self.asset, MINT(self.address, units)), time=time)

    def at(self, time: int) -> YieldMoment:
        """As of the last block with a time up to `time`."""
        return next(moment for moment in reversed(self.moments) if moment.time <= time)

    def note(self) -> YieldMoment:
        header = self.node.header()
        self.moments.append(
            YieldMoment(
                header.number,
                header.time,
                balances(self.node, self.address, (*self.holders, self.address)),
                number(self.node, self.address, SUPPLY),
                number(self.node, self.address, TOTAL_ASSETS),
                number(self.node, self.address, CONVERT_TO_ASSETS, 10**self.decimals),
            )
        )
        return self.moments[-1]
