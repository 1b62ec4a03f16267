"""The vault's events, decoded from raw logs. Amounts are in the asset's smallest unit, shares in the share's.

A log that does not have its event's shape is Inconsistent; the message names contract, block and log index.
"""

from loyalty.core.facts import RoundRolled, VaultEvent
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, malformed, place, words

STAKE = "stake"
INSTANT_UNSTAKE = "instant_unstake"
UNSTAKE = "unstake"
REDEEM = "redeem"


def decode_stake(log: RawLog) -> VaultEvent:
    """Assets of the account's, pending until the round is rolled; the account is the creditor, whoever paid."""
    return _of_account(log, "Stake", STAKE)


def decode_instant_unstake(log: RawLog) -> VaultEvent:
    """Pending assets of the current round that were taken back."""
    return _of_account(log, "InstantUnstake", INSTANT_UNSTAKE)


def decode_unstake(log: RawLog) -> VaultEvent:
    """Shares that were burned for `units` of the asset, at the price of the round before."""
    return _of_account(log, "Unstake", UNSTAKE)


def decode_redeem(log: RawLog) -> VaultEvent:
    """Owed shares that went to the account; `round` is that of its receipt."""
    return _of_account(log, "Redeem", REDEEM)


def decode_round_rolled(log: RawLog) -> RoundRolled:
    """The end of a round. Its yield is logged as a size and a sign."""
    rolled = words(log, "RoundRolled", topics=1, data_words=7)
    *numbers, size, is_positive = (int.from_bytes(word) for word in rolled)
    if is_positive > 1:
        raise malformed(log, "RoundRolled", f"isYieldPositive {is_positive}")
    number, price_per_share, shares_minted, wrapped_minted, wrapped_burned = numbers
    return RoundRolled(
        log.address,
        log.block,
        log.log_index,
        log.time,
        number,
        price_per_share,
        shares_minted,
        wrapped_minted,
        wrapped_burned,
        size if is_positive else -size,
        log.transaction_hash,
    )


def _of_account(log: RawLog, event: str, kind: str) -> VaultEvent:
    units, number = words(log, event, topics=2, data_words=2)
    return VaultEvent(
        log.address,
        log.block,
        log.log_index,
        log.time,
        kind,
        address(log.topics[1], place(log, event)),
        int.from_bytes(units),
        int.from_bytes(number),
        log.transaction_hash,
    )
