"""Contracts with much behind which nobody is known are told of before an epoch settles."""

import asyncio

from loyalty.chain.chain import Chain
from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.classify import SECONDS_BETWEEN_LOOKS, Classifier, is_contract
from loyalty.jobs.unresolved import NOBODY, UNKNOWN, unresolved_in
from loyalty.program.rules import LookThroughRule
from loyalty.state import StateTransaction, contract_codes, followed_contracts
from tests.jobs.played_chain import PlayedEndpoint
from tests.jobs.stage import CHAIN, NOW, ONE, PEOPLE, START, Stage, block_of, exclusion

ALICE, BOB, CAROL, DAVE = (PEOPLE[name] for name in ("alice", "bob", "carol", "dave"))
DOLLARS = 10**6
PLAY = """
    0d 00:00  mint  alice  100
    0d 00:00  mint  bob    50
    0d 00:00  mint  carol  19
    0d 00:00  mint  dave   40
    2d 01:00  seen
"""


def classifier(stage: Stage, *accounts: Address) -> Classifier:
    """On a chain where all but `accounts` are contracts."""
    endpoint = PlayedEndpoint([], 50, bare=frozenset(accounts))
    return Classifier(stage.state, Chain("river", CHAIN, [endpoint]))


def told(stage: Stage, number: int = 1) -> list[tuple[Address, str]]:
    with stage.state.read() as connection:
        return [(each.address, each.why) for each in unresolved_in(connection, number)]


def played(stage: Stage, **changes: object) -> Stage:
    stage.set_up(unresolved_usd_micro=20 * DOLLARS, **changes)
    with StateTransaction(stage.state) as connection:
        for rule in stage.rules.look_through:
            start = block_of(START - DAY_SECONDS)
            followed_contracts.ensure(connection, CHAIN, rule.kind, rule.address, start, rule.shares)
    stage.play(PLAY)
    stage.accrue()
    return stage


def test_large_holders_are_looked_at_and_contracts_among_them_told_the_largest_first(stage: Stage) -> None:
    """Carol has less than the 20 dollars from which on a contract is told of; Bob is no contract."""
    looked = asyncio.run(classifier(played(stage), BOB).turn(NOW))
    assert looked == 3
    assert told(stage) == [(ALICE, UNKNOWN), (DAVE, UNKNOWN)]
    with stage.state.read() as connection:
        assert contract_codes.on_chain(connection, CHAIN)[BOB].is_contract is False
        (first, _) = unresolved_in(connection, 1)
    assert (first.epoch, first.chain, first.pools) == (1, CHAIN, (ONE,))
    assert first.usd_micro_days == 2 * (100 * DOLLARS - 1)


def test_what_is_excluded_is_settled_and_what_is_looked_through_is_nobodys(stage: Stage) -> None:
    through = (LookThroughRule(CHAIN, DAVE, "shares", DAVE),)
    played(stage, exclusions=(exclusion("alice"),), look_through=through)
    asyncio.run(classifier(stage).turn(NOW))
    assert told(stage) == [(BOB, UNKNOWN), (DAVE, NOBODY)]
    stage.settle()
    assert stage.epoch(1).usd_micro_days == 2 * (69 * DOLLARS - 2)


def test_an_address_is_looked_at_about_once_a_day_and_all_are_every_ten_minutes(stage: Stage) -> None:
    look = classifier(played(stage))
    day = 86_400
    times = [NOW, NOW + 1, NOW + SECONDS_BETWEEN_LOOKS, NOW + day, NOW + day + SECONDS_BETWEEN_LOOKS]
    assert [asyncio.run(look.turn(time)) for time in times] == [3, 0, 0, 3, 0]


def test_nobody_is_looked_at_before_anyone_has_much(stage: Stage) -> None:
    stage.set_up().play(PLAY)
    look = classifier(stage)
    assert asyncio.run(look.turn(NOW)) == 0
    stage.accrue()
    assert asyncio.run(look.turn(NOW)) == 0  # the default is a thousand dollars


def test_an_account_that_delegates_is_no_contract() -> None:
    delegated = bytes.fromhex("ef0100") + bytes(20)
    assert [is_contract(code) for code in (b"", delegated, delegated + b"\0", b"\x60")] == [False, False, True, True]
