"""Settle: which epochs are closed when, with which numbers; what blocks one; that everything adds up."""

from dataclasses import replace
from fractions import Fraction

import pytest

from loyalty.core.errors import Conflict
from loyalty.jobs.hold import hold, release
from loyalty.jobs.settle import qualifying_before
from loyalty.program.rules import Reward
from loyalty.state import State, StateTransaction, chains, epochs
from tests.jobs.stage import CHAIN, NOW, PEOPLE, Stage, at, exclusion, share


def reasons(stage: Stage, number: int) -> str:
    return "; ".join(stage.epoch(number).reasons)


def settled(stage: Stage) -> list[int]:
    stage.accrue()
    return [each.number for each in stage.settle() if each.status == "settled"]


def test_an_epoch_settles_a_while_after_its_end_by_the_time_of_final_blocks(stage: Stage) -> None:
    """Epoch 1 ends at day 2; `settle_after` is an hour."""
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  bob    200
        2d 00:59:59  seen
        2d 23:00  head
    """)
    assert settled(stage) == []
    assert stage.epoch(1).status == "computed"
    assert reasons(stage, 1) == "not due before final blocks reach 2024-10-06T00:00:00Z + 1h"
    stage.play("2d 23:01  seen")
    assert settled(stage) == [1]
    assert stage.rewards(1) == {"alice": 33, "bob": 67}


def test_an_epoch_that_runs_is_provisional_and_one_that_is_over_but_not_final_too(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        1d 12:00  seen
        2d 05:00  head
    """)
    settled(stage)
    assert [stage.epoch(number).status for number in (1, 2)] == ["provisional", "provisional"]
    assert stage.evaluated() == [1, 2]
    assert stage.rewards(1) == {"alice": 100}


def test_the_fifth_epoch_in_a_row_is_the_first_of_its_tier_and_a_lapse_begins_anew(stage: Stage) -> None:
    """Alice holds in epochs 1, 2 and 3, bob lapses in epoch 2: from epoch 2 on who came back in a row weighs double."""
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  bob    100
        2d 00:00  burn  bob    100
        2d 00:00  mint  carol  100
        4d 00:00  mint  bob    100
        6d 01:00  seen
    """)
    assert settled(stage) == [1, 2, 3]
    assert stage.rewards(1) == {"alice": 50, "bob": 50}
    assert stage.rewards(2) == {"alice": 67, "carol": 33}  # 200 : 100
    assert stage.rewards(3) == {"alice": 40, "bob": 20, "carol": 40}  # 200 : 100 : 200


def test_a_lapse_that_pauses_goes_on_where_it_stopped(stage: Stage) -> None:
    stage.set_up(on_lapse="pause").play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  bob    100
        2d 00:00  burn  bob    100
        4d 00:00  mint  bob    100
        6d 01:00  seen
    """)
    assert settled(stage) == [1, 2, 3]
    assert stage.rewards(3) == {"alice": 50, "bob": 50}


def test_what_a_lapse_does_is_decided_by_the_rules_of_the_epoch_that_lapses(stage: Stage) -> None:
    """Bob lapses in epoch 2, when the rules say pause; that they say reset again in epoch 3 takes nothing from him."""
    stage.set_up().play("""
        0d 00:00  mint  bob  100
        2d 00:00  burn  bob  100
        2d 01:00  seen
    """)
    assert settled(stage) == [1]
    stage.new_rules(on_lapse="pause")
    stage.play("""
        4d 00:00  mint  bob  100
        4d 01:00  seen
    """)
    assert settled(stage) == [2]
    stage.new_rules(on_lapse="reset")
    stage.play("6d 01:00  seen")
    assert settled(stage) == [3]
    with stage.state.read() as connection:
        assert qualifying_before(connection, 3) == {PEOPLE["bob"]: 1}
        assert qualifying_before(connection, 4) == {PEOPLE["bob"]: 2}
    assert (stage.epoch(2).rules_version, stage.epoch(3).rules_version) == (2, 3)


def test_a_new_version_of_the_rules_leaves_settled_epochs_as_they_are(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        0d 00:00  mint  bob    100
        2d 01:00  seen
    """)
    settled(stage)
    before = stage.epoch(1)
    stage.new_rules(exclusions=(exclusion("bob", from_day=2),))
    stage.play("4d 01:00  seen")
    assert settled(stage) == [2]
    assert (stage.epoch(1), stage.rewards(1)) == (before, {"alice": 50, "bob": 50})
    assert stage.rewards(2) == {"alice": 100}


def test_an_epoch_without_weight_adds_its_budget_to_the_next_and_the_last_ones_is_unallocated(stage: Stage) -> None:
    stage.set_up().play("""
        2d 00:00  mint  alice  100
        4d 00:00  burn  alice  100
        6d 01:00  seen
    """)
    assert settled(stage) == [1, 2, 3]
    own, carried_in, paid, carried_out, unallocated = range(1, 6)
    first, second, third = (stage.ledger(number) for number in (1, 2, 3))
    assert (first[own], first[paid], first[carried_out]) == (100, 0, 100)
    assert (second[own], second[carried_in], second[paid], second[carried_out]) == (100, 100, 200, 0)
    assert (third[own], third[paid], third[carried_out], third[unallocated]) == (100, 0, 0, 100)
    assert stage.rewards(2) == {"alice": 200}


def test_a_usd_share_without_weight_carries_the_units_that_its_own_epoch_gave_it(stage: Stage) -> None:
    """A quarter of 100 R at $2 is $50: at $1 an S that is 50 S; a week later, at $5 an S, only 10 more."""
    stage.set_up(fixed="AB", rewards=(Reward("R", 300, None, None), share("S", "R", "0.25")))
    stage.play("""
        2d 00:00  price  R  2
        2d 00:00  price  S  1
        2d 00:00  mint   alice  100
        4d 00:00  price  R  2
        4d 00:00  price  S  5
        4d 01:00  seen
    """)
    assert settled(stage) == [1, 2]
    assert (stage.ledger(1, "S").budget_units, stage.ledger(1, "S").carried_out_units) == (50, 50)
    assert (stage.ledger(2, "S").budget_units, stage.ledger(2, "S").carried_in_units) == (10, 50)
    assert stage.rewards(2, "S") == {"alice": 60}
    assert stage.rewards(2, "R") == {"alice": 200}


def test_a_usd_share_without_a_price_at_the_end_blocks_its_epoch_and_is_never_taken_for_zero(stage: Stage) -> None:
    stage.set_up(rewards=(Reward("R", 300, None, None), share("S", "R", "0.25")))
    stage.play("""
        0d 00:00  mint  alice  100
        1d 21:00  price  R  2
        1d 22:00  price  S  1
        2d 01:00  seen
    """)
    assert settled(stage) == []
    assert "R has no valid price at the epoch's end" in reasons(stage, 1)
    assert "`loyalty price set R`" in reasons(stage, 1)
    stage.play("1d 22:00  price  R  2")
    assert settled(stage) == [1]
    assert stage.rewards(1, "S") == {"alice": 50}


def test_a_share_on_the_grid_waits_for_the_grids_own_point_at_the_end(stage: Stage) -> None:
    stage.set_up(rewards=(Reward("R", 300, None, None), share("S", "R", "0.25")))
    stage.price("R", 0, "2", "fixed")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 23:00  price  S  1
        2d 01:00  seen
    """)
    stage.accrue()
    stage.settle(grid_tokens=frozenset("S"))
    assert reasons(stage, 1) == "S: the price at the epoch's end 2024-10-06T00:00:00Z has not been published yet"
    stage.play("2d 02:00  seen")
    stage.settle(grid_tokens=frozenset("S"))
    assert stage.epoch(1).status == "settled"


def test_an_unpriced_day_blocks_its_epoch_and_all_later_ones_in_order(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "1d 00:00")
    stage.hourly("B", "2d 00:00", "4d 00:00")
    stage.play("""
        0d 00:00  mint  alice  100
        4d 01:00  seen
    """)
    assert settled(stage) == []
    assert "on 2024-10-05 has no price: B: no valid price from 2024-10-05T02:00:01Z on" in reasons(stage, 1)
    assert "epochs settle in order: 1 is not settled yet" in reasons(stage, 2)
    stage.hourly("B", "1d 01:00", "1d 23:00")
    assert settled(stage) == [1, 2]


def test_a_day_that_is_not_computed_blocks_its_epoch(stage: Stage) -> None:
    stage.set_up().play("2d 01:00  seen")
    assert [each.status for each in stage.settle()] == ["computed", "provisional"]
    assert reasons(stage, 1).count("is not computed yet") == 4  # two pools, two days


def test_a_hold_keeps_an_epoch_open_until_it_is_released(stage: Stage) -> None:
    stage.set_up().play("2d 01:00  seen")
    with StateTransaction(stage.state) as connection:
        hold(connection, "price of B looks wrong", "ops", NOW)
    assert settled(stage) == []
    assert reasons(stage, 1) == "on hold: price of B looks wrong"
    with StateTransaction(stage.state) as connection:
        release(connection, "ops", NOW)
    assert settled(stage) == [1]


def test_a_hold_that_is_placed_while_an_epoch_is_settled_still_holds_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged before the transaction is judged again inside it."""
    from loyalty.jobs import settle as module

    stage.set_up().play("2d 01:00  seen")
    stage.accrue()
    close = module._close

    def placed_first(state: State, *rest: object) -> object:
        with StateTransaction(state) as connection:
            hold(connection, "wait", "ops", NOW)
        return close(state, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_close", placed_first)
    assert [each.status for each in stage.settle()] == ["computed", "provisional"]
    assert reasons(stage, 1) == "on hold: wait"


def test_a_chain_that_tells_no_final_block_is_never_settled_and_says_what_to_do(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        3d 00:00  head
    """)
    assert settled(stage) == []
    assert "river tells no finalized block" in reasons(stage, 1)
    assert "chains.river.confirmations" in reasons(stage, 1)


def test_of_several_chains_the_one_furthest_behind_decides(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        3d 00:00  seen
    """)
    with StateTransaction(stage.state) as connection:
        chains.ensure(connection, CHAIN + 1, "brook")
    assert settled(stage) == []
    assert "not due before final blocks" in reasons(stage, 1)


def test_a_day_closed_by_a_block_that_is_not_final_blocks_its_epoch(stage: Stage) -> None:
    """The chain tells a final time past the epoch, but the day hangs on a block that is not final."""
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        2d 05:00  head
    """)
    stage.accrue()
    with StateTransaction(stage.state) as connection:
        known = chains.get(connection, CHAIN)
        assert known.head_block is not None
        final = (at("2d 01:00"), known.head_block - 4 * 3_600)
        statement = "UPDATE chains SET finalized_time = ?, finalized_block = ?"
        connection.exec_driver_sql(statement, final)
    assert [each.status for each in stage.settle()] == ["computed", "provisional"]
    assert "not final yet" in reasons(stage, 1)


def test_settling_up_to_an_epoch_leaves_the_later_ones_due(stage: Stage) -> None:
    stage.set_up().play("6d 01:00  seen")
    stage.accrue()
    assert [each.status for each in stage.settle(until=2)] == ["settled", "settled", "computed"]
    assert [each.status for each in stage.settle(until=0)] == ["computed"]
    assert [each.status for each in stage.settle()] == ["settled"]
    assert stage.settle() == []


def test_a_settled_epoch_is_never_evaluated_again(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        2d 01:00  seen
    """)
    settled(stage)
    before = stage.dump()["rewards"]
    stage.settle()
    assert stage.dump()["rewards"] == before
    with pytest.raises(Conflict, match="epoch 1 is settled with digest"):
        _write_again(stage)


def _write_again(stage: Stage) -> None:
    with StateTransaction(stage.state) as connection:
        epochs.write(connection, stage.epoch(1)._replace(status="computed", digest=None), [], [], [])


def test_the_settlement_and_its_audit_line_are_one(stage: Stage) -> None:
    stage.set_up().play("2d 01:00  seen")
    settled(stage)
    with stage.state.read() as connection:
        detail = connection.exec_driver_sql("SELECT detail FROM audit_log WHERE action = 'settle'").scalar_one()
    assert str(stage.epoch(1).digest) in detail


def test_pools_weigh_and_minimums_count_before_the_weights(stage: Stage) -> None:
    """Bob's $100 weigh threefold in pool two; dave's $5 are below the minimum of $10 and earn nothing."""
    rules = stage.rules
    heavy = (rules.pools[0], replace(rules.pools[1], weight=Fraction(3)))
    stage.set_up(pools=heavy, minimum_usd_micro=10 * 10**6).play("""
        0d 00:00  mint  alice  100  one
        0d 00:00  mint  bob    100  two
        0d 00:00  mint  dave   5    two
        2d 01:00  seen
    """)
    settled(stage)
    assert stage.rewards(1) == {"alice": 25, "bob": 75}


def test_an_average_just_below_the_minimum_does_not_qualify(stage: Stage) -> None:
    """$10 of full range are a hair less than $10 (the range ends somewhere), and a hair less is less."""
    stage.set_up(minimum_usd_micro=10 * 10**6).play("""
        0d 00:00  mint  dave  10
        2d 01:00  seen
    """)
    settled(stage)
    assert stage.rewards(1) == {}
    assert stage.ledger(1).carried_out_units == 100
