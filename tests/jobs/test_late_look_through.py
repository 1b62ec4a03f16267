"""A contract that is looked through from a later epoch on: each day by the rules of its epoch, and verify agrees."""

from loyalty.core.address import Address
from loyalty.core.facts import TokenTransfer
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.verify import verify
from loyalty.program.rules import LookThroughRule
from loyalty.state import StateTransaction, days, followed_contracts, token_transfers
from tests.jobs.stage import CHAIN, ONE, PEOPLE, START, START_DAY, Stage, block_of

ALICE, BOB, CAROL, VAULT = (PEOPLE[name] for name in ("alice", "bob", "carol", "dave"))
ZERO = Address("0x" + "0" * 40)
RULE = LookThroughRule(CHAIN, VAULT, "shares", VAULT)


def shares(block: int, log_index: int, sender: Address, recipient: Address, units: int) -> TokenTransfer:
    time = START + block - block_of(START)
    return TokenTransfer(VAULT, block, log_index, time, sender, recipient, units, bytes(32))


def test_each_day_is_looked_through_by_the_rules_of_its_epoch(stage: Stage) -> None:
    """Bob and Carol have the shares of a vault (Dave) in three parts to one; from epoch 2 on it is looked through."""
    stage.set_up()
    start = block_of(START)
    with StateTransaction(stage.state) as connection:
        followed_contracts.ensure(connection, CHAIN, "shares", VAULT, start - DAY_SECONDS, VAULT)
        moved = [shares(start - 9, 0, ZERO, BOB, 4), shares(start - 8, 0, BOB, CAROL, 1)]
        token_transfers.insert(connection, CHAIN, moved)
    stage.play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  dave   80
        3d 04:00  seen
    """)
    stage.accrue()
    assert [each.number for each in stage.settle() if each.status == "settled"] == [1]
    stage.new_rules(look_through=(RULE,))
    with StateTransaction(stage.state) as connection:
        days.delete_from(connection, 1, START_DAY + 2)
    stage.play("4d 04:00  seen")
    stage.accrue()
    stage.settle()
    assert verify(stage.state).faults == ()
    with stage.state.read() as connection:
        cells = days.cells(connection, Span(START_DAY, START_DAY + 4))
    found = {(each.day - START_DAY, each.provider): each.usd_micro_days for each in cells if each.pool == ONE}
    vaults = found[0, VAULT]
    assert found[0, ALICE] > vaults == found[1, VAULT] > 0
    assert {provider for day, provider in found if day >= 2} == {ALICE, BOB, CAROL}
    assert found[2, BOB] + found[2, CAROL] == found[3, BOB] + found[3, CAROL] == vaults
    assert found[2, BOB] == vaults * 3 // 4 + (vaults * 3 % 4 > 2)
