"""Deposit and Withdraw, decoded from raw logs. They are a check of the price; who holds what follows from Transfers.

Layouts: EIP-4626. Who called (Deposit's sender, Withdraw's receiver) is nobody's claim to anything: not decoded.
"""

from typing import Literal, NamedTuple

from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, place, words

Kind = Literal["deposit", "withdraw"]


class AssetExchange(NamedTuple):
    """Assets that became shares of `owner`, or shares of the owner that became assets; both in smallest units."""

    vault: Address
    block: int
    log_index: int
    time: int
    kind: Kind
    owner: Address
    assets: int
    shares: int
    transaction_hash: bytes


def decode_deposit(log: RawLog) -> AssetExchange:
    amounts = words(log, "Deposit", topics=3, data_words=2)
    return _exchange(log, "deposit", address(log.topics[2], place(log, "Deposit")), amounts)


def decode_withdraw(log: RawLog) -> AssetExchange:
    amounts = words(log, "Withdraw", topics=4, data_words=2)
    return _exchange(log, "withdraw", address(log.topics[3], place(log, "Withdraw")), amounts)


def _exchange(log: RawLog, kind: Kind, owner: Address, amounts: list[bytes]) -> AssetExchange:
    assets, shares = (int.from_bytes(word) for word in amounts)
    place_and_time = (log.address, log.block, log.log_index, log.time)
    return AssetExchange(*place_and_time, kind, owner, assets, shares, log.transaction_hash)
