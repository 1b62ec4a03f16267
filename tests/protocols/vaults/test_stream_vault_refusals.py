"""Logs that contradict each other: refused with vault, block, log index and both numbers."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import Inconsistent
from loyalty.core.logs import RawLog
from loyalty.protocols import erc20
from loyalty.protocols.vaults.stream_vault import topics
from loyalty.protocols.vaults.stream_vault.adapter import fold
from loyalty.protocols.vaults.stream_vault.ledger import VaultFact, VaultLedger
from tests.protocols.vaults.conftest import Read
from tests.protocols.vaults.simulation import ALICE, BOB, CAROL, VAULT, Chain, StreamVault, word

ONE = 10**6


def _history() -> StreamVault:
    """Two rounds: stakes, a roll, a redemption, an unstake, a stake, a roll. One transaction a block."""
    vault = StreamVault(Chain().at(1))
    vault.stake(ALICE, 30 * ONE)
    vault.chain.at(2)
    vault.stake(BOB, 10 * ONE)
    vault.chain.at(3)
    vault.roll(ONE)
    vault.chain.at(4)
    vault.redeem(ALICE, 12 * ONE)
    vault.chain.at(5)
    vault.unstake(BOB, 4 * ONE)
    vault.chain.at(6)
    vault.stake(CAROL, 5 * ONE)
    vault.chain.at(7)
    vault.roll(1_250_000)
    vault.chain.at(8)
    return vault


def _without(vault: StreamVault, topic: bytes, nth: int = 0) -> list[RawLog]:
    left_out = [log for log in vault.chain.logs if log.topics[0] == topic][nth]
    return [log for log in vault.chain.logs if log != left_out]


def _altered(vault: StreamVault, topic: bytes, place: int, value: int, nth: int = 0) -> list[RawLog]:
    """The vault's logs with word `place` of the nth log of `topic` set to `value`."""
    altered = [log for log in vault.chain.logs if log.topics[0] == topic][nth]
    body = altered.data[: 32 * place] + word(value) + altered.data[32 * (place + 1) :]
    return [log._replace(data=body) if log == altered else log for log in vault.chain.logs]


def test_the_history_itself_is_believed(read: Read) -> None:
    facts, _ = read(_history())
    assert facts.starts[-1].shares == {ALICE: 30 * ONE, BOB: 6 * ONE, CAROL: 4 * ONE}


@pytest.mark.parametrize(
    ("topic", "nth", "message"),
    [
        (topics.STAKE, 0, "block 3, log 1: round 1 minted 40000000 shares, and its 1 stakers are owed 10000000"),
        (erc20.TRANSFER, 0, "block 3, log 1: 40000000 shares were minted to the vault, but no Transfer"),
        (topics.ROUND_ROLLED, 0, "block 4, log 0: .* takes back 12000000 of 0 owed"),
        (topics.REDEEM, 0, "block 4, log 1: the vault sends 12000000 shares to 0xa.*, and no Redeem"),
        (erc20.TRANSFER, 1, "block 4, log 0: 0xa.* redeems 12000000 shares, but no Transfer .*left there: none"),
        (topics.REDEEM, 1, "block 5, log 2: 0xb.* unstakes while 10000000 shares are owed to it"),
        (erc20.TRANSFER, 2, "block 5, log 3: 0xb.* holds 0 units and sends 4000000"),
        (erc20.TRANSFER, 3, "block 5, log 2: 0xb.* unstakes 4000000 of the asset, but no Transfer"),
        (topics.STAKE, 2, "block 7, log 1: round 2 minted 4000000 shares, and its 0 stakers are owed 0"),
    ],
)
def test_a_log_that_is_missing_is_missed(read: Read, topic: bytes, nth: int, message: str) -> None:
    vault = _history()
    with pytest.raises(Inconsistent, match=message) as refusal:
        read(vault, _without(vault, topic, nth))
    assert VAULT in str(refusal.value)


@pytest.mark.parametrize(
    ("topic", "place", "value", "nth", "message"),
    [
        (topics.STAKE, 0, 31 * ONE, 0, "round 1 minted 40000000 shares, and its 2 stakers are owed 41000000"),
        (topics.STAKE, 1, 2, 0, "block 1, log 0: the stake of 0xa.* names round 2, and the open round is 1"),
        (topics.ROUND_ROLLED, 0, 2, 0, "block 3, log 1: round 2 is not open yet, the open round is 1"),
        (topics.ROUND_ROLLED, 0, 1, 1, "block 7, log 1: round 1 was rolled already, the open round is 2"),
        (topics.ROUND_ROLLED, 1, 2 * ONE, 0, "round 1 minted 40000000 shares, and its 2 stakers are owed 20000000"),
        (topics.ROUND_ROLLED, 1, 0, 0, "round 1 was rolled at a price of 0, with assets pending"),
        (
            topics.ROUND_ROLLED,
            2,
            41 * ONE,
            0,
            "41000000 shares were minted to the vault, but no .*left there: 40000000",
        ),
        (topics.REDEEM, 0, 31 * ONE, 0, "block 4, log 0: 0xa.* takes back 31000000 of 30000000 owed"),
        (topics.REDEEM, 1, 2, 0, "the redeem of 0xa.* names round 2, and that of its last Stake is 1"),
        (topics.UNSTAKE, 0, 4 * ONE + 1, 0, "block 5, log 2: 0xb.* unstakes 4000001 of the asset, but no Transfer"),
        (topics.UNSTAKE, 1, 1, 0, "the unstake of 0xb.* names round 1, and the open round is 2"),
        (erc20.TRANSFER, 0, 31 * ONE, 1, "block 4, log 0: 0xa.* redeems 12000000 shares, but no"),
    ],
)
def test_a_number_that_was_altered_is_refused(
    read: Read, topic: bytes, place: int, value: int, nth: int, message: str
) -> None:
    vault = _history()
    with pytest.raises(Inconsistent, match=message):
        read(vault, _altered(vault, topic, place, value, nth))


def test_more_than_the_pending_cannot_be_taken_back(read: Read) -> None:
    vault = _history()
    vault.log(topics.INSTANT_UNSTAKE, CAROL, 1, 3)
    with pytest.raises(Inconsistent, match=r"block 8, log 0: 0xc.* takes back 1 of 0 staked in this round"):
        read(vault)


def test_nothing_can_be_unstaked_before_the_first_roll(read: Read) -> None:
    vault = StreamVault(Chain().at(1))
    vault.token.bridge_in(ALICE, 5)
    vault.log(topics.UNSTAKE, ALICE, 5, 1)
    with pytest.raises(Inconsistent, match=r"0xa.* unstakes 5, but no round was rolled before"):
        read(vault)


def test_shares_that_leave_the_vault_without_a_redeem_are_refused(read: Read) -> None:
    vault = _history()
    vault.token.move(VAULT, CAROL, 1)
    with pytest.raises(Inconsistent, match=r"block 8, log 0: the vault sends 1 shares to 0xc.*, and no Redeem"):
        read(vault)


def _again(facts: list[VaultFact]) -> list[VaultFact]:
    return [*facts, facts[-1]]


def _swapped(facts: list[VaultFact]) -> list[VaultFact]:
    return [facts[1], facts[0], *facts[2:]]


@pytest.mark.parametrize("disorder", [_again, _swapped])
def test_facts_come_once_and_in_order(read: Read, disorder: Callable[[list[VaultFact]], list[VaultFact]]) -> None:
    facts, _ = read(_history())
    mixed: list[VaultFact] = [*facts.events, *facts.rolls, *facts.transfers]
    ordered = sorted(mixed, key=lambda fact: (fact.block, fact.log_index))
    with pytest.raises(Inconsistent, match="facts must come once, and in order"):
        fold({VAULT: VaultLedger(VAULT, 6)}, disorder(ordered))


def test_a_fact_of_another_vault_is_refused(read: Read) -> None:
    facts, _ = read(_history())
    with pytest.raises(Inconsistent, match=f"came to the ledger of vault {ALICE}"):
        VaultLedger(ALICE, 6).apply(facts.events[0])


def test_decimals_that_contradict_the_vault_are_refused(read: Read) -> None:
    vault = _history()
    vault.decimals = 18
    with pytest.raises(Inconsistent, match="round 1 minted 40000000 shares, and its 2 stakers are owed 4"):
        read(vault)


def test_a_copy_that_failed_leaves_its_original_as_it_was(read: Read) -> None:
    vault = _history()
    facts, ledger = read(vault)
    copy = ledger.copy()
    copy.apply(facts.events[-1]._replace(block=9, round=3))
    assert (copy.pending(CAROL), ledger.pending(CAROL)) == (5 * ONE, 0)
    with pytest.raises(Inconsistent):
        copy.apply(facts.rolls[-1]._replace(block=10, round=3))
    assert (ledger.round, ledger.price_per_share, ledger.shares()) == (3, 1_250_000, vault.shares())
