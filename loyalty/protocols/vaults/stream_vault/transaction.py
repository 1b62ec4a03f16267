"""One transaction of a vault: its events, and the share Transfers that must stand beside them.

A Redeem moves shares from the vault to the account, an Unstake burns the account's, a roll mints to the vault; each
stands in the same transaction as its Transfer, in either order. Bridges burn and mint the same shares, so of several
Transfers that fit, the nearest by log index is the event's own: the vault writes both in one call with nothing of other
contracts between them.
"""

from collections.abc import Callable

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import RoundRolled, TokenTransfer, VaultEvent
from loyalty.protocols.vaults.stream_vault.events import REDEEM, UNSTAKE

Fits = Callable[[TokenTransfer], bool]


class Transaction:
    """The vault's events and share Transfers of the transaction `hash`, as far as they came."""

    __slots__ = ("_events", "_scale", "_transfers", "_vault", "hash")

    def __init__(self, vault: Address, scale: int, transaction_hash: bytes) -> None:
        self.hash = transaction_hash
        self._vault = vault
        self._scale = scale
        self._events: list[VaultEvent] = []
        self._transfers: list[TokenTransfer] = []

    def copy(self) -> "Transaction":
        twin = Transaction(self._vault, self._scale, self.hash)
        twin._events, twin._transfers = self._events.copy(), self._transfers.copy()
        return twin

    def add_event(self, event: VaultEvent) -> None:
        """A Redeem or an Unstake, which moves shares; the other kinds and a Redeem of nothing move none."""
        if event.kind == UNSTAKE or (event.kind == REDEEM and event.units):
            self._events.append(event)

    def add_transfer(self, transfer: TokenTransfer) -> None:
        self._transfers.append(transfer)

    def settle(self, price_per_share: int | None) -> int:
        """The shares that the Unstakes so far burned at `price_per_share`; each event takes its Transfer with it.

        Raises Inconsistent where an event has none, or where shares left the vault without a Redeem.
        """
        unstaked = 0
        for event in self._events:
            moved = self._take(event, self._fits(event, price_per_share))
            unstaked += moved if event.kind == UNSTAKE else 0
        self._events.clear()
        self._check_nothing_left_the_vault()
        return unstaked

    def take_mint(self, rolled: RoundRolled) -> int:
        """The shares minted to the vault just before `rolled`: what it says, or Inconsistent."""
        if not rolled.shares_minted:
            return 0
        to_vault = (ZERO_ADDRESS, self._vault, rolled.shares_minted)
        return self._take(rolled, lambda transfer: (transfer.sender, transfer.recipient, transfer.units) == to_vault)

    def _check_nothing_left_the_vault(self) -> None:
        for transfer in self._transfers:
            if transfer.sender == self._vault:
                raise Inconsistent(
                    f"{place(transfer)}: the vault sends {transfer.units} shares to {transfer.recipient}, and no "
                    "Redeem of its transaction says so: a log is missing or was altered. Ask another endpoint"
                )

    def _fits(self, event: VaultEvent, price_per_share: int | None) -> Fits:
        if event.kind == REDEEM:
            redeemed = (self._vault, event.account, event.units)
            return lambda transfer: (transfer.sender, transfer.recipient, transfer.units) == redeemed
        if price_per_share is None:
            raise Inconsistent(
                f"{place(event)}: {event.account} unstakes {event.units}, but no round was rolled before: a "
                "RoundRolled is missing, or the vault's start_block is later than its creation"
            )
        price, scale = price_per_share, self._scale
        burned = (event.account, ZERO_ADDRESS)
        return lambda transfer: (
            (transfer.sender, transfer.recipient) == burned and transfer.units * price // scale == event.units
        )

    def _take(self, event: VaultEvent | RoundRolled, fits: Fits) -> int:
        """The units of the nearest Transfer that fits, which is the event's from now on."""
        fitting = [transfer for transfer in self._transfers if fits(transfer)]
        if not fitting:
            raise self._no_transfer(event)
        nearest = min(fitting, key=lambda transfer: abs(transfer.log_index - event.log_index))
        self._transfers.remove(nearest)
        return nearest.units

    def _no_transfer(self, event: VaultEvent | RoundRolled) -> Inconsistent:
        if isinstance(event, RoundRolled):
            wanted = f"{event.shares_minted} shares were minted to the vault"
        elif event.kind == REDEEM:
            wanted = f"{event.account} redeems {event.units} shares"
        else:
            wanted = f"{event.account} unstakes {event.units} of the asset"
        found = ", ".join(str(transfer.units) for transfer in self._transfers) or "none"
        return Inconsistent(
            f"{place(event)}: {wanted}, but no Transfer of its transaction says so (left there: {found}): a log is "
            "missing or was altered, or `decimals` is wrong. Ask another endpoint"
        )


def place(fact: VaultEvent | RoundRolled | TokenTransfer) -> str:
    """How an error names a fact of a vault."""
    vault = fact.token if isinstance(fact, TokenTransfer) else fact.vault
    return f"vault {vault}, block {fact.block}, log {fact.log_index}"
