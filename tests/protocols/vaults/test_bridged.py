"""A vault whose shares live on several chains: one round chain, plain Transfers on the others."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.spans import Span
from loyalty.protocols.erc20 import TRANSFER, ShareLedger, decode_transfer
from loyalty.protocols.vaults.holders import SharesAt, shares_at
from loyalty.protocols.vaults.stream_vault.adapter import read_transfers
from loyalty.protocols.vaults.stream_vault.bridged import join_chains
from tests.protocols.vaults.conftest import Read
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL, VAULT, Chain, StreamVault, Token

SHARE = Address("0x" + "5e" * 20)
SONIC = 146


def _group(read: Read, arrivals: list[tuple[int, Address, int]], times: list[int]) -> list[SharesAt]:
    """Shares that arrive on the other chain at (time, account, units)."""
    token = Token(Chain(), SHARE)
    for number, (time, account, units) in enumerate(arrivals):
        token.chain.at(number, time)
        token.bridge_in(account, units)
    return shares_at(SHARE, map(decode_transfer, token.chain.logs), times)


def _round_chain() -> StreamVault:
    """Alice's and Bob's 100 each are shares from time 1000 on; 60 and 10 leave by bridge; the roll is at time 2000."""
    vault = StreamVault(Chain().at(1), decimals=0)
    vault.stake(ALICE, 100)
    vault.stake(BOB, 100)
    vault.chain.at(2, 1000)
    vault.roll(1)
    vault.chain.at(3, 1500)
    vault.redeem(ALICE)
    vault.token.bridge_out(ALICE, 60)
    vault.redeem(BOB)
    vault.token.bridge_out(BOB, 10)
    vault.chain.at(4, 2000)
    vault.roll(1)
    return vault


def test_a_holder_on_two_chains_is_one_and_shares_in_flight_are_nobodys(read: Read) -> None:
    start = read(_round_chain())[0].starts[-1]
    (there,) = _group(read, [(1600, ALICE, 45), (1700, CAROL, 5)], [2000])
    joined = join_chains(start, {SONIC: there})
    assert joined.shares == {ALICE: 85, BOB: 90, CAROL: 5}
    assert (joined.in_flight_shares, joined.unclaimed_shares) == (20, 0)


def test_another_chain_counts_as_of_its_last_block_up_to_the_roll(read: Read) -> None:
    arrivals = [(1999, ALICE, 1), (2000, ALICE, 2), (2000, ALICE, 4), (2001, ALICE, 8)]
    before, at, after = _group(read, arrivals, [1999, 2000, 3000])
    assert [shares.shares[ALICE] for shares in (before, at, after)] == [1, 7, 15]
    assert (at.time, at.supply) == (2000, 7)


def test_before_the_first_transfer_and_after_the_last_there_are_holders_too(read: Read) -> None:
    nobody, all_of_them = _group(read, [(1600, ALICE, 3)], [1599, 9999])
    assert (nobody.shares, nobody.supply) == ({}, 0)
    assert all_of_them.shares == {ALICE: 3}


def test_the_groups_own_contracts_are_no_holders(read: Read) -> None:
    start = read(_round_chain())[0].starts[-1]
    (there,) = _group(read, [(1600, SHARE, 4), (1600, VAULT, 6), (1700, BOB, 1)], [2000])
    joined = join_chains(start, {SONIC: there})
    assert joined.shares == {ALICE: 40, BOB: 91}
    assert (joined.unclaimed_shares, joined.in_flight_shares) == (10, 59)


def test_more_shares_than_ever_left_are_refused_with_both_numbers(read: Read) -> None:
    start = read(_round_chain())[0].starts[-1]
    (there,) = _group(read, [(1600, ALICE, 71)], [2000])
    with pytest.raises(Inconsistent, match=f"vault {VAULT}, block 4, log 1: 70 shares had left .* hold 71"):
        join_chains(start, {SONIC: there})


def test_holders_of_another_moment_are_refused(read: Read) -> None:
    start = read(_round_chain())[0].starts[-1]
    (there,) = _group(read, [(1600, ALICE, 45)], [1999])
    with pytest.raises(
        Invalid, match="chain 146: holders as of 1970-01-01T00:33:19Z, wanted as of 1970-01-01T00:33:20Z"
    ):
        join_chains(start, {SONIC: there})


def test_times_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(Invalid, match="do not ascend"):
        shares_at(SHARE, [], [5, 4])


def test_a_chain_without_rounds_is_asked_for_transfers_alone(driver: Any) -> None:
    token = Token(Chain(), SHARE)
    token.chain.at(3)
    token.bridge_in(ALICE, 9)
    token.move(ALICE, BOB, 0)
    token.move(ALICE, BOB, 4)
    ledger, drive = ShareLedger(SHARE), driver(token.chain.logs)
    transfers = drive(read_transfers({SHARE: ledger}, Span(0, 4)))
    assert [(transfer.recipient, transfer.units) for transfer in transfers] == [(ALICE, 9), (BOB, 4)]
    assert ledger.balances() == {ALICE: 5, BOB: 4}
    ((query,),) = drive.turns
    assert (query.addresses, query.topics) == ((SHARE,), ((TRANSFER,),))
    assert drive(read_transfers({}, Span(0, 4))) == []


def test_a_transfer_that_is_missing_on_another_chain_is_missed(driver: Any) -> None:
    token = Token(Chain(), SHARE)
    token.chain.at(3)
    token.bridge_in(ALICE, 9)
    token.move(ALICE, BOB, 4)
    with pytest.raises(Inconsistent, match="holds 0 units and sends 4"):
        driver(token.chain.logs[1:])(read_transfers({SHARE: ShareLedger(SHARE)}, Span(0, 4)))
