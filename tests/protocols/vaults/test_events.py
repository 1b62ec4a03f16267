"""The vaults' events, as another decoder (eth-abi) writes them; what has not their shape is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import AssetExchange, RoundRolled, VaultEvent
from loyalty.core.logs import RawLog
from loyalty.protocols.vaults.erc4626 import topics as erc4626
from loyalty.protocols.vaults.erc4626.events import decode_deposit, decode_withdraw
from loyalty.protocols.vaults.stream_vault import events, topics

VAULT, ALICE, BOB = (Address("0x" + letter * 40) for letter in "fab")
LARGEST = 2**256 - 1
TRANSACTION = b"\x07" * 32


def _log(topic: bytes, indexed: list[Address], types: list[str], values: list[Any]) -> RawLog:
    rows = (topic, *(encode(["address"], [account]) for account in indexed))
    return RawLog(9, 4, 120, VAULT, rows, encode(types, values), TRANSACTION, "0x09")


@pytest.mark.parametrize(
    ("decode", "topic", "kind"),
    [
        (events.decode_stake, topics.STAKE, "stake"),
        (events.decode_instant_unstake, topics.INSTANT_UNSTAKE, "instant_unstake"),
        (events.decode_unstake, topics.UNSTAKE, "unstake"),
        (events.decode_redeem, topics.REDEEM, "redeem"),
    ],
)
def test_what_an_account_did_is_read(decode: Callable[[RawLog], VaultEvent], topic: bytes, kind: str) -> None:
    log = _log(topic, [ALICE], ["uint256", "uint256"], [LARGEST, 12])
    assert decode(log) == VaultEvent(VAULT, 9, 4, 120, kind, ALICE, LARGEST, 12, TRANSACTION)


@pytest.mark.parametrize(("is_positive", "yield_units"), [(True, 30), (False, -30)])
def test_a_roll_is_read_with_the_sign_of_its_yield(is_positive: bool, yield_units: int) -> None:
    log = _log(topics.ROUND_ROLLED, [], ["uint256"] * 6 + ["bool"], [3, 1_050_000, 7, 11, 13, 30, is_positive])
    expected = RoundRolled(VAULT, 9, 4, 120, 3, 1_050_000, 7, 11, 13, yield_units, TRANSACTION)
    assert events.decode_round_rolled(log) == expected


def test_a_deposit_and_a_withdrawal_belong_to_the_owner_not_to_the_caller() -> None:
    deposit = _log(erc4626.DEPOSIT, [BOB, ALICE], ["uint256", "uint256"], [100, 90])
    withdrawal = _log(erc4626.WITHDRAW, [BOB, BOB, ALICE], ["uint256", "uint256"], [50, 45])
    assert decode_deposit(deposit) == AssetExchange(VAULT, 9, 4, 120, "deposit", ALICE, 100, 90, TRANSACTION)
    assert decode_withdraw(withdrawal) == AssetExchange(VAULT, 9, 4, 120, "withdraw", ALICE, 50, 45, TRANSACTION)


@pytest.mark.parametrize(
    ("decode", "indexed", "data"),
    [
        (events.decode_stake, [ALICE, BOB], bytes(64)),
        (events.decode_stake, [ALICE], bytes(96)),
        (events.decode_redeem, [], bytes(64)),
        (events.decode_round_rolled, [], bytes(6 * 32)),
        (events.decode_round_rolled, [], bytes(7 * 32 - 1) + b"\x02"),
        (decode_deposit, [ALICE], bytes(64)),
        (decode_withdraw, [ALICE, BOB], bytes(64)),
    ],
)
def test_a_log_of_another_shape_is_refused(
    decode: Callable[[RawLog], object], indexed: list[Address], data: bytes
) -> None:
    log = _log(bytes(32), indexed, [], [])._replace(data=data)
    with pytest.raises(Inconsistent, match=f"of {VAULT}, block 9, log 4: .* is not the event's shape"):
        decode(log)


def test_an_account_that_is_no_address_is_refused() -> None:
    log = _log(topics.STAKE, [ALICE], ["uint256", "uint256"], [1, 1])
    with pytest.raises(Inconsistent, match="is not an address"):
        events.decode_stake(log._replace(topics=(topics.STAKE, b"\xff" * 32)))
