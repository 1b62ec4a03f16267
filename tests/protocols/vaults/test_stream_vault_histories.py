"""Random histories: at every roll the ledger says what the contract's own views say."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.spans import Span
from loyalty.protocols.vaults.stream_vault.adapter import fold, read_span
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultFact, VaultLedger
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL, DAVE, VAULT, Chain, StreamVault

ACCOUNTS = (ALICE, BOB, CAROL, DAVE)
ACTIONS = ("stake", "stake", "instant", "redeem", "part", "unstake", "unstake", "send", "donate", "out", "in", "roll")

steps = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.sampled_from(ACCOUNTS),
        st.one_of(st.integers(1, 9), st.integers(1, 10**7)),
        st.sampled_from(("same transaction", "new transaction", "new block", "new block")),
    ),
    max_size=60,
)


def play(vault: StreamVault, history: list[tuple[str, Any, int, str]]) -> None:
    """Each step as far as the account can do it; `units` is cut to what it has."""
    in_flight = 0
    for action, account, units, pause in history:
        if pause == "new block":
            vault.chain.at(vault.chain.block + 1)
        elif pause == "new transaction":
            vault.chain.transaction()
        balance, owed = vault.token.balances[account], vault.unredeemed(account)
        if action == "stake":
            vault.stake(account, units)
        elif action == "instant" and vault.pending(account):
            vault.instant_unstake(account, min(units, vault.pending(account)))
        elif action == "redeem":
            vault.redeem(account)
        elif action == "part":
            vault.redeem(account, min(units, owed))
        elif action == "unstake" and balance + owed:
            vault.unstake(account, min(units, balance + owed))
        elif action in ("send", "donate") and balance:
            to = VAULT if action == "donate" else ACCOUNTS[units % 4]
            vault.token.move(account, to, min(units, balance))
        elif action == "out" and balance:
            in_flight += min(units, balance)
            vault.token.bridge_out(account, min(units, balance))
        elif action == "in" and in_flight:
            arrived = min(units, in_flight)
            in_flight -= arrived
            vault.token.bridge_in(account, arrived)
        elif action == "roll":
            vault.roll(max(1, vault.scale * (90 + units % 30) // 100))
    vault.in_flight = in_flight  # type: ignore[attr-defined]


def _said(start: RoundStart) -> tuple[int, int, dict[Any, int], int]:
    return start.round, start.price_per_share, start.shares, start.unclaimed_shares


@given(steps, st.integers(1, 7), st.sampled_from((0, 6, 18)), st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_round_starts_with_the_shares_that_the_contract_says(
    driver: Any, history: list[tuple[str, Any, int, str]], size: int, decimals: int, burn_first: bool
) -> None:
    vault = StreamVault(Chain().at(1), decimals=decimals, burn_first=burn_first)
    play(vault, history)
    ledger, drive = VaultLedger(VAULT, decimals), driver(vault.chain.logs)
    starts = [start for span in vault.chain.whole.pieces(size) for start in drive(read_span({VAULT: ledger}, span)).starts]
    assert [_said(start) for start in starts] == [tuple(truth) for truth in vault.truths]
    assert ledger.shares() == vault.shares()
    assert {who: ledger.pending(who) for who in ACCOUNTS} == {who: vault.pending(who) for who in ACCOUNTS}
    assert {who: ledger.owed(who) for who in ACCOUNTS} == {who: vault.unredeemed(who) for who in ACCOUNTS}
    assert ledger.balance(VAULT) >= sum(map(ledger.owed, ACCOUNTS))
    assert ledger.supply == vault.token.supply
    assert ledger.bridged_shares == vault.in_flight  # type: ignore[attr-defined]


@given(steps, st.data())
@settings(max_examples=60, deadline=None)
def test_a_ledger_built_again_from_stored_facts_goes_on_as_the_old_one(
    driver: Any, history: list[tuple[str, Any, int, str]], data: st.DataObject
) -> None:
    vault = StreamVault(Chain().at(1))
    play(vault, history)
    cut = data.draw(st.integers(0, vault.chain.block + 1))
    drive = driver(vault.chain.logs)
    facts = drive(read_span({VAULT: VaultLedger(VAULT, 6)}, Span(0, cut)))
    stored: list[VaultFact] = [*facts.events, *facts.rolls, *facts.transfers]
    ledger = VaultLedger(VAULT, 6)
    assert fold({VAULT: ledger}, sorted(stored, key=lambda fact: (fact.block, fact.log_index))) == facts.starts
    later = drive(read_span({VAULT: ledger}, Span(cut, vault.chain.block + 1))).starts
    assert [_said(start) for start in [*facts.starts, *later]] == [tuple(truth) for truth in vault.truths]
