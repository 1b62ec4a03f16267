"""Vaults in plain Python, written from their contracts' rules: they emit raw logs as the contracts do, and their views
are the truth to compare with. Receipts turn into shares when an account is touched, as in the contract, not at the
roll."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.logs import RawLog
from loyalty.core.spans import Span
from loyalty.protocols import erc20
from loyalty.protocols.vaults.stream_vault import topics

VAULT = Address("0x" + "fa" * 20)
ALICE, BOB, CAROL, DAVE = (Address("0x" + letter * 40) for letter in "abcd")


def word(value: int | str) -> bytes:
    return bytes(12) + bytes.fromhex(value[2:]) if isinstance(value, str) else value.to_bytes(32)


class Chain:
    """`at(block, time)` opens a block, `transaction()` a transaction; each log takes the next index."""

    def __init__(self) -> None:
        self.logs: list[RawLog] = []
        self.block = self.time = self.next_index = self.transactions = 0

    def at(self, block: int, time: int | None = None) -> "Chain":
        self.block, self.time, self.next_index = block, 12 * block if time is None else time, 0
        self.transaction()
        return self

    def transaction(self) -> None:
        self.transactions += 1

    def emit(self, address: Address, topic: bytes, indexed: Sequence[str], values: Sequence[int]) -> None:
        body = b"".join(map(word, values))
        place = (self.block, self.next_index, self.time, address)
        row = (topic, *map(word, indexed))
        self.logs.append(RawLog(*place, row, body, word(self.transactions), f"0x{self.block:064x}"))
        self.next_index += 1

    @property
    def whole(self) -> Span:
        return Span(0, self.block + 1)


class Token:
    """An ERC-20, and its bridge: burned here, minted there."""

    def __init__(self, chain: Chain, address: Address = VAULT) -> None:
        self.chain, self.address = chain, address
        self.balances: Counter[Address] = Counter()

    def move(self, sender: Address, recipient: Address, units: int) -> None:
        if sender != ZERO_ADDRESS:
            assert self.balances[sender] >= units
            self.balances[sender] -= units
        if recipient != ZERO_ADDRESS:
            self.balances[recipient] += units
        self.chain.emit(self.address, erc20.TRANSFER, [sender, recipient], [units])

    def bridge_out(self, account: Address, units: int) -> None:
        self.move(account, ZERO_ADDRESS, units)
        self.chain.next_index += 2  # logs of other contracts: the bridge's messages

    def bridge_in(self, account: Address, units: int) -> None:
        self.move(ZERO_ADDRESS, account, units)

    @property
    def supply(self) -> int:
        return sum(self.balances.values())


@dataclass
class Receipt:
    round: int = 0
    amount: int = 0
    unredeemed: int = 0


class Truth(NamedTuple):
    """What the vault's views say right after a roll."""

    round: int
    price_per_share: int
    shares: dict[Address, int]
    unclaimed: int


@dataclass
class StreamVault:
    """Accounts stake assets, the keeper rolls rounds. `burn_first`: the burn's Transfer stands before Unstake."""

    chain: Chain
    address: Address = VAULT
    decimals: int = 6
    burn_first: bool = False
    round: int = 1
    total_pending: int = 0
    truths: list[Truth] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.token = Token(self.chain, self.address)
        self.receipts: dict[Address, Receipt] = {}
        self.prices: dict[int, int] = {}

    @property
    def scale(self) -> int:
        return int(10**self.decimals)

    def receipt(self, account: Address) -> Receipt:
        return self.receipts.setdefault(account, Receipt())

    def unredeemed(self, account: Address) -> int:
        receipt = self.receipt(account)
        if 0 < receipt.round < self.round:
            return receipt.unredeemed + receipt.amount * self.scale // self.prices[receipt.round]
        return receipt.unredeemed

    def pending(self, account: Address) -> int:
        receipt = self.receipt(account)
        return receipt.amount if receipt.round == self.round else 0

    def shares(self) -> dict[Address, int]:
        accounts = {*self.receipts, *self.token.balances} - {self.address}
        sums = {account: self.token.balances[account] + self.unredeemed(account) for account in accounts}
        return {account: units for account, units in sorted(sums.items()) if units}

    def stake(self, account: Address, amount: int) -> None:
        pending, unredeemed = self.pending(account), self.unredeemed(account)
        self.receipts[account] = Receipt(self.round, pending + amount, unredeemed)
        self.total_pending += amount
        self.log(topics.STAKE, account, amount, self.round)

    def instant_unstake(self, account: Address, amount: int) -> None:
        assert self.pending(account) >= amount
        self.receipt(account).amount -= amount
        self.total_pending -= amount
        self.log(topics.INSTANT_UNSTAKE, account, amount, self.round)

    def redeem(self, account: Address, shares: int | None = None) -> None:
        receipt, owed = self.receipt(account), self.unredeemed(account)
        taken = owed if shares is None else shares
        assert taken <= owed
        if not taken:
            return
        if receipt.round < self.round:
            receipt.amount = 0
        receipt.unredeemed = owed - taken
        self.log(topics.REDEEM, account, taken, receipt.round)
        self.token.move(self.address, account, taken)

    def unstake(self, account: Address, shares: int) -> None:
        self.redeem(account)
        amount = shares * self.prices[self.round - 1] // self.scale
        if self.burn_first:
            self.token.move(account, ZERO_ADDRESS, shares)
        self.log(topics.UNSTAKE, account, amount, self.round)
        if not self.burn_first:
            self.token.move(account, ZERO_ADDRESS, shares)

    def roll(self, price: int, yield_units: int = 0) -> Truth:
        minted = self.total_pending * self.scale // price
        rolled, self.total_pending = self.round, 0
        self.prices[rolled], self.round = price, rolled + 1
        self.token.move(ZERO_ADDRESS, self.address, minted)
        values = [rolled, price, minted, max(yield_units, 0), max(-yield_units, 0), abs(yield_units), yield_units >= 0]
        self.chain.emit(self.address, topics.ROUND_ROLLED, [], values)
        shares = self.shares()
        truth = Truth(self.round, price, shares, self.token.supply - sum(shares.values()))
        self.truths.append(truth)
        return truth

    def log(self, topic: bytes, account: Address, units: int, number: int) -> None:
        self.chain.emit(self.address, topic, [account], [units, number])
