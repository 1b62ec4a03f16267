"""[[points]]: scores by the round and by the day, in parts that share a name, and what contradicts itself."""

from fractions import Fraction
from typing import Any

import pytest

from loyalty.core.address import Address, checksum
from loyalty.program.rules import PointsRule, PoolKey

V3 = Address("0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a")
VAULT, SHARES, YIELDS, NOWHERE = (Address("0x" + letter * 40) for letter in "1234")


@pytest.fixture
def scored(valid) -> Any:
    """The program with a vault with rounds whose shares are bridged, an ERC-4626 vault, and these tables of points."""

    def with_points(*points: dict[str, Any]) -> dict[str, Any]:
        document = valid()
        vault = {"chain": "arbitrum-one", "start_block": 1, "tokens": ["WBTC"]}
        bridged = [{"chain": "base", "address": SHARES, "start_block": 1}]
        document["chains"].append({"name": "base", "id": 8453, "rpc": ["https://base.example"]})
        document["pools"] += [
            vault | {"protocol": "stream_vault", "address": VAULT, "deployments": bridged},
            vault | {"protocol": "erc4626", "address": YIELDS},
        ]
        document["points"] = list(points)
        return document

    return with_points


def by_round(*pools: str, **more: Any) -> dict[str, Any]:
    return {"name": "droplets", "pools": list(pools), "per_usd_per_round": "1.5", **more}


def by_day(*pools: str, **more: Any) -> dict[str, Any]:
    return {"name": "droplets", "pools": list(pools), "per_usd_day": "0.25", **more}


def test_tables_of_one_name_are_one_score_with_a_rate_for_each_pool(load, scored):
    document = scored(by_round(VAULT), by_day(V3), by_day(YIELDS, per_usd_day="2"), by_day(V3, name="drops"))
    assert load(document).rules.points == (
        PointsRule(
            "droplets",
            {PoolKey(42161, VAULT): Fraction("1.5")},
            {PoolKey(42161, V3): Fraction("0.25"), PoolKey(42161, YIELDS): Fraction(2)},
            True,
            "in_range",
        ),
        PointsRule("drops", {}, {PoolKey(42161, V3): Fraction("0.25")}, True, "in_range"),
    )


def test_they_are_shown_as_one_table_a_rate(load, scored):
    document = scored(by_round(VAULT, require_no_unstake=False), by_day(V3, YIELDS, require_no_unstake=False))
    assert load(document).masked()["points"] == [
        {
            "name": "droplets",
            "pools": [checksum(VAULT)],
            "per_usd_per_round": "1.5",
            "require_no_unstake": False,
        },
        {
            "name": "droplets",
            "pools": [checksum(V3), checksum(YIELDS)],
            "per_usd_day": "0.25",
            "require_no_unstake": False,
        },
    ]


def test_a_pool_stands_once_in_a_score(refused, scored):
    assert refused(scored(by_day(V3), by_day(YIELDS, V3))) == (
        f'points[1].pools[1]: read "droplets", "{V3}" a second time; expected another than at points[0].pools[0]',
    )


def test_parts_agree_about_unstaking(refused, scored):
    assert refused(scored(by_round(VAULT), by_day(V3, require_no_unstake=False))) == (
        "points[1].require_no_unstake: read false; expected the same as at points[0].require_no_unstake: "
        'both are "droplets"',
    )


def test_rounds_are_a_vaults_alone(refused, scored):
    assert refused(scored(by_round(VAULT, YIELDS, V3))) == (
        "points[0].pools[1]: read a pool of erc4626, which has no rounds; expected per_usd_day for it: "
        "give it a table of its own",
        "points[0].pools[2]: read a pool of uniswap_v3, which has no rounds; expected per_usd_day for it: "
        "give it a table of its own",
    )
    assert refused(scored(by_day(VAULT))) == (
        "points[0].pools[0]: read a pool of stream_vault, which has rounds; expected per_usd_per_round for it: "
        "give it a table of its own",
    )


def test_bridged_shares_belong_to_their_vault(refused, scored):
    assert refused(scored(by_round(SHARES))) == (
        f"points[0].pools[0]: read {checksum(SHARES)}, shares that were bridged there; expected the vault's own "
        f"address: {checksum(VAULT)}",
    )


def test_a_pool_that_the_file_does_not_name_has_no_points(refused, scored):
    assert refused(scored(by_day(NOWHERE))) == (
        f"points[0].pools[0]: read {checksum(NOWHERE)}; expected the address of exactly one pool of the file",
    )


@pytest.mark.parametrize(
    ("rates", "read"), [({}, "none of them"), ({"per_usd_day": "1", "per_usd_per_round": "1"}, "")]
)
def test_a_table_has_one_rate(refused, scored, rates, read):
    (fault,) = refused(scored({"name": "droplets", "pools": [V3], **rates}))
    assert fault.startswith(f"points[0]: read {read}")
    assert fault.endswith("expected exactly one of per_usd_per_round, per_usd_day") or "per_usd_day" in fault
