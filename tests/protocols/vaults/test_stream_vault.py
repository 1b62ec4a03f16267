"""Vaults with rounds, as timelines: who holds how many shares when a round begins."""

from typing import Any

import pytest

from loyalty.core.errors import Inconsistent
from loyalty.core.facts import RoundRolled, VaultEvent
from loyalty.core.spans import Span
from loyalty.protocols.vaults.stream_vault.adapter import first_query, read_span
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultLedger
from tests.protocols.vaults.conftest import Read
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL, VAULT, Chain, StreamVault

ONE = 10**6


def _vault() -> StreamVault:
    return StreamVault(Chain().at(1))


def _rolled() -> StreamVault:
    """Alice staked 30, Bob 10, and round 1 was rolled at a price of 1: 30 and 10 shares are owed."""
    vault = _vault()
    vault.stake(ALICE, 30 * ONE)
    vault.stake(BOB, 10 * ONE)
    vault.chain.at(2)
    vault.roll(ONE)
    vault.chain.at(3)
    return vault


def test_pending_assets_become_shares_at_the_price_of_the_roll(read: Read) -> None:
    vault = _vault()
    vault.stake(ALICE, 10 * ONE)
    vault.chain.at(2)
    vault.stake(BOB, 20 * ONE)
    vault.stake(ALICE, 5 * ONE)
    vault.chain.at(3, time=1000)
    vault.roll(1_200_000)
    facts, ledger = read(vault)
    assert facts.starts == [RoundStart(VAULT, 2, 1000, 3, 1, 1_200_000, {ALICE: 12_500_000, BOB: 16_666_666}, 0, 0)]
    assert (ledger.owed(ALICE), ledger.balance(ALICE), ledger.pending(ALICE)) == (12_500_000, 0, 0)
    assert (ledger.round, ledger.price_per_share, ledger.supply) == (2, 1_200_000, 29_166_666)


def test_shares_are_floored_once_an_account_and_what_the_vault_minted_more_is_nobodys(read: Read) -> None:
    vault = _vault()
    for account in (ALICE, BOB, CAROL):
        vault.stake(account, 2)
    vault.chain.at(2)
    vault.roll(3 * ONE)  # 2/3 of a unit each, 2 units together
    vault.chain.at(3)
    vault.stake(ALICE, 1)
    vault.stake(ALICE, 2)
    vault.roll(3 * ONE)  # 1 unit: summed before it is floored
    first, second = read(vault)[0].starts
    assert (first.shares, first.unclaimed_shares) == ({}, 2)
    assert (second.shares, second.unclaimed_shares) == ({ALICE: 1}, 2)


def test_redeemed_and_owed_shares_count_alike(read: Read) -> None:
    vault = _rolled()
    vault.redeem(ALICE, 12 * ONE)
    vault.token.move(ALICE, CAROL, 2 * ONE)
    vault.chain.at(4)
    vault.roll(1_100_000)
    facts, ledger = read(vault)
    assert facts.starts[-1].shares == {ALICE: 28 * ONE, BOB: 10 * ONE, CAROL: 2 * ONE}
    assert (ledger.owed(ALICE), ledger.balance(ALICE)) == (18 * ONE, 10 * ONE)


def test_a_redeem_names_the_round_of_the_receipt(read: Read) -> None:
    vault = _rolled()
    vault.stake(BOB, 1 * ONE)
    vault.redeem(ALICE)  # her receipt is of round 1
    vault.redeem(BOB)  # his is of round 2, the shares are of round 1
    facts, ledger = read(vault)
    assert [(event.kind, event.account, event.round) for event in facts.events[-2:]] == [
        ("redeem", ALICE, 1),
        ("redeem", BOB, 2),
    ]
    assert (ledger.owed(BOB), ledger.pending(BOB), ledger.balance(BOB)) == (0, 1 * ONE, 10 * ONE)


def test_an_older_receipt_stays_owed_through_the_next_stake_and_roll(read: Read) -> None:
    vault = _rolled()
    vault.stake(ALICE, 11 * ONE)
    vault.chain.at(4)
    vault.roll(1_100_000)
    facts, _ = read(vault)
    assert facts.starts[-1].shares == {ALICE: 40 * ONE, BOB: 10 * ONE}


@pytest.mark.parametrize("burn_first", [True, False])
def test_an_unstake_redeems_all_and_burns_at_the_price_of_the_round_before(read: Read, burn_first: bool) -> None:
    vault = _rolled()
    vault.burn_first = burn_first
    vault.unstake(ALICE, 25 * ONE)
    facts, ledger = read(vault)
    kinds = [(event.kind, event.units) for event in facts.events[-2:]]
    assert kinds == [("redeem", 30 * ONE), ("unstake", 25 * ONE)]
    assert (ledger.balance(ALICE), ledger.owed(ALICE), ledger.supply) == (5 * ONE, 0, 15 * ONE)
    assert ledger.bridged_shares == 0


def test_an_instant_unstake_takes_back_what_is_pending_and_no_shares(read: Read) -> None:
    vault = _rolled()
    vault.stake(BOB, 5 * ONE)
    vault.instant_unstake(BOB, 4 * ONE)
    vault.stake(CAROL, 5 * ONE)
    vault.instant_unstake(CAROL, 5 * ONE)
    vault.chain.at(4)
    vault.roll(ONE)
    assert read(vault)[0].starts[-1].shares == {ALICE: 30 * ONE, BOB: 11 * ONE}


def test_shares_sent_to_the_vault_are_nobodys_and_change_nobodys_claim(read: Read) -> None:
    vault = _rolled()
    vault.redeem(BOB)
    vault.token.move(BOB, VAULT, 4 * ONE)
    vault.chain.at(4)
    vault.roll(ONE)
    start = read(vault)[0].starts[-1]
    assert (start.shares, start.unclaimed_shares) == ({ALICE: 30 * ONE, BOB: 6 * ONE}, 4 * ONE)


def test_what_is_staked_for_the_vault_itself_is_nobodys(read: Read) -> None:
    vault = _vault()
    vault.stake(VAULT, 7)
    vault.roll(ONE)
    start = read(vault)[0].starts[-1]
    assert (start.shares, start.unclaimed_shares) == ({}, 7)


def test_a_stake_in_the_rolls_block_belongs_to_the_round_that_its_log_order_says(read: Read) -> None:
    vault = _vault()
    vault.chain.at(5)
    vault.stake(ALICE, 8 * ONE)
    vault.roll(ONE)
    vault.stake(BOB, 8 * ONE)
    facts, ledger = read(vault)
    assert facts.starts[0].shares == {ALICE: 8 * ONE}
    assert (ledger.pending(ALICE), ledger.pending(BOB)) == (0, 8 * ONE)
    assert [event.round for event in facts.events] == [1, 2]


def test_unstakes_around_a_roll_in_one_transaction_burn_at_their_own_prices(read: Read) -> None:
    vault = _rolled()
    vault.unstake(ALICE, 10 * ONE)
    vault.roll(2 * ONE)
    vault.unstake(ALICE, 10 * ONE)
    facts, ledger = read(vault)
    unstakes = [(event.units, event.round) for event in facts.events if event.kind == "unstake"]
    assert unstakes == [(10 * ONE, 2), (20 * ONE, 3)]
    assert facts.starts[-1].shares == {ALICE: 20 * ONE, BOB: 10 * ONE}
    assert (ledger.balance(ALICE), ledger.bridged_shares) == (10 * ONE, 0)


def test_bridged_shares_leave_and_arrive_without_a_round(read: Read) -> None:
    vault = _rolled()
    vault.redeem(ALICE)
    vault.token.bridge_out(ALICE, 10 * ONE)
    vault.unstake(ALICE, 10 * ONE)
    vault.chain.at(4)
    vault.token.bridge_in(CAROL, 3 * ONE)
    vault.roll(ONE)
    start = read(vault)[0].starts[-1]
    assert start.shares == {ALICE: 10 * ONE, BOB: 10 * ONE, CAROL: 3 * ONE}
    assert start.bridged_shares == 7 * ONE


@pytest.mark.parametrize("burn_first", [True, False])
def test_a_bridge_burn_beside_an_unstake_that_rounds_alike_is_not_taken_for_it(read: Read, burn_first: bool) -> None:
    vault = _rolled()
    vault.redeem(ALICE)
    vault.chain.at(4)
    vault.roll(ONE // 2)
    vault.chain.at(5)
    vault.burn_first = burn_first
    vault.token.bridge_out(ALICE, 101)
    vault.unstake(ALICE, 100)  # 50 of the asset, as 101 would be
    vault.token.bridge_out(ALICE, 101)
    assert read(vault)[1].bridged_shares == 202


def test_a_loss_has_a_negative_yield(read: Read) -> None:
    vault = _vault()
    vault.roll(ONE, yield_units=-25)
    transaction = vault.chain.logs[-1].transaction_hash
    assert read(vault)[0].rolls == [RoundRolled(VAULT, 1, 1, 12, 1, ONE, 0, 0, 25, -25, transaction)]


def test_a_round_without_stakes_mints_nothing_and_transfers_of_nothing_are_no_facts(read: Read) -> None:
    vault = _rolled()
    vault.roll(1_010_000)
    facts, _ = read(vault)
    assert vault.chain.logs[-2].data == bytes(32)
    assert [transfer.units for transfer in facts.transfers] == [40 * ONE]
    assert facts.logs_read == len(vault.chain.logs)
    assert facts.starts[-1].shares == {ALICE: 30 * ONE, BOB: 10 * ONE}


def test_one_question_a_span_asks_for_everything(driver: Any) -> None:
    drive = driver([])
    drive(read_span({VAULT: VaultLedger(VAULT, 6)}, Span(3, 9)))
    assert drive.turns == [[first_query([VAULT], Span(3, 9))]]
    assert len(first_query([VAULT], Span(3, 9)).topics[0]) == 6


def test_nothing_is_asked_over_an_empty_span_or_for_no_vault(driver: Any) -> None:
    drive = driver([])
    assert drive(read_span({VAULT: VaultLedger(VAULT, 6)}, Span(3, 3))).logs_read == 0
    assert drive(read_span({}, Span(3, 9))).logs_read == 0
    assert drive.turns == []


def test_a_log_that_was_not_asked_for_is_refused(driver: Any) -> None:
    chain = Chain().at(1)
    chain.emit(VAULT, bytes(32), [], [])
    drive = driver(chain.logs)
    drive.answer = lambda logs, query: logs
    with pytest.raises(Inconsistent, match=f"A log of {VAULT}, block 1, log 0: it was not asked for"):
        drive(read_span({VAULT: VaultLedger(VAULT, 6)}, Span(0, 9)))


def test_an_event_kind_that_no_vault_has_is_refused() -> None:
    event = VaultEvent(VAULT, 1, 0, 12, "borrow", ALICE, 5, 1, b"")
    with pytest.raises(Inconsistent, match="'borrow' is nothing that an account does with a vault"):
        VaultLedger(VAULT, 6).apply(event)
