"""The demo's recording read as any chain is, beside what the contracts themselves said while it was made.

truth.json is described in loyalty/demo/README.md: at five moments, owners and liquidity of all token ids and direct
ranges, prices of the pools, and counters of seconds in range.
"""

import asyncio
import gzip
import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loyalty.accrual.tick_math import in_range, sqrt_ratio_at_tick
from loyalty.chain.chain import open_chain
from loyalty.chain.recording_file import read_recording
from loyalty.config import load_program, load_settings
from loyalty.core.address import Address
from loyalty.core.facts import Fact, Swap
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, parse_time
from loyalty.protocols.uniswap_v3.adapter import SpanFacts, read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger

ROOT = Path(__file__).parent.parent.parent
RECORDING = ROOT / "loyalty/demo/recording.jsonl.gz"
PROGRAM = tomllib.loads((ROOT / "programs/demo-one-chain.toml").read_text())
TRUTH = json.loads((Path(__file__).parent / "truth.json").read_text())
MANAGER = Address(PROGRAM["chains"][0]["position_managers"][0]["address"].lower())
POOLS = [Address(pool) for pool in TRUTH["pools"]]
START = parse_time("2026-04-20T00:00:00Z")
WEEK = 604_800
MOMENTS = range(len(TRUTH["moments"]))


@cache
def facts() -> SpanFacts:
    """Everything in the recording, through the same path as from a node."""

    async def read() -> SpanFacts:
        chain = open_chain("demo", 31337, [f"file:{RECORDING}"])
        await chain.check()
        end = (await chain.head()).number + 1
        conversation = read_span(POOLS, {MANAGER: 0}, Ledger([MANAGER]), Span(0, end), with_swaps=True)
        return (await chain.read(conversation, end)).result

    return asyncio.run(read())


def ordered() -> list[Fact]:
    found: list[Fact] = [*facts().swaps, *facts().liquidity_changes, *facts().transfers]
    return sorted(found, key=lambda fact: (fact.block, fact.log_index))


class Book(NamedTuple):
    """The ledger after the block of a moment."""

    ledger: Ledger
    moment: dict[str, Any]


@pytest.fixture(params=MOMENTS, ids=lambda n: f"moment {n}")
def book(request: pytest.FixtureRequest) -> Book:
    moment = TRUTH["moments"][request.param]
    ledger = Ledger([MANAGER])
    for fact in ordered():
        if fact.block <= moment["block"]:
            ledger.apply(fact)
    return Book(ledger, moment)


def test_every_token_has_the_owner_and_liquidity_that_the_manager_says(book: Book) -> None:
    said = {
        (POOLS[pool], lower, upper, int(token_id)): (owner, int(liquidity))
        for token_id, (owner, liquidity) in book.moment["tokens"].items()
        for pool, lower, upper in [TRUTH["positions"][token_id]]
        if liquidity != "0"
    }
    found = {
        (pool, key.lower, key.upper, key.token.token_id): (key.owner, liquidity)
        for pool in POOLS
        for key, liquidity in book.ledger.positions(pool).items()
        if key.token is not None
    }
    assert found == said
    assert len(said) > 40


def test_every_direct_owner_has_the_liquidity_that_the_pool_says(book: Book) -> None:
    found = {
        (pool, key.owner, key.lower, key.upper): liquidity
        for pool in POOLS
        for key, liquidity in book.ledger.positions(pool).items()
        if key.token is None
    }
    assert found == {(pool, *rest): int(liquidity) for pool, *rest, liquidity in book.moment["direct"]}


def test_every_pool_has_the_price_and_liquidity_in_range_that_it_says(book: Book) -> None:
    for pool, (sqrt_price_x96, tick, liquidity) in zip(POOLS, book.moment["pools"], strict=True):
        price = book.ledger.price(pool)
        assert price is not None
        assert (price.sqrt_price_x96, price.tick) == (int(sqrt_price_x96), tick)
        assert book.ledger.in_range_liquidity(pool) == int(liquidity)


@pytest.mark.parametrize("number", MOMENTS[1:])
def test_seconds_in_range_between_two_moments_are_those_that_the_pool_counted(number: int) -> None:
    before, after = TRUTH["moments"][number - 1 : number + 1]
    counted = {(pool, lower, upper): seconds for pool, lower, upper, seconds in before["inside"]}
    lasting = _lasting(before, after)
    assert len(lasting) >= 25
    swaps = {pool: [swap for swap in facts().swaps if swap.pool == pool] for pool in POOLS}
    for pool, lower, upper, seconds in after["inside"]:
        if (pool, lower, upper) in lasting:
            expected = (seconds - counted[pool, lower, upper]) % 2**32
            assert _seconds_in_range(swaps[pool], lower, upper, Span(before["time"], after["time"])) == expected


def _lasting(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[Address, int, int]]:
    """Ranges in which one token had liquidity at both moments: no story empties a token and fills it again."""
    ranges = set()
    for token_id, (_, liquidity) in before["tokens"].items():
        if liquidity != "0" and after["tokens"].get(token_id, ["", "0"])[1] != "0":
            pool, lower, upper = TRUTH["positions"][token_id]
            ranges.add((POOLS[pool], lower, upper))
    return ranges


def _seconds_in_range(swaps: Sequence[Swap], lower: int, upper: int, span: Span) -> int:
    ends = [swap.time for swap in swaps[1:]] + [span.end]
    return sum(
        Span(swap.time, end).intersect(span).length
        for swap, end in zip(swaps, ends, strict=True)
        if in_range(swap.tick, lower, upper)
    )


def test_the_story_is_as_large_as_a_real_program() -> None:
    swaps = [swap for swap in facts().swaps if swap.liquidity is not None]
    owners = {t.recipient for t in facts().transfers} | {c.owner for c in facts().liquidity_changes if c.token is None}
    assert len(swaps) >= 20_000
    assert len(owners) >= 150
    assert {swap.pool for swap in swaps} == set(POOLS)


def test_the_story_holds_what_can_go_wrong() -> None:
    changes, transfers = facts().liquidity_changes, facts().transfers
    boundary_hits = [s for s in facts().swaps if s.sqrt_price_x96 == sqrt_ratio_at_tick(s.tick + 1)]
    minted = [c.transaction_hash for c in changes if c.liquidity_delta > 0]
    assert len(boundary_hits) > 20, "prices that end exactly on a boundary"
    assert len(minted) - len(set(minted)) > 5, "several mints in one transaction"
    assert [c for c in changes if c.owner == MANAGER and c.token is None], "forged liquidity of nobody's"
    assert [c for c in changes if c.owner != MANAGER], "direct owners"
    assert [t for t in transfers if int(t.sender, 16) and int(t.recipient, 16)], "gifts"
    assert [t for t in transfers if not int(t.recipient, 16)], "burned tokens"
    assert [c for c in changes if c.time < START], "liquidity from before the start"


def test_nobody_owns_the_forged_liquidity() -> None:
    forged = [c for c in facts().liquidity_changes if c.owner == MANAGER and c.token is None]
    assert [c.liquidity_delta for c in forged] == [10**9]
    assert {t.token.token_id for t in facts().transfers} == {int(token_id) for token_id in TRUTH["positions"]}


def test_facts_come_from_the_last_log_of_the_story_only_once() -> None:
    keys = [(fact.block, fact.log_index) for fact in ordered()]
    assert len(keys) == len(set(keys))


def test_the_recording_covers_the_program_and_the_settlement_of_its_last_week() -> None:
    _, blocks = read_recording(RECORDING)
    assert blocks.headers[0].time < START - 2 * WEEK
    assert blocks.headers[-1].time >= START + 30 * WEEK + 24 * HOUR_SECONDS + 900
    assert [header.number for header in blocks.headers] == list(range(len(blocks.headers)))


def test_the_program_file_names_what_is_recorded() -> None:
    known, _ = read_recording(RECORDING)
    tokens = {token["symbol"]: token for token in PROGRAM["tokens"]}
    assert [Address(pool["address"].lower()) for pool in PROGRAM["pools"]] == POOLS == [p.address for p in known.pools]
    for recorded in known.pools:
        for symbol, address, decimals in (
            (recorded.symbol0, recorded.token0, recorded.decimals0),
            (recorded.symbol1, recorded.token1, recorded.decimals1),
        ):
            assert symbol is not None
            assert (tokens[symbol]["address"].lower(), tokens[symbol]["decimals"]) == (address, decimals)


def test_the_program_file_is_read_without_a_fault_and_excludes_who_came_first() -> None:
    program = load_program(ROOT / "programs/demo-one-chain.toml", load_settings({}, None))
    assert (program.rules.start, program.rules.epochs) == (START, 30)
    assert [e.address for e in program.rules.exclusions] == [facts().transfers[0].recipient]


def test_the_program_file_starts_each_pool_at_its_creation_a_block_before_its_first_log() -> None:
    first = {swap.pool: swap.block - 1 for swap in reversed(facts().swaps)}
    assert {Address(pool["address"].lower()): pool["start_block"] for pool in PROGRAM["pools"]} == first


@pytest.mark.parametrize("symbol", ["WETH", "LOYAL"])
def test_prices_are_hourly_over_the_whole_program(symbol: str) -> None:
    lines = (ROOT / f"programs/demo-prices-{symbol.lower()}.csv").read_text().splitlines()
    times = [parse_time(line.split(",")[0]) for line in lines[1:]]
    assert lines[0] == "time,usd"
    assert times == list(range(START - 2 * HOUR_SECONDS, START + 30 * WEEK + 26 * HOUR_SECONDS + 1, HOUR_SECONDS))


def test_the_pools_follow_the_market() -> None:
    """Half of all swaps of WETH/USDC leave a price within half a percent of the hour's."""
    weth = PROGRAM["tokens"][0]["address"].lower()
    rows = (ROOT / "programs/demo-prices-weth.csv").read_text().splitlines()[1:]
    market = {parse_time(time): float(usd) for time, usd in (row.split(",") for row in rows)}
    known, _ = read_recording(RECORDING)
    flipped = known.pools[0].token0 != weth
    apart = []
    for swap in facts().swaps:
        if swap.pool == POOLS[0] and swap.time >= START:
            price = (swap.sqrt_price_x96 / 2**96) ** 2
            usd = 10**12 / price if flipped else price * 10**12
            apart.append(abs(usd / market[swap.time // HOUR_SECONDS * HOUR_SECONDS] - 1))
    assert sorted(apart)[len(apart) // 2] < 0.005


def test_all_of_it_is_small() -> None:
    files = [RECORDING, ROOT / "tests/demo/truth.json", *(ROOT / "programs").glob("demo*")]
    assert sum(file.stat().st_size for file in files) < 4_000_000
    assert gzip.decompress(RECORDING.read_bytes()).count(b"\n") > 10_000
