"""What a wrong program file is told: the place, what was read, what is allowed; all faults at once."""

from datetime import date, datetime
from datetime import time as clock_time
from typing import Any

import pytest

from loyalty.config import load_settings

OTHER = "0x00000000000000000000000000000000000000bb"
TWO_TIERS = [{"from_epoch": 3, "multiplier": "1"}, {"from_epoch": 3, "multiplier": "2"}]
SHARE_OF_SHARE = {"token": "OP", "usd_share": {"of": "T", "fraction": "0.5"}}

FAULTS: list[tuple[dict[str, Any], str]] = [
    # shapes
    ({"program": 5}, "program: read 5; expected a table"),
    ({"program": None}, "program: read nothing; expected a table (the key is needed)"),
    ({"rewards": {}}, "rewards: read a table; expected a list of tables, [[rewards]]"),
    ({"rewards[0]": "ARB"}, 'rewards[0]: read "ARB"; expected a table'),
    ({"reward": []}, "reward: read an unknown key; expected rewards (the nearest known name)"),
    ({"pools[0].adress": "x"}, "pools[0].adress: read an unknown key; expected address (the nearest known name)"),
    ({"rewards[2].usd_share.zzz": 1}, "rewards[2].usd_share.zzz: read an unknown key; expected one of fraction, of"),
    ({"program.name": ""}, 'program.name: read ""; expected a text on one line'),
    ({"program.name": "a\nb"}, 'program.name: read "a\\nb"; expected a text on one line'),
    ({"program.name": None}, "program.name: read nothing; expected a text on one line (the key is needed)"),
    # time
    (
        {"program.start": "2024-09-09T12:00:00Z"},
        'program.start: read "2024-09-09T12:00:00Z"; expected a UTC midnight, such as 2024-09-09T00:00:00Z',
    ),
    (
        {"program.start": datetime(2024, 9, 9)},  # noqa: DTZ001
        "program.start: read 2024-09-09T00:00:00; expected a UTC midnight, such as 2024-09-09T00:00:00Z",
    ),
    (
        {"program.start": clock_time(1, 2)},
        "program.start: read 01:02:00; expected a UTC midnight, such as 2024-09-09T00:00:00Z",
    ),
    (
        {"program.start": date(1969, 1, 1)},
        "program.start: read 1969-01-01; expected a time from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z",
    ),
    ({"program.epochs": 0}, "program.epochs: read 0; expected a whole number from 1 to 10000"),
    ({"program.epochs": True}, "program.epochs: read true; expected a whole number from 1 to 10000"),
    ({"program.epochs": "3"}, 'program.epochs: read "3"; expected a whole number from 1 to 10000'),
    (
        {"program.epoch": "36h"},
        'program.epoch: read "36h"; expected a duration of one or more whole days, such as "7d"',
    ),
    (
        {"program.start": date(9999, 12, 20)},
        "program.epochs: read 3 epochs from 9999-12-20T00:00:00Z; expected an end before the year 10000",
    ),
    ({"program.count": "active"}, 'program.count: read "active"; expected one of "full", "in_range"'),
    (
        {"program.settle_after": 24},
        "program.settle_after: read 24; expected a duration of at least 0s, written as a whole number and "
        's, m, h, d or w, such as "24h"',
    ),
    (
        {"program.minimum_usd": "0.0000001"},
        'program.minimum_usd: read "0.0000001"; expected dollars as a plain decimal string of at most 6 decimals, '
        'such as "100"',
    ),
    (
        {"program.minimum_usd": 10**13},
        "program.minimum_usd: read 10000000000000; expected at most 9223372036854.775807 dollars",
    ),
    # budget
    (
        {"rewards[0].total": 0.25},
        "rewards[0].total: read 0.25 (a float); expected a decimal number written as a string, "
        'such as "0.25" (a float is not exact)',
    ),
    (
        {"rewards[0].total": "-1"},
        'rewards[0].total: read "-1"; expected an amount as a plain decimal string, such as "1250.5"',
    ),
    ({"rewards[0].total": "0.0"}, 'rewards[0].total: read "0.0"; expected an amount above 0'),
    (
        {"rewards[0].total": "0.0000000000000000001"},
        'rewards[0].total: read "0.0000000000000000001"; expected at most 18 decimals, which is what the token has',
    ),
    (
        {"rewards[0].total": "9" * 70},
        f'rewards[0].total: read "{"9" * 59}…"; expected an amount that a token contract can count '
        "(below 2**256 of the smallest unit)",
    ),
    (
        {"rewards[1].per_epoch": ["1", "2"]},
        "rewards[1].per_epoch: read a list of 2; expected one amount an epoch: program.epochs is 3",
    ),
    (
        {"rewards[1].per_epoch[1]": "0.25"},
        'rewards[1].per_epoch[1]: read "0.25"; expected at most 1 decimals, which is what the token has',
    ),
    ({"rewards[0].total": None}, "rewards[0]: read none of them; expected exactly one of total, per_epoch, usd_share"),
    (
        {"rewards[1].total": "1"},
        "rewards[1]: read total and per_epoch; expected exactly one of total, per_epoch, usd_share",
    ),
    ({"rewards[0].token": "ARV"}, 'rewards[0].token: read "ARV"; expected ARB (the nearest known name)'),
    (
        {"rewards[1].token": "ARB"},
        'rewards[1].token: read "ARB" a second time; expected another than at rewards[0].token',
    ),
    (
        {"rewards[2].usd_share.of": "T"},
        'rewards[2].usd_share.of: read "T"; expected another reward with total or per_epoch: ARB or OP',
    ),
    (
        {"rewards[1]": SHARE_OF_SHARE, "tokens[4].price": {"fixed": 1}},
        'rewards[1].usd_share.of: read "T"; expected another reward with total or per_epoch: ARB',
    ),
    (
        {"rewards[2].usd_share.fraction": "0"},
        'rewards[2].usd_share.fraction: read "0"; expected a decimal number above 0 and below 1000000 of at most '
        '18 decimals, such as "0.25"',
    ),
    ({"tiers": TWO_TIERS}, "tiers[1].from_epoch: read 3; expected more than the 3 of the tier before: tiers ascend"),
    ({"tiers[0].name": "Tier 2"}, 'tiers[1].name: read "Tier 2" a second time; expected another than at tiers[0].name'),
    (
        {"tiers[1].multiplier": "0"},
        'tiers[1].multiplier: read "0"; expected a decimal number above 0 and below 1000000 of at most 18 decimals, '
        'such as "1.2"',
    ),
    # chains
    (
        {"chains[0].name": "Arbitrum_One"},
        'chains[0].name: read "Arbitrum_One"; expected a chain\'s name: lower-case letters, digits and "-"',
    ),
    ({"chains[0].id": 0}, "chains[0].id: read 0; expected a whole number of at least 1"),
    (
        {"chains[1]": {"name": "base", "id": 42161, "rpc": ["http://b"]}},
        "chains[1].id: read 42161 a second time; expected another than at chains[0].id",
    ),
    (
        {"chains[1]": {"name": "arbitrum-one", "id": 8453, "rpc": ["http://b"]}},
        'chains[1].name: read "arbitrum-one" a second time; expected another than at chains[0].name',
    ),
    (
        {"chains[0].rpc": None},
        "chains[0].rpc: read nothing; expected an endpoint here or in LOYALTY_RPC_ARBITRUM_ONE: "
        "http://…, https://… or file:…",
    ),
    (
        {"chains[0].rpc[0]": "wss://rpc.example/k"},
        "chains[0].rpc[0]: read a URL that starts with wss:; expected http://…, https://… or file:…",
    ),
    (
        {"chains[0].position_managers[1]": {"address": "0xC36442b4a4522E871399CD717aBDD847Ab11FE88"}},
        'chains[0].position_managers[1].address: read "0xc36442b4a4522e871399cd717abdd847ab11fe88" a second time; '
        "expected another than at chains[0].position_managers[0].address",
    ),
    # tokens
    (
        {"tokens[1].symbol": "tBTC", "pools": []},
        'tokens[1].symbol: read "tBTC" a second time; expected another than at tokens[0].symbol',
    ),
    ({"tokens[0].decimals": 37}, "tokens[0].decimals: read 37; expected a whole number from 0 to 36"),
    ({"tokens[0].price_decimals": 19}, "tokens[0].price_decimals: read 19; expected a whole number from 0 to 18"),
    ({"tokens[0].chain": None}, "tokens[0].chain: read nothing; expected the name of the chain that the address is on"),
    (
        {"tokens[2].chain": "arbitrum-one"},
        "tokens[2].address: read nothing; expected the token's address on the chain; or leave out chain too",
    ),
    (
        {"tokens[0].chain": "arbitrum"},
        'tokens[0].chain: read "arbitrum"; expected arbitrum-one (the nearest known name)',
    ),
    (
        {"tokens[0].address": "0x6C84a8f1c29108F47a79964b5Fe888D4f4D0dE40"},
        'tokens[0].address: read "0x6C84a8f1c29108F47a79964b5Fe888D4f4D0dE40" with a wrong EIP-55 checksum '
        "(a letter was mistyped?); expected the right address; 0x6c84a8f1c29108F47a79964b5Fe888D4f4D0dE40 "
        "if only its upper and lower case is wrong",
    ),
    (
        {"tokens[4].price": {"coingecko": "optimism", "fixed": "1"}},
        "tokens[4].price: read coingecko and fixed; "
        "expected exactly one of chainlink, coingecko, defillama, pool, fixed, file",
    ),
    (
        {"tokens[4].price": []},
        'tokens[4].price: read a list of 0; expected a price such as { coingecko = "tbtc" }, or a list of them, '
        "tried in order",
    ),
    (
        {"tokens[4].price": {"fixed": "0.000012345678"}},
        'tokens[4].price.fixed: read "0.000012345678"; expected a price that price_decimals = 8 holds to one part in '
        "a million: set price_decimals = 11",
    ),
    ({"tokens[4].price": {"fixed": "0"}}, 'tokens[4].price.fixed: read "0"; expected a price above 0'),
    (
        {"tokens[1].price": None},
        'tokens[1].price: read nothing; expected a price source such as { coingecko = "…" }: pools[0] needs the price',
    ),
    (
        {"tokens[3].price": None},
        'tokens[3].price: read nothing; expected a price source such as { coingecko = "…" }: '
        "rewards[2].usd_share needs the price",
    ),
    # pools and dates
    ({"pools[0].chain": "base"}, 'pools[0].chain: read "base"; expected arbitrum-one'),
    (
        {"pools[0].protocol": "uniswap_v2"},
        'pools[0].protocol: read "uniswap_v2"; expected one of "uniswap_v3", "curve", "erc4626", "stream_vault"',
    ),
    (
        {"pools[0].tokens": ["tBTC", "tBTC"]},
        'pools[0].tokens: read ["tBTC", "tBTC"]; expected two different token symbols',
    ),
    ({"pools[0].tokens[1]": "tBCT"}, 'pools[0].tokens[1]: read "tBCT"; expected tBTC (the nearest known name)'),
    (
        {"pools[0].until": date(2024, 9, 10)},
        "pools[0].until: read 2024-09-10; expected a day after from = 2024-09-10",
    ),
    (
        {"pools[0].from": date(2024, 9, 30), "pools[0].until": None},
        "pools[0].from: read 2024-09-30; expected a day before the end of the program (2024-09-09 to 2024-09-30), "
        "or the pool never counts",
    ),
    (
        {"pools[0].until": date(2024, 9, 9), "pools[0].from": None},
        "pools[0].until: read 2024-09-09; expected a day after the start of the program (2024-09-09 to 2024-09-30), "
        "or the pool never counts",
    ),
    (
        {"pools[0].from": "2024-09-10T01:00:00Z"},
        'pools[0].from: read "2024-09-10T01:00:00Z"; expected a UTC midnight, such as 2024-09-10T00:00:00Z',
    ),
    ({"pools[0].start_block": -1}, "pools[0].start_block: read -1; expected a whole number of at least 0"),
    (
        {"exclusions[0].until": date(2024, 9, 9)},
        "exclusions[0].until: read 2024-09-09; expected a day after from = 2024-09-09",
    ),
    (
        {"exclusions[0].reason": None},
        "exclusions[0].reason: read nothing; expected a text on one line (the key is needed)",
    ),
]


@pytest.mark.parametrize(("changes", "fault"), FAULTS, ids=[fault.partition(";")[0] for _, fault in FAULTS])
def test_a_wrong_value_is_the_only_fault_and_told_in_full(refused, changed, changes, fault):
    assert refused(changed(**changes)) == (fault,)


def test_a_pool_may_stand_only_once(refused, valid):
    document = valid()
    document["pools"].append(
        dict(document["pools"][0], address=document["pools"][0]["address"].upper().replace("X", "x"))
    )
    assert refused(document) == (
        'pools[1].address: read "arbitrum-one", "0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a" a second time; '
        "expected another than at pools[0].address",
    )


def test_a_pools_token_lives_on_the_pools_chain(refused, changed):
    base = {"name": "base", "id": 8453, "rpc": ["http://b"]}
    assert refused(changed(**{"chains[1]": base, "tokens[1].chain": "base"})) == (
        'pools[0].tokens[0]: read "WBTC", a token of the chain base; '
        "expected a token of the pool's chain arbitrum-one",
    )


def test_all_faults_are_told_at_once_whatever_their_kind(refused, changed):
    faults = refused(
        changed(
            **{
                "program.epoch": "7",
                "rewards[0].totl": "1",
                "rewards[1].per_epoch": ["1"],
                "chains[0].rpc": ["ftp://x"],
                "tokens[0].address": "0x12",
                "pools[0].tokens[1]": "nope",
                "pools[0].weight": 1.5,
                "exclusions[0].until": "2024-09-09",
                "points": [{"name": "drops", "pools": [OTHER], "per_usd_day": "1"}],
            }
        )
    )
    assert sorted(fault.partition(":")[0] for fault in faults) == [
        "chains[0].rpc[0]",
        "exclusions[0].until",
        "points[0].pools[0]",
        "pools[0].tokens[1]",
        "pools[0].weight",
        "program.epoch",
        "rewards[0].totl",
        "rewards[1].per_epoch",
        "tokens[0].address",
    ]


def test_a_name_that_could_not_be_read_makes_no_faults_elsewhere(refused, changed):
    assert refused(changed(**{"tokens[0].symbol": 5, "chains[0].name": "A"})) == (
        'chains[0].name: read "A"; expected a chain\'s name: lower-case letters, digits and "-"',
        "tokens[0].symbol: read 5; expected a token's symbol without spaces",
    )


def test_endpoints_of_a_chain_that_the_file_does_not_name_are_a_fault(refused, valid):
    settings = load_settings({"LOYALTY_RPC_ARBITRUM": "https://a.example/key"}, None)
    assert refused(valid(), settings) == (
        "LOYALTY_RPC_ARBITRUM: read endpoints of a chain that the file does not name; "
        "expected LOYALTY_RPC_ARBITRUM_ONE (the nearest known name)",
    )


@pytest.mark.parametrize(
    "rpc",
    [
        "https://hunter2.example/hunter2",
        ["hunter2"],
        ["hunter2:hunter2@example.org/x"],
        ["https://"],
        ["https://h:hunter2/"],
        ["https://x/ hunter2"],
        ["file://hunter2/x"],
        ["https://[hunter2"],
        [{"url": "hunter2"}],
    ],
)
def test_no_fault_repeats_an_endpoint(refused, changed, rpc):
    faults = refused(changed(**{"chains[0].rpc": rpc}))
    assert "hunter2" not in "".join(faults)
    assert faults[0].startswith("chains[0].rpc")
