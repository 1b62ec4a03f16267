"""Deposit and Withdraw, decoded from raw logs. They are a check of the price; who holds what follows from Transfers.

Layouts: EIP-4626. Who called (Deposit's sender, Withdraw's receiver) is nobody's claim to anything: not decoded.
"""

from loyalty.core.address import Address
from loyalty.core.facts import AssetExchange, ExchangeKind
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, place, words


def decode_deposit(log: RawLog) -> AssetExchange:
    amounts = words(log, "Deposit", topics=3, data_words=2)
    return _exchange(log, "deposit", address(log.topics[2], place(log, "Deposit")), amounts)


def decode_withdraw(log: RawLog) -> AssetExchange:
    amounts = words(log, "Withdraw", topics=4, data_words=2)
    return _exchange(log, "withdraw", address(log.topics[3], place(log, "Withdraw")), amounts)


def _exchange(log: RawLog, kind: ExchangeKind, owner: Address, amounts: list[bytes]) -> AssetExchange:
    assets, shares = (int.from_bytes(word) for word in amounts)
    place_and_time = (log.address, log.block, log.log_index, log.time)
    return AssetExchange(*place_and_time, kind, owner, assets, shares, log.transaction_hash)
