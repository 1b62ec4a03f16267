"""What a right program file is read as."""

import json
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from loyalty.config import (
    CoinGeckoPrice,
    DefiLlamaPrice,
    FilePrice,
    FixedPrice,
    Settings,
    load_program,
    load_settings,
)
from loyalty.core.errors import Invalid, InvalidFile
from loyalty.core.spans import Span
from loyalty.core.times import parse_day, parse_time
from loyalty.program.rules import Exclusion, PoolKey, PoolRule, Reward, Tier, UsdShare

CHECKOUT = Path(__file__).parents[2]
WBTC_TBTC = "0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a"


def test_every_key_arrives_exactly(load, valid):
    rules = load(valid()).rules
    assert (rules.name, rules.start, rules.epochs, rules.epoch_seconds) == ("Lending the river", 1725840000, 3, 604800)
    assert (rules.count, rules.on_lapse, rules.minimum_usd_micro, rules.settle_after) == (
        "in_range",
        "pause",
        12_500_000,
        5400,
    )
    assert rules.rewards == (
        Reward("ARB", 50_000 * 10**18, None, None),
        Reward("OP", None, (10, 5, 20), None),
        Reward("T", None, None, UsdShare("ARB", Fraction(1, 4))),
    )
    assert rules.tiers == (Tier("New", 1, Fraction(1), 0), Tier("Tier 2", 2, Fraction(5, 4), 100_000_000))
    assert rules.pools == (
        PoolRule(
            PoolKey(42161, WBTC_TBTC),
            ("WBTC", "tBTC"),
            Fraction(3, 2),
            parse_day("2024-09-10"),
            parse_day("2024-09-20"),
        ),
    )
    assert rules.exclusions == (
        Exclusion("0x" + "0" * 38 + "aa", "treasury", parse_day("2024-09-09"), parse_day("2024-09-16")),
    )


def test_prices_are_tagged_values_in_the_order_of_the_file(load, valid):
    tokens = {each.token.symbol: each for each in load(valid()).tokens}
    assert tokens["tBTC"].prices == (
        CoinGeckoPrice("tbtc"),
        FilePrice(Path("/programs/tbtc.csv")),
        FixedPrice(60_000_123_456),
    )
    assert tokens["WBTC"].prices == (FixedPrice(60_000 * 10**8),)
    assert tokens["OP"].prices == ()
    assert (tokens["ARB"].token.chain, tokens["ARB"].token.address, tokens["ARB"].token.key) == (0, None, "ARB")
    assert (tokens["tBTC"].token.max_age, tokens["WBTC"].token.max_age) == (26 * 3600, 2 * 3600)


def test_what_may_be_left_out_has_the_documented_default(load):
    program = load({"program": {"name": "x", "start": "2024-09-09"}})
    rules = program.rules
    assert (rules.epochs, rules.epoch_seconds, rules.count, rules.on_lapse) == (30, 604800, "full", "reset")
    assert (rules.minimum_usd_micro, rules.settle_after) == (0, 86400)
    assert [(t.name, t.from_epoch, str(t.multiplier), t.minimum_usd_micro) for t in rules.tiers] == [
        ("Tier 1", 1, "1", 0),
        ("Tier 2", 5, "6/5", 0),
        ("Tier 3", 13, "3/2", 0),
        ("Tier 4", 21, "2", 0),
    ]
    assert (rules.rewards, rules.pools, rules.exclusions, program.chains, program.tokens) == ((), (), (), (), ())


def test_an_empty_list_of_tiers_means_none(load, changed):
    assert load(changed(tiers=[])).rules.tiers == ()


@pytest.mark.parametrize(
    "start",
    [
        "2024-09-09",
        "2024-09-09T00:00:00Z",
        "2024-09-09T02:00:00+02:00",
        date(2024, 9, 9),
    ],
)
def test_a_time_may_be_written_as_a_date_or_a_string(load, changed, start):
    assert load(changed(**{"program.start": start})).rules.start == parse_time("2024-09-09T00:00:00Z")


@pytest.mark.parametrize("order", [["WBTC", "tBTC"], ["tBTC", "WBTC"]])
def test_the_tokens_of_a_pool_come_in_the_order_of_their_addresses(load, changed, order):
    program = load(changed(**{"pools[0].tokens": order}))
    assert program.pools[0].tokens == program.rules.pools[0].tokens == ("WBTC", "tBTC")


def test_without_addresses_the_files_order_of_tokens_stands(load, changed):
    left_out = {f"tokens[{n}].{key}": None for n in (0, 1) for key in ("chain", "address")}
    assert load(changed(**left_out, **{"pools[0].tokens": ["tBTC", "WBTC"]})).pools[0].tokens == ("tBTC", "WBTC")


def test_the_environment_replaces_the_endpoints_of_the_file(load, valid):
    settings = load_settings({"LOYALTY_RPC_ARBITRUM_ONE": "https://one.example/k1, https://two.example/k2"}, None)
    chain = load(valid(), settings).chains[0]
    assert [each.get_secret_value() for each in chain.endpoints] == ["https://one.example/k1", "https://two.example/k2"]
    assert (chain.endpoints_from, chain.base) == ("LOYALTY_RPC_ARBITRUM_ONE", Path.cwd())


def test_the_files_own_endpoints_are_relative_to_its_folder(load, valid):
    chain = load(valid()).chains[0]
    assert (chain.endpoints_from, chain.base) == ("the program file", Path("/programs"))


def test_a_chain_needs_no_endpoint_in_the_file_when_the_environment_has_one(load, changed):
    settings = load_settings({"LOYALTY_RPC_ARBITRUM_ONE": "file:/recordings/a.gz"}, None)
    assert len(load(changed(**{"chains[0].rpc": None}), settings).chains[0].endpoints) == 1


def test_masked_is_the_file_with_every_default_and_without_keys(load, valid):
    masked = load(valid()).masked()
    text = json.dumps(masked)
    assert "key" not in text
    assert masked["chains"][0]["rpc"] == ["https://rpc.example/…", "file:record.gz?speed=3600"]
    assert masked["program"]["end"] == "2024-09-30T00:00:00Z"
    assert masked["rewards"][1] == {"token": "OP", "per_epoch": ["1", "0.5", "2"]}
    assert masked["tokens"][1]["price_decimals"] == 8
    assert masked["tokens"][0]["price"][2] == {"fixed": "60000.123456"}
    assert masked["pools"][0]["weight"] == "1.5"
    assert masked["exclusions"][0]["until"] == "2024-09-16"


def test_no_writing_of_a_program_shows_an_endpoint_key(load, changed):
    program = load(changed(**{"chains[0].rpc": ["https://user:hunter2@rpc.example:8545/hunter3?k=hunter4"]}))
    assert "hunter" not in f"{program} {program!r} {program.chains[0].endpoints[0]} {program.masked()}"
    assert program.masked()["chains"][0]["rpc"] == ["https://…@rpc.example:8545/…"]


def test_a_key_in_the_host_name_is_masked_too(load, changed):
    program = load(changed(**{"chains[0].rpc": ["https://abcdef0123456789abcd.quick.example"]}))
    assert program.masked()["chains"][0]["rpc"] == ["https://….quick.example"]


def test_the_real_program_of_the_repository_loads_without_any_environment(settings: Settings):
    program = load_program(CHECKOUT / "programs/arbitrum-tbtc.toml", settings)
    rules = program.rules
    assert Span(rules.start, rules.end) == Span(parse_time("2024-09-09"), parse_time("2025-04-07"))
    assert rules.rewards == (
        Reward("ARB", 50_000 * 10**18, None, None),
        Reward("T", None, None, UsdShare("ARB", Fraction(1, 4))),
    )
    assert [(pool.address, pool.start_block, pool.tokens) for pool in program.pools] == [
        (WBTC_TBTC, 91124443, ("WBTC", "tBTC")),
        ("0xcb198a55e2a88841e855be4eacaad99422416b33", 91123769, ("tBTC", "WETH")),
        ("0x186cf879186986a20aadfb7ead50e3c20cb26cec", 223607824, ("WBTC", "tBTC")),
    ]
    assert {each.token.symbol: each.prices[0] for each in program.tokens} == {
        "tBTC": CoinGeckoPrice("tbtc"),
        "WBTC": CoinGeckoPrice("wrapped-bitcoin"),
        "WETH": CoinGeckoPrice("ethereum"),
        "ARB": CoinGeckoPrice("arbitrum"),
        "T": CoinGeckoPrice("threshold-network-token"),
    }
    assert program.tokens[0].prices[1:] == (DefiLlamaPrice("arbitrum:0x6c84a8f1c29108F47a79964b5Fe888D4f4D0dE40"),)
    assert all(isinstance(each.prices[1], DefiLlamaPrice) for each in program.tokens)
    assert program.chains[0].endpoints_from == "the program file"


def test_a_syntax_error_is_told_with_line_and_column(tmp_path, settings):
    path = tmp_path / "bad.toml"
    path.write_text('[program]\nname = "x"\nstart = = 3\n')
    with pytest.raises(InvalidFile, match=r"bad\.toml has 1 fault:\n  - line 3, column 9: not TOML: Invalid value"):
        load_program(path, settings)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = [", "end of the file: not TOML"),
        (b"a = 1\na = 2\n", "line 2, column 6: not TOML"),
        (b'name = "\xff"', "byte 8: not UTF-8"),
        (b"a = " + b"9" * 5000, "not TOML"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(tmp_path, settings, content, told):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=told):
        load_program(path, settings)


def test_a_file_that_nests_deeper_than_the_parser_reads_is_told(tmp_path, settings):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)  # other tests of the same process may have raised it
    try:
        path = tmp_path / "bad.toml"
        path.write_bytes(b"a = " + b"[" * 5_000)
        with pytest.raises(InvalidFile, match="nested too deeply"):
            load_program(path, settings)
    finally:
        sys.setrecursionlimit(before)


def test_a_missing_file_and_a_folder_are_told_with_what_to_do(tmp_path, settings):
    with pytest.raises(Invalid, match=r"there is no program file .*none\.toml: set LOYALTY_PROGRAM"):
        load_program(tmp_path / "none.toml", settings)
    with pytest.raises(Invalid, match="make it a readable file"):
        load_program(tmp_path, settings)
