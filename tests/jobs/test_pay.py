"""Pay: lists that add up, paid once, with dust carried and never lost."""

import pytest

from loyalty.core.errors import Conflict, Inconsistent, Invalid, NotFound
from loyalty.jobs.pay import Export, export, mark_paid
from loyalty.program.rules import Reward
from loyalty.state import StateTransaction
from tests.jobs.stage import NOW, PEOPLE, Stage

FIRST, SECOND = "0x" + "1" * 64, "0x" + "2" * 64


def three_epochs(stage: Stage) -> Stage:
    """Alice has 98 and bob 2 of each hundred."""
    stage.set_up(tiers=()).play("""
        0d 00:00  mint  alice  98
        0d 00:00  mint  bob    2
        6d 01:00  seen
    """)
    stage.accrue()
    stage.settle()
    return stage


def pay(stage: Stage, epoch: int, transaction: str = FIRST, dust_below: str = "0") -> dict[str, object]:
    with StateTransaction(stage.state, durable=True) as connection:
        return mark_paid(
            connection,
            stage.rules,
            epoch=epoch,
            symbol="R",
            transaction_hash=transaction,
            dust_below=dust_below,
            actor="ops",
            now=NOW,
        )


def exported(stage: Stage, epoch: int, dust_below: str = "0") -> Export:
    return export(stage.state, stage.rules, epoch, "R", dust_below)


def rows(found: Export) -> dict[str, tuple[int, int, int]]:
    """By person: the epoch's units, cumulative, payable."""
    names = {address: name for name, address in PEOPLE.items()}
    return {names[row.address]: (row.units, row.cumulative_units, row.payable_units) for row in found.rows}


def test_an_export_adds_up_to_what_the_epoch_paid_and_carries_the_digest(stage: Stage) -> None:
    found = exported(three_epochs(stage), 2)
    assert rows(found) == {"alice": (98, 196, 98), "bob": (2, 4, 2)}
    assert (found.total_units, found.payable_units, found.dust_units) == (100, 100, 0)
    assert found.digest == stage.epoch(2).digest


def test_an_export_in_json_has_strings_for_units_and_checksummed_addresses(stage: Stage) -> None:
    told = exported(three_epochs(stage), 1).as_dict()
    assert told["rewards"][1] == {
        "address": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
        "amount": "2",
        "amount_units": "2",
        "cumulative_units": "2",
        "payable_units": "2",
    }
    assert sum(int(row["amount_units"]) for row in told["rewards"]) == int(told["total_units"]) == 100


def test_dust_waits_until_it_is_enough_and_nothing_is_lost(stage: Stage) -> None:
    """Bob earns 2 an epoch; below 5 is dust: he is paid 6 with the third epoch."""
    three_epochs(stage)
    assert (exported(stage, 1, "5").payable_units, exported(stage, 1, "5").dust_units) == (98, 2)
    done = [pay(stage, epoch, f"0x{epoch}{'0' * 63}", "5") for epoch in (1, 2, 3)]
    assert [each["paid_units"] for each in done] == ["98", "98", "104"]
    assert [each["dust_units"] for each in done] == ["2", "4", "0"]
    assert sum(int(str(each["paid_units"])) for each in done) == 300


def test_an_epoch_is_paid_once(stage: Stage) -> None:
    three_epochs(stage)
    pay(stage, 1)
    for transaction in (FIRST, SECOND):
        with pytest.raises(Conflict, match=f"epoch 1 is paid in R already, by {FIRST}"):
            pay(stage, 1, transaction)
    assert rows(exported(stage, 1))["bob"] == (2, 2, 2)  # what it transferred stays to be read


def test_only_a_settled_epoch_can_be_paid_or_exported(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        1d 00:00  seen
    """)
    stage.accrue()
    stage.settle()
    with pytest.raises(Conflict, match="epoch 1 is provisional, not settled"):
        pay(stage, 1)
    with pytest.raises(Conflict, match="its rewards can still change"):
        exported(stage, 1)
    with pytest.raises(NotFound, match="epoch 2 has not begun"):
        exported(stage, 2)


@pytest.mark.parametrize("transaction", ["0x12", "1" * 64, "0x" + "g" * 64, FIRST + "0"])
def test_what_is_no_transaction_hash_is_refused(stage: Stage, transaction: str) -> None:
    with pytest.raises(Invalid, match="is not a transaction hash"):
        pay(three_epochs(stage), 1, transaction)


def test_a_token_that_is_no_reward_is_refused_by_name(stage: Stage) -> None:
    three_epochs(stage)
    with pytest.raises(NotFound, match="'A' is not a reward token: the program pays R"):
        export(stage.state, stage.rules, 1, "A")


def test_rewards_that_do_not_add_up_are_never_exported(stage: Stage) -> None:
    three_epochs(stage)
    with StateTransaction(stage.state) as connection:
        connection.exec_driver_sql("UPDATE rewards SET units = '3' WHERE units = '2' AND epoch = 2")
    with pytest.raises(Inconsistent, match="add up to 101, its ledger says 100: run `loyalty verify`, and do not pay"):
        exported(stage, 2)


def test_an_epoch_that_paid_nothing_exports_an_empty_list(stage: Stage) -> None:
    stage.set_up(rewards=(Reward("R", 300, None, None),)).play("2d 01:00  seen")
    stage.accrue()
    stage.settle()
    found = exported(stage, 1)
    assert (found.rows, found.total_units) == ((), 0)
    assert pay(stage, 1)["providers"] == 0
