"""The program, its statistics and tiers, as the small program has them."""

from pathlib import Path

import pytest

from loyalty.core.errors import NotFound, Unavailable
from loyalty.reports.epochs import epoch, epoch_rewards, epochs
from loyalty.reports.paging import Cut
from loyalty.reports.pools import chain_id_of, pool, pools
from loyalty.reports.program import program
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.statistics import statistics, tiers
from loyalty.reports.status import status
from loyalty.state import State, StateTransaction, days, holds, open_state
from loyalty.state.migrate import upgrade
from tests.reports.small_program import ALICE, CHAIN, HEAD, NOW, POOL, START, TREASURY, bind, header, index

ALL = Cut(500, None)
HALF_OF_EPOCH_4 = [
    {"chain": 1, "block": HEAD, "block_hash": header(HEAD).hash, "time": "2026-04-23T12:00:00Z"},
]


def test_the_program_says_where_it_stands(snapshot: Snapshot) -> None:
    told = program(snapshot)
    assert told["position"] == "epoch 4 of 4, day 1 of 1"
    assert (told["phase"], told["current_epoch"], told["settled_epochs"]) == ("running", 4, 3)
    assert told["current_epoch_end"] == "2026-04-24T00:00:00Z"
    assert (told["as_of"], told["status"]) == (HALF_OF_EPOCH_4, "provisional")
    assert told["exclusions"] == [
        {"address": "0xDDdDddDdDdddDDddDDddDDDDdDdDDdDDdDDDDDDd", "reason": "the treasury", "from": None, "until": None}
    ]


def test_the_budget_is_paid_provisional_or_left(snapshot: Snapshot) -> None:
    arb, usda = program(snapshot)["budgets"]
    amounts = {name: each["amount"] for name, each in arb.items() if name != "token"}
    assert amounts == {
        "total": "400",
        "paid": "300",
        "provisional": "100",
        "unallocated": "0",
        "left": "100",
        "transferred": "0",
    }
    assert (usda["total"], usda["left"], usda["paid"]["amount_units"]) == (None, None, "37500000")


def test_statistics_count_everybody_but_the_excluded(snapshot: Snapshot) -> None:
    told = statistics(snapshot)
    assert told["providers"] == 2
    assert told["tiers"] == [{"tier": "Tier 1", "providers": 0}, {"tier": "Tier 2", "providers": 2}]
    assert told["usd"] == told["usd_in_range"] == "3999.999998"
    assert told["weighted_usd"] == "7999.999996"
    assert told["excluded_usd"] == "2986.382804"
    assert [each["amount"] for each in told["paid"]] == ["300", "37.5"]


def test_tiers_carry_their_providers(snapshot: Snapshot) -> None:
    assert [(each["tier"], each["multiplier"], each["providers"]) for each in tiers(snapshot)["items"]] == [
        ("Tier 1", "1", 0),
        ("Tier 2", "2", 2),
    ]


def test_an_epoch_adds_up_to_its_budget(snapshot: Snapshot) -> None:
    told = epoch(snapshot, 2)
    assert told["status"] == "settled"
    assert len(told["digest"]) == 64
    assert (told["usd_days"], told["providers"], told["reasons"]) == ("3999.999997", 3, [])
    rewards = epoch_rewards(snapshot, 2, "ARB", ALL)["items"]
    assert sum(int(each["amount_units"]) for each in rewards) == int(told["paid"][0]["amount_units"]) == 100 * 10**18
    assert [each["weight"] for each in rewards] == ["999.999998", "5999.999998", "499.999999"]
    floors = [100 * 10**18 * weight // 7_499_999_995 for weight in (999_999_998, 5_999_999_998, 499_999_999)]
    over_floor = [int(each["amount_units"]) - floor for each, floor in zip(rewards, floors, strict=True)]
    assert over_floor == [1, 0, 1]


def test_an_epoch_that_is_over_rests_on_the_block_that_closed_it(snapshot: Snapshot) -> None:
    assert [each["block"] for each in epoch(snapshot, 2)["as_of"]] == [2 + 48]
    assert epoch(snapshot, 4)["as_of"] == HALF_OF_EPOCH_4
    assert [each["status"] for each in epochs(snapshot, ALL)["items"]] == ["settled"] * 3 + ["provisional"]


def test_epochs_that_are_not_there_say_why(snapshot: Snapshot) -> None:
    with pytest.raises(NotFound, match="epoch 5 does not exist: the program has epochs 1 to 4"):
        epoch(snapshot, 5)
    with pytest.raises(NotFound, match="'XYZ' is not a reward token of epoch 1: it pays ARB, USDA"):
        epoch_rewards(snapshot, 1, "XYZ", ALL)


def test_a_pool_shows_what_lies_in_it_and_its_days(snapshot: Snapshot) -> None:
    told = pool(snapshot, CHAIN, POOL)
    assert (told["usd"], told["usd_in_range"], told["providers"], told["tick"]) == ("6986.382802", "3999.999998", 3, 0)
    assert [each["date"] for each in told["days"]] == ["2026-04-20", "2026-04-21", "2026-04-22", "2026-04-23"]
    assert told["days"][0]["usd_days_in_range"] == "3999.999998"
    assert told["days"][1]["providers"] == 4
    assert [each["pool"] for each in pools(snapshot, ALL)["items"]] == ["0x2222222222222222222222222222222222222222"]


def test_a_chain_is_named_by_id_or_name(snapshot: Snapshot) -> None:
    assert chain_id_of(snapshot, "1") == chain_id_of(snapshot, "small") == 1
    with pytest.raises(NotFound, match="no chain 'base'"):
        chain_id_of(snapshot, "base")
    with pytest.raises(NotFound, match="no pool"):
        pool(snapshot, 1, ALICE)


def test_status_tells_what_blocks(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "a price is being checked", NOW)
        days.write(connection, 1, START // 86_400 + 3, "unpriced", "USDA: no valid price", HEAD, NOW, {})
    with state.read() as connection:
        told = status(Snapshot.of(connection))
    assert [(each["reason"], each["placed"]) for each in told["holds"]] == [
        ("a price is being checked", "2026-04-23T12:00:00Z")
    ]
    assert [(each["date"], each["reason"]) for each in told["unpriced"]] == [("2026-04-23", "USDA: no valid price")]
    (chain,) = told["chains"]
    assert (chain["indexed_block"], chain["blocks_behind"], chain["finalized_block"]) == (HEAD, 0, HEAD)
    assert [(each["job"], each["finished"]) for each in told["jobs"]] == [("accrue", "2026-04-23T12:00:00Z")]
    assert (told["last_backup"], told["blocked_epochs"], told["settled_epochs"]) == (None, [], 3)


def test_a_database_without_a_program_is_not_ready(tmp_path: Path) -> None:
    with open_state(tmp_path / "empty.db") as state:
        upgrade(state)
        with state.read() as connection, pytest.raises(Unavailable, match="start the worker"):
            Snapshot.of(connection)


def test_before_the_first_day_is_computed_every_report_has_an_answer(tmp_path: Path) -> None:
    with open_state(tmp_path / "new.db") as state:
        upgrade(state)
        pool_id = bind(state)
        with state.read() as connection:
            snapshot = Snapshot.of(connection)
            assert program(snapshot)["phase"] == "not_started"
            assert program(snapshot)["position"] == "before the start at 2026-04-20T00:00:00Z"
            assert statistics(snapshot)["usd"] == "0.000000"
            assert pool(snapshot, CHAIN, POOL)["days"] == []
            assert epochs(snapshot, ALL)["items"] == []
            assert status(snapshot)["chains"][0]["head_block"] is None
            assert tiers(snapshot)["as_of"] == []
        index(state, pool_id)
        with state.read() as connection, pytest.raises(NotFound, match="epoch 2 is not evaluated yet"):
            epoch(Snapshot.of(connection), 2)


def test_the_treasury_is_shown_as_excluded(snapshot: Snapshot) -> None:
    assert snapshot.excluded_now() == {TREASURY: "the treasury"}
