"""Every path answers in the shape that is described; addresses are taken in any case."""

import pytest

from loyalty.core.address import checksum
from tests.api.client import Client
from tests.reports.small_program import ALICE, BOB, CAROL, POOL, STRANGER

MOVING = (
    "program",
    "statistics",
    "tiers",
    "epochs",
    "epochs/2",
    "epochs/2/rewards",
    "epochs/2/rewards?token=ARB",
    "providers",
    "providers?sort=-usd&tier=Tier%202",
    f"providers/{BOB}",
    f"providers/{BOB}/daily",
    f"providers/{BOB}/daily?from=2026-04-21&to=2026-04-22",
    f"providers/{BOB}/rewards",
    f"providers/{CAROL}/positions",
    f"providers/{BOB}/explain?epoch=2",
    f"providers/{BOB}/explain?epoch=4",
    "pools",
    f"pools/1/{POOL}",
    f"pools/small/{POOL}",
    "status",
)


@pytest.mark.parametrize("path", MOVING)
def test_everything_that_moves_says_as_of_which_block_and_how_firm_it_is(client: Client, path: str) -> None:
    told = client.json(path)
    assert told["status"] in ("provisional", "computed", "settled")
    for place in told["as_of"]:
        assert place.keys() == {"chain", "block", "block_hash", "time"}
    assert told["as_of"]


def test_amounts_days_and_times_have_their_shapes(client: Client) -> None:
    day = client.json(f"providers/{BOB}/daily")["items"][0]
    assert day == {
        "date": "2026-04-20",
        "chain": 1,
        "pool": "0x2222222222222222222222222222222222222222",
        "usd_days": "2999.999999",
        "usd_days_in_range": "2999.999999",
        "status": "settled",
    }
    reward = client.json("epochs/2/rewards?token=USDA")["items"][1]
    assert reward == {
        "epoch": 2,
        "address": checksum(BOB),
        "token": "USDA",
        "amount": "10",
        "amount_units": "10000000",
        "weight": "5999.999998",
        "tier": "Tier 2",
        "multiplier": "2",
        "participation_epoch": 2,
        "status": "settled",
    }


def test_an_epoch_has_the_fields_that_others_rely_on(client: Client) -> None:
    epoch = client.json("epochs/2")
    relied_on = {"number", "start", "end", "status", "digest", "budget", "carried_in", "paid", "unallocated"}
    assert relied_on | {"providers", "usd_days", "reasons"} <= epoch.keys()
    assert (epoch["start"], epoch["end"]) == ("2026-04-21T00:00:00Z", "2026-04-22T00:00:00Z")
    assert epoch["budget"][0] == {"token": "ARB", "amount": "100", "amount_units": "100000000000000000000"}


def test_pages_follow_one_another(client: Client) -> None:
    first = client.json("providers?limit=3")
    rest = client.json(f"providers?limit=3&after={first['after']}")
    assert [len(first["items"]), len(rest["items"])] == [3, 1]
    assert rest["after"] is None
    assert rest["items"][0] == client.json("providers")["items"][3]


@pytest.mark.parametrize("written", [BOB, BOB.upper().replace("0X", "0x"), checksum(BOB)])
def test_an_address_is_taken_in_any_case(client: Client, written: str) -> None:
    assert client.json(f"providers/{written}")["address"] == checksum(BOB)


def test_a_wrong_checksum_is_told_as_one(client: Client) -> None:
    answer = client.get(f"/api/v1/providers/{checksum(BOB).replace('B', 'b', 1)}")
    assert answer.status_code == 422
    assert "wrong checksum (EIP-55)" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["stream", "yield/pools", "distributions"])
def test_what_comes_later_is_not_there_yet(client: Client, path: str) -> None:
    assert client.get(f"/api/v1/{path}").status_code == 404


def test_who_never_had_liquidity_is_not_found(client: Client) -> None:
    answer = client.get(f"/api/v1/providers/{STRANGER}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:loyalty:not_found")


def test_an_explanation_leads_from_the_reward_to_the_log(client: Client) -> None:
    told = client.json(f"providers/{ALICE}/explain?epoch=2")
    (day,) = told["days"]
    (position,) = day["positions"]
    assert position["liquidity"] == [
        {
            "from": "2026-04-21T00:00:00Z",
            "until": "2026-04-21T12:00:00Z",
            "liquidity": "500000000",
            "block": 2,
            "log_index": 1,
        }
    ]
    assert told["rewards"][0]["amount_units"] == client.json("epochs/2/rewards")["items"][0]["amount_units"]
