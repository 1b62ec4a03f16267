"""ERC-20 shares: who holds how many of a token, from its Transfer logs alone."""

from collections.abc import Mapping
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, place, words

# Transfer(address,address,uint256)
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


class HolderChange(NamedTuple):
    """At `time` the holder's shares changed by `delta` units. Mints and burns have one such line, transfers two."""

    time: int
    holder: Address
    delta: int


def decode_transfer(log: RawLog) -> TokenTransfer:
    """A Transfer of an ERC-20: the amount is not indexed, so an NFT's Transfer, without its shape, is Inconsistent."""
    (units,) = words(log, "Transfer", topics=3, data_words=1)
    where = place(log, "Transfer")
    return TokenTransfer(
        log.address,
        log.block,
        log.log_index,
        log.time,
        address(log.topics[1], where),
        address(log.topics[2], where),
        int.from_bytes(units),
        log.transaction_hash,
    )


def moves(transfer: TokenTransfer) -> bool:
    """Whether the transfer changes what anyone holds: zero units and transfers to oneself do not, and are no facts."""
    return transfer.units > 0 and transfer.sender != transfer.recipient


class ShareLedger:
    """One token's balances and supply, a fold of its transfers in (block, log index) order.

    From ZERO_ADDRESS is a mint, to it a burn; ZERO_ADDRESS itself holds nothing. After an Inconsistent it is of no
    further use.
    """

    __slots__ = ("_balances", "_last", "_supply", "token")

    def __init__(
        self, token: Address, balances: Mapping[Address, int] | None = None, last: tuple[int, int] = (-1, -1)
    ) -> None:
        """`balances` as they stand after the log `last` (block, log index), for a fold that goes on."""
        self.token = token
        self._balances = {holder: units for holder, units in (balances or {}).items() if units}
        self._supply = sum(self._balances.values())
        self._last = last

    def copy(self) -> "ShareLedger":
        return ShareLedger(self.token, self._balances, self._last)

    @property
    def supply(self) -> int:
        return self._supply

    def balance(self, holder: Address) -> int:
        return self._balances.get(holder, 0)

    def balances(self) -> dict[Address, int]:
        """Every balance above zero."""
        return self._balances.copy()

    def apply(self, transfer: TokenTransfer) -> list[HolderChange]:
        """The transfer's changes, one per holder. Inconsistent for a balance below zero or a transfer out of order."""
        here = (transfer.block, transfer.log_index)
        if transfer.token != self.token or here <= self._last:
            raise Inconsistent(
                f"{_place(transfer)}: came after block {self._last[0]}, log {self._last[1]} of token {self.token} was "
                "folded: a token's transfers must come once, and in order"
            )
        self._last = here
        if not moves(transfer):
            return []
        changes = []
        for holder, delta in ((transfer.sender, -transfer.units), (transfer.recipient, transfer.units)):
            if holder == ZERO_ADDRESS:
                self._supply -= delta
            else:
                self._change(holder, delta, transfer)
                changes.append(HolderChange(transfer.time, holder, delta))
        return changes

    def _change(self, holder: Address, delta: int, transfer: TokenTransfer) -> None:
        units = self.balance(holder) + delta
        if units < 0:
            raise Inconsistent(
                f"{_place(transfer)}: {holder} holds {self.balance(holder)} units and sends {-delta}: a Transfer is "
                "missing, or the token's start_block is later than its creation. Ask another endpoint, or index it "
                "again from its creation"
            )
        if units:
            self._balances[holder] = units
        else:
            self._balances.pop(holder, None)


def _place(transfer: TokenTransfer) -> str:
    return f"Transfer of token {transfer.token}, block {transfer.block}, log {transfer.log_index}"
