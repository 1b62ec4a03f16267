"""Random histories: at every roll the ledger says what the contract's own views say."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.protocols.vaults.stream_vault.adapter import fold, read_span
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultFact, VaultLedger
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL, DAVE, VAULT, Chain, StreamVault

ACCOUNTS = (ALICE, BOB, CAROL, DAVE)
ACTIONS = (
    *("stake", "stake", "unstake", "unstake", "roll"),
    *("instant_unstake", "redeem", "redeem_part", "send", "donate", "bridge_out", "bridge_in"),
)
PAUSES = ("same transaction", "new transaction", "new block", "new block")
Step = tuple[str, Address, int, str]

steps = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.sampled_from(ACCOUNTS),
        st.one_of(st.integers(1, 9), st.integers(1, 10**7)),
        st.sampled_from(PAUSES),
    ),
    max_size=60,
)


class Play:
    """Each step as far as the account can do it, `units` cut to what it has."""

    def __init__(self, vault: StreamVault, history: list[Step]) -> None:
        self.vault, self.token = vault, vault.token
        self.in_flight = 0
        for action, account, units, pause in history:
            if pause == "new block":
                vault.chain.at(vault.chain.block + 1)
            elif pause == "new transaction":
                vault.chain.transaction()
            getattr(self, action)(account, units)

    def stake(self, account: Address, units: int) -> None:
        self.vault.stake(account, units)

    def instant_unstake(self, account: Address, units: int) -> None:
        if taken := min(units, self.vault.pending(account)):
            self.vault.instant_unstake(account, taken)

    def redeem(self, account: Address, units: int) -> None:
        self.vault.redeem(account)

    def redeem_part(self, account: Address, units: int) -> None:
        self.vault.redeem(account, min(units, self.vault.unredeemed(account)))

    def unstake(self, account: Address, units: int) -> None:
        if taken := min(units, self.token.balances[account] + self.vault.unredeemed(account)):
            self.vault.unstake(account, taken)

    def send(self, account: Address, units: int) -> None:
        if sent := min(units, self.token.balances[account]):
            self.token.move(account, ACCOUNTS[units % 4], sent)

    def donate(self, account: Address, units: int) -> None:
        if sent := min(units, self.token.balances[account]):
            self.token.move(account, VAULT, sent)

    def bridge_out(self, account: Address, units: int) -> None:
        if sent := min(units, self.token.balances[account]):
            self.in_flight += sent
            self.token.bridge_out(account, sent)

    def bridge_in(self, account: Address, units: int) -> None:
        if arrived := min(units, self.in_flight):
            self.in_flight -= arrived
            self.token.bridge_in(account, arrived)

    def roll(self, account: Address, units: int) -> None:
        self.vault.roll(max(1, self.vault.scale * (90 + units % 30) // 100))


def _said(start: RoundStart) -> tuple[int, int, dict[Address, int], int]:
    return start.round, start.price_per_share, start.shares, start.unclaimed_shares


@given(steps, st.integers(1, 7), st.sampled_from((0, 6, 18)), st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_round_starts_with_the_shares_that_the_contract_says(
    driver: Any, history: list[Step], size: int, decimals: int, burn_first: bool
) -> None:
    vault = StreamVault(Chain().at(1), decimals=decimals, burn_first=burn_first)
    assert_equal(driver, Play(vault, history), size)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_history_agrees_too(driver: Any, seed: int) -> None:
    random = Random(seed)
    history = [
        (random.choice(ACTIONS), random.choice(ACCOUNTS), random.choice((1, 7, 10**5, 10**7)), random.choice(PAUSES))
        for _ in range(500)
    ]
    vault = StreamVault(Chain().at(1))
    assert_equal(driver, Play(vault, history), size=50)
    assert len(vault.truths) > 20


def assert_equal(driver: Any, play: Play, size: int) -> None:
    """Read in spans of `size` blocks, the ledger says what the vault says: at every roll, and at the end."""
    vault = play.vault
    ledger, drive = VaultLedger(VAULT, vault.decimals), driver(vault.chain.logs)
    starts: list[RoundStart] = []
    for span in vault.chain.whole.pieces(size):
        starts += drive(read_span({VAULT: ledger}, span)).starts
    assert [_said(start) for start in starts] == [tuple(truth) for truth in vault.truths]
    assert ledger.shares() == vault.shares()
    assert {who: ledger.pending(who) for who in ACCOUNTS} == {who: vault.pending(who) for who in ACCOUNTS}
    assert {who: ledger.owed(who) for who in ACCOUNTS} == {who: vault.unredeemed(who) for who in ACCOUNTS}
    assert ledger.balance(VAULT) >= sum(map(ledger.owed, ACCOUNTS))
    assert ledger.supply == vault.token.supply
    assert ledger.bridged_shares == play.in_flight


@given(steps, st.data())
@settings(max_examples=60, deadline=None)
def test_a_ledger_built_again_from_stored_facts_goes_on_as_the_old_one(
    driver: Any, history: list[Step], data: st.DataObject
) -> None:
    vault = StreamVault(Chain().at(1))
    Play(vault, history)
    cut = data.draw(st.integers(0, vault.chain.block + 1))
    drive = driver(vault.chain.logs)
    facts = drive(read_span({VAULT: VaultLedger(VAULT, 6)}, Span(0, cut)))
    stored: list[VaultFact] = [*facts.events, *facts.rolls, *facts.transfers]
    ledger = VaultLedger(VAULT, 6)
    assert fold({VAULT: ledger}, sorted(stored, key=lambda fact: (fact.block, fact.log_index))) == facts.starts
    later = drive(read_span({VAULT: ledger}, Span(cut, vault.chain.block + 1))).starts
    assert [_said(start) for start in [*facts.starts, *later]] == [tuple(truth) for truth in vault.truths]


@given(steps, st.data())
@settings(max_examples=60, deadline=None)
def test_a_copy_and_its_original_go_the_same_way_one_after_the_other(
    driver: Any, history: list[Step], data: st.DataObject
) -> None:
    """The copy is taken between any two facts, in the middle of a transaction too."""
    vault = StreamVault(Chain().at(1))
    Play(vault, history)
    facts = driver(vault.chain.logs)(read_span({VAULT: VaultLedger(VAULT, 6)}, vault.chain.whole))
    mixed: list[VaultFact] = [*facts.events, *facts.rolls, *facts.transfers]
    ordered = sorted(mixed, key=lambda fact: (fact.block, fact.log_index))
    cut = data.draw(st.integers(0, len(ordered)))
    ledger = VaultLedger(VAULT, 6)
    for fact in ordered[:cut]:
        ledger.apply(fact)
    first = fold({VAULT: ledger.copy()}, ordered[cut:])
    assert first == fold({VAULT: ledger}, ordered[cut:])
    assert ledger.shares() == vault.shares()
    assert ledger.supply == vault.token.supply
