"""A vault's ledger: what is pending, what is owed and who holds shares, round by round, as a fold over its facts.

A Stake is pending assets of its round. When the round is rolled at a price per share, each account's summed pending
assets become floor(assets * 10**decimals / price) shares owed to it, held by the vault until Redeem. (The contract
keeps a receipt and turns it into owed shares at the account's next touch. A round's price never changes, so it makes no
difference when.) Whoever holds shares, redeemed or owed, is a holder; the vault itself never is.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import RoundRolled, TokenTransfer, VaultEvent
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.holders import held
from loyalty.protocols.vaults.stream_vault.events import INSTANT_UNSTAKE, REDEEM, STAKE, UNSTAKE
from loyalty.protocols.vaults.stream_vault.transaction import Transaction, place

VaultFact = VaultEvent | RoundRolled | TokenTransfer


class RoundStart(NamedTuple):
    """The holders of a vault's shares on its own chain at the moment in which `round` begins.

    That is right after the RoundRolled of the round before, whose block, log index, time and price per share (asset
    units per whole share) stand here. `shares` counts balances and owed shares, above zero, by ascending address.
    `unclaimed_shares` are the vault's beyond what it owes: roundings and donations, nobody's. `bridged_shares` is how
    many more left this chain by bridge than came.
    """

    vault: Address
    round: int
    time: int
    block: int
    log_index: int
    price_per_share: int
    shares: dict[Address, int]
    unclaimed_shares: int
    bridged_shares: int


class VaultLedger:
    """Folds one vault's facts from its creation on, in (block, log index) order.

    `decimals` are the share's and the asset's, which are the same. A fact that contradicts what came before is
    Inconsistent and names vault, block and log index; the ledger is then of no further use: work on a `copy()` where
    the step can fail.

    The vault always holds at least what it owes: a roll mints to it what its stakers are owed or a little more, and
    nothing leaves it but by a Redeem of what is owed. What it holds beyond that are roundings and donations.
    """

    __slots__ = (
        "_last",
        "_owed",
        "_pending",
        "_price",
        "_receipt_round",
        "_rolled_shares",
        "_round",
        "_scale",
        "_shares",
        "_transaction",
        "_unstaked_shares",
        "vault",
    )

    def __init__(self, vault: Address, decimals: int, first_round: int = 1) -> None:
        self.vault = vault
        self._scale: int = 10**decimals
        self._round = first_round
        self._price: int | None = None
        self._pending: dict[Address, int] = {}
        self._owed: dict[Address, int] = {}
        self._receipt_round: dict[Address, int] = {}
        self._shares = ShareLedger(vault)
        self._rolled_shares = 0
        self._unstaked_shares = 0
        self._transaction = Transaction(vault, self._scale, b"")
        self._last = Checkpoint(-1, -1)

    def copy(self) -> "VaultLedger":
        """A ledger that says the same and goes its own way."""
        twin = VaultLedger.__new__(VaultLedger)
        twin.vault, twin._scale, twin._round, twin._price = self.vault, self._scale, self._round, self._price
        twin._pending, twin._owed = self._pending.copy(), self._owed.copy()
        twin._receipt_round = self._receipt_round.copy()
        twin._shares, twin._transaction = self._shares.copy(), self._transaction.copy()
        twin._rolled_shares, twin._unstaked_shares = self._rolled_shares, self._unstaked_shares
        twin._last = self._last
        return twin

    # What it says ---------------------------------------------------------------------------------------------------

    @property
    def round(self) -> int:
        """The round that is open."""
        return self._round

    @property
    def price_per_share(self) -> int | None:
        """Asset units per whole share at the last roll; None before the first."""
        return self._price

    def pending(self, account: Address) -> int:
        """Asset units staked in the open round and not taken back."""
        return self._pending.get(account, 0)

    def owed(self, account: Address) -> int:
        """Unredeemed shares: the account's, held by the vault."""
        return self._owed.get(account, 0)

    def balance(self, account: Address) -> int:
        """The ERC-20 balance, the vault's own too."""
        return self._shares.balance(account)

    def shares(self) -> dict[Address, int]:
        """Balance plus owed shares of everybody but the vault, above zero, by ascending address."""
        shares = held(self._shares)
        for account, owed in self._owed.items():
            if account not in (self.vault, ZERO_ADDRESS):
                shares[account] = shares.get(account, 0) + owed
        return dict(sorted(shares.items()))

    @property
    def supply(self) -> int:
        """All shares on this chain."""
        return self._shares.supply

    @property
    def bridged_shares(self) -> int:
        """How many more shares left this chain by bridge than came: what rolls and Unstakes do not explain."""
        return self._rolled_shares - self._unstaked_shares - self._shares.supply

    # What it is told ------------------------------------------------------------------------------------------------

    def apply(self, fact: VaultFact) -> RoundStart | None:
        """Fold one fact; a RoundRolled gives the start of the next round."""
        self._advance(fact)
        if isinstance(fact, TokenTransfer):
            self._shares.apply(fact)
            self._transaction.add_transfer(fact)
            return None
        if isinstance(fact, RoundRolled):
            return self._roll(fact)
        self._event(fact)
        return None

    def close_transaction(self) -> None:
        """No more logs of the last transaction will come: each of its events must have had its Transfer.

        To be called at the end of a span of whole blocks; a fact of another transaction does it too.
        """
        self._unstaked_shares += self._transaction.settle(self._price)

    def _advance(self, fact: VaultFact) -> None:
        here = Checkpoint(fact.block, fact.log_index)
        contract = fact.token if isinstance(fact, TokenTransfer) else fact.vault
        if contract != self.vault:
            raise Inconsistent(f"{place(fact)}: came to the ledger of vault {self.vault}")
        if here <= self._last:
            raise Inconsistent(
                f"{place(fact)}: came after block {self._last.block}, log {self._last.log_index} was folded: facts "
                "must come once, and in order"
            )
        if fact.transaction_hash != self._transaction.hash:
            self.close_transaction()
            self._transaction = Transaction(self.vault, self._scale, fact.transaction_hash)
        self._last = here

    # Accounts -------------------------------------------------------------------------------------------------------

    def _event(self, event: VaultEvent) -> None:
        steps: Mapping[str, Callable[[VaultEvent], None]] = {
            STAKE: self._stake,
            INSTANT_UNSTAKE: self._instant_unstake,
            UNSTAKE: self._unstake,
            REDEEM: self._redeem,
        }
        if event.kind not in steps:
            raise Inconsistent(f"{place(event)}: {event.kind!r} is nothing that an account does with a vault")
        steps[event.kind](event)
        self._transaction.add_event(event)

    def _stake(self, event: VaultEvent) -> None:
        self._expect_round(event, self._round, "the open round")
        self._receipt_round[event.account] = event.round
        self._pending[event.account] = self.pending(event.account) + event.units

    def _instant_unstake(self, event: VaultEvent) -> None:
        self._expect_round(event, self._round, "the open round")
        self._take(self._pending, event, "staked in this round")

    def _redeem(self, event: VaultEvent) -> None:
        receipt_round = self._receipt_round.get(event.account)
        if receipt_round is not None:
            self._expect_round(event, receipt_round, "that of its last Stake")
        self._take(self._owed, event, "owed")

    def _unstake(self, event: VaultEvent) -> None:
        self._expect_round(event, self._round, "the open round")
        owed = self.owed(event.account)
        if owed:
            raise Inconsistent(
                f"{place(event)}: {event.account} unstakes while {owed} shares are owed to it: the Redeem before it, "
                "which the vault always writes, is missing. Ask another endpoint"
            )

    def _take(self, units: dict[Address, int], event: VaultEvent, what: str) -> None:
        left = units.get(event.account, 0) - event.units
        if left < 0:
            raise Inconsistent(
                f"{place(event)}: {event.account} takes back {event.units} of {units.get(event.account, 0)} {what}: an "
                "earlier log is missing, or the vault's start_block is later than its creation. Ask another endpoint"
            )
        units[event.account] = left
        if not left:
            del units[event.account]

    def _expect_round(self, event: VaultEvent, expected: int, which: str) -> None:
        if event.round != expected:
            raise Inconsistent(
                f"{place(event)}: the {event.kind} of {event.account} names round {event.round}, and {which} is "
                f"{expected}: a log is missing, or came out of order. Ask another endpoint"
            )

    # Rounds ---------------------------------------------------------------------------------------------------------

    def _roll(self, rolled: RoundRolled) -> RoundStart:
        self._check_order(rolled)
        self.close_transaction()
        self._rolled_shares += self._transaction.take_mint(rolled)
        self._owe(rolled)
        self._round, self._price = rolled.round + 1, rolled.price_per_share
        shares = self.shares()
        return RoundStart(
            self.vault,
            self._round,
            rolled.time,
            rolled.block,
            rolled.log_index,
            rolled.price_per_share,
            shares,
            self.supply - sum(shares.values()),
            self.bridged_shares,
        )

    def _check_order(self, rolled: RoundRolled) -> None:
        if rolled.round == self._round:
            return
        fault = "was rolled already" if rolled.round < self._round else "is not open yet"
        raise Inconsistent(
            f"{place(rolled)}: round {rolled.round} {fault}, the open round is {self._round}: a RoundRolled is missing "
            "or stands twice. Ask another endpoint"
        )

    def _owe(self, rolled: RoundRolled) -> None:
        """Pending assets become owed shares, floored per account. The vault floored once, on the total."""
        owed = {account: self._shares_of(rolled, assets) for account, assets in self._pending.items()}
        rounding = rolled.shares_minted - sum(owed.values())
        if not 0 <= rounding <= len(owed):
            raise Inconsistent(
                f"{place(rolled)}: round {rolled.round} minted {rolled.shares_minted} shares, and its {len(owed)} "
                f"stakers are owed {sum(owed.values())}: a Stake or InstantUnstake is missing or was altered, or "
                "`decimals` is wrong. Ask another endpoint"
            )
        for account, shares in owed.items():
            if shares:
                self._owed[account] = self.owed(account) + shares
        self._pending.clear()

    def _shares_of(self, rolled: RoundRolled, assets: int) -> int:
        if not rolled.price_per_share:
            raise Inconsistent(f"{place(rolled)}: round {rolled.round} was rolled at a price of 0, with assets pending")
        return assets * self._scale // rolled.price_per_share
