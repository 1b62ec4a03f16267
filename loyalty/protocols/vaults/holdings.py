"""Holdings: who has how many shares of a vault, and how every fact changes that."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.facts import RoundRolled, TokenTransfer
from loyalty.protocols.erc20 import HolderChange, ShareLedger
from loyalty.protocols.vaults.stream_vault.ledger import VaultFact, VaultLedger


class Standing(NamedTuple):
    """Shares of every holder, and how many exist."""

    balances: dict[Address, int]
    supply: int


class Holdings(Protocol):
    """A fold over a vault's facts. `supply` counts every share, nobody's too."""

    @property
    def supply(self) -> int: ...

    def standing(self) -> Standing: ...

    def apply(self, fact: VaultFact) -> list[HolderChange]:
        """Fold one fact; by how much each holder's shares changed, nobody's left out."""
        ...


class PlainHoldings:
    """Shares are the balances of the token."""

    def __init__(self, token: Address) -> None:
        self._ledger = ShareLedger(token)

    @property
    def supply(self) -> int:
        return self._ledger.supply

    def standing(self) -> Standing:
        return Standing(self._ledger.balances(), self._ledger.supply)

    def apply(self, fact: VaultFact) -> list[HolderChange]:
        return self._ledger.apply(fact) if isinstance(fact, TokenTransfer) else []


class RoundHoldings:
    """Shares are the balance and what the vault owes; a stake is none before its round is rolled."""

    def __init__(self, vault: Address, decimals: int) -> None:
        self._ledger = VaultLedger(vault, decimals)
        self._nobody = (vault, ZERO_ADDRESS)

    @property
    def supply(self) -> int:
        return self._ledger.supply

    def standing(self) -> Standing:
        return Standing(self._ledger.shares(), self._ledger.supply)

    def apply(self, fact: VaultFact) -> list[HolderChange]:
        looked_at = self._looked_at(fact)
        before = looked_at()
        self._ledger.apply(fact)
        after = looked_at()
        return [
            HolderChange(fact.time, account, delta)
            for account in sorted({*before, *after})
            if (delta := after.get(account, 0) - before.get(account, 0))
        ]

    def _looked_at(self, fact: VaultFact) -> Callable[[], dict[Address, int]]:
        """The shares of those whom the fact can concern: a roll everybody, else its own accounts."""
        if isinstance(fact, RoundRolled):
            return self._ledger.shares
        named = {fact.sender, fact.recipient} if isinstance(fact, TokenTransfer) else {fact.account}
        accounts = named.difference(self._nobody)
        return lambda: {each: self._ledger.balance(each) + self._ledger.owed(each) for each in accounts}
