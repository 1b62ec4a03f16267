"""Balances and supply of a token from its transfers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.core.logs import RawLog
from loyalty.protocols.erc20 import TRANSFER, HolderChange, ShareLedger, decode_transfer, moves

TOKEN = Address("0x" + "70" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)


def transfer(place, sender, recipient, units):
    block, log_index = place
    return TokenTransfer(TOKEN, block, log_index, 12 * block, sender, recipient, units, b"\x07" * 32)


def padded(address):
    return bytes(12) + bytes.fromhex(address[2:])


def test_a_transfer_is_read_from_its_log():
    log = RawLog(
        9, 3, 108, TOKEN, (TRANSFER, padded(ALICE), padded(BOB)), (2**256 - 1).to_bytes(32), b"\x07" * 32, "0x"
    )
    assert decode_transfer(log) == transfer((9, 3), ALICE, BOB, 2**256 - 1)


def test_the_transfer_of_an_nft_is_refused():
    words = (TRANSFER, padded(ALICE), padded(BOB), bytes(31) + b"\x01")
    with pytest.raises(Inconsistent, match=f"Transfer of {TOKEN}, block 9, log 3: 4 topics and 0 bytes of data"):
        decode_transfer(RawLog(9, 3, 108, TOKEN, words, b"", b"\x07" * 32, "0x"))


def test_shares_come_by_mint_move_by_transfer_and_go_by_burn():
    ledger = ShareLedger(TOKEN)
    assert ledger.apply(transfer((1, 0), ZERO_ADDRESS, ALICE, 100)) == [HolderChange(12, ALICE, 100)]
    assert ledger.apply(transfer((1, 5), ALICE, BOB, 30)) == [HolderChange(12, ALICE, -30), HolderChange(12, BOB, 30)]
    assert ledger.apply(transfer((2, 0), BOB, ZERO_ADDRESS, 30)) == [HolderChange(24, BOB, -30)]
    assert (ledger.balances(), ledger.supply, ledger.balance(BOB)) == ({ALICE: 70}, 70, 0)


@pytest.mark.parametrize("nothing", [(ALICE, ALICE, 5), (ALICE, BOB, 0), (ZERO_ADDRESS, BOB, 0)])
def test_a_transfer_to_oneself_or_of_nothing_changes_nothing(nothing):
    ledger = ShareLedger(TOKEN, {ALICE: 5})
    assert not moves(transfer((1, 0), *nothing))
    assert ledger.apply(transfer((1, 0), *nothing)) == []
    assert (ledger.balances(), ledger.supply) == ({ALICE: 5}, 5)


def test_a_balance_below_zero_names_token_holder_and_log():
    ledger = ShareLedger(TOKEN, {ALICE: 5})
    told = f"Transfer of token {TOKEN}, block 7, log 2: {ALICE} holds 5 units and sends 6"
    with pytest.raises(Inconsistent, match=told):
        ledger.apply(transfer((7, 2), ALICE, BOB, 6))
    with pytest.raises(Inconsistent, match=f"{BOB} holds 0 units and sends 1"):
        ShareLedger(TOKEN).apply(transfer((7, 2), BOB, ZERO_ADDRESS, 1))


def test_transfers_come_once_and_in_order():
    ledger = ShareLedger(TOKEN, {ALICE: 5}, last=(7, 2))
    with pytest.raises(Inconsistent, match=r"block 7, log 2: came after block 7, log 2"):
        ledger.apply(transfer((7, 2), ALICE, BOB, 1))
    ledger.apply(transfer((7, 3), ALICE, BOB, 1))
    with pytest.raises(Inconsistent, match="must come once, and in order"):
        ledger.apply(transfer((6, 9), ALICE, BOB, 1))


def test_a_copy_goes_its_own_way():
    ledger = ShareLedger(TOKEN, {ALICE: 5})
    twin = ledger.copy()
    twin.apply(transfer((1, 0), ALICE, BOB, 2))
    assert (ledger.balances(), twin.balances()) == ({ALICE: 5}, {ALICE: 3, BOB: 2})


HOLDERS = [Address(f"0x{number:040x}") for number in range(4)]
MOVES = st.lists(st.tuples(st.sampled_from(HOLDERS), st.sampled_from(HOLDERS), st.integers(0, 20)), max_size=20)


@settings(max_examples=50, deadline=None)
@given(MOVES)
def test_balances_add_up_to_the_supply_and_changes_to_the_balances(moved):
    ledger, changed = ShareLedger(TOKEN), dict.fromkeys(HOLDERS, 0)
    for number, (sender, recipient, units) in enumerate(moved):
        if sender in (ZERO_ADDRESS, recipient) or units <= ledger.balance(sender):
            for change in ledger.apply(transfer((1, number), sender, recipient, units)):
                changed[change.holder] += change.delta
    assert sum(ledger.balances().values()) == ledger.supply
    assert ledger.balances() == {holder: units for holder, units in changed.items() if units}
