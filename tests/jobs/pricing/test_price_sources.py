"""The program file's price settings become sources, in its order, held as the file says; chains are waited for."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import httpx

from loyalty.config import (
    ChainlinkPrice,
    CoinGeckoPrice,
    DefiLlamaPrice,
    FilePrice,
    FixedPrice,
    PriceSetting,
    Program,
    TokenSettings,
)
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS
from loyalty.jobs.price import price
from loyalty.jobs.pricing.price_sources import Asking, PriceSources, price_sources
from loyalty.prices.merged import Merged
from loyalty.program.rules import Token
from loyalty.protocols.chainlink.phases import OPEN_END, Phase
from loyalty.state import StateTransaction, blocks, chains, cursors, feeds, followed_contracts, prices, tokens
from tests.jobs.stage import CHAIN, NOW, START, Stage, at, block_of

PROXY, AGGREGATOR = Address("0x" + "fe" * 20), Address("0x" + "a9" * 20)


def sources_of(stage: Stage, settings: tuple[PriceSetting, ...], token: Token | None = None) -> PriceSources:
    each = TokenSettings(token or stage.rules.tokens["B"], settings, Fraction(1, 50), (FixedPrice(10**8),))
    program = Program(stage.rules, (), (), (each,), (), Path("program.toml"))
    with httpx.Client() as client:
        return price_sources(stage.state, program, Asking(client, None, lambda seconds: None, Merged()))


def test_each_setting_becomes_its_source_in_the_order_of_the_file(stage: Stage, tmp_path: Path) -> None:
    stage.set_up()
    settings = (
        CoinGeckoPrice("wrapped-bitcoin"),
        DefiLlamaPrice("arbitrum:0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"),
        FilePrice(tmp_path / "prices.csv"),
        FixedPrice(100_000_000),
    )
    found = sources_of(stage, settings)
    assert [source.name for source in found.by_token["B"]] == ["coingecko", "defillama", "file", "fixed"]
    limit = found.held["B"].limit
    assert limit is not None
    assert limit.ppm == 20_000
    assert [source.name for source in limit.references] == ["coingecko", "defillama", "file", "fixed", "fixed"]
    assert all(any(source is each for each in limit.references) for source in found.by_token["B"])
    assert found.held["B"].known_until is None


def test_a_token_without_a_price_has_no_source(stage: Stage) -> None:
    stage.set_up()
    assert sources_of(stage, ()).by_token == {"B": []}


def test_while_a_feed_is_not_followed_yet_nobody_stands_in_for_it(stage: Stage) -> None:
    stage.set_up(fixed="A")
    found = sources_of(stage, (ChainlinkPrice(PROXY), FixedPrice(5)), on_the_chain(stage))
    assert [source.name for source in found.by_token["B"]] == ["fixed"]
    assert found.held["B"].known_until == 0
    price(stage.state, stage.rules, found.by_token, NOW, None, found.held)
    assert points(stage) == []


def test_a_feeds_hours_are_asked_up_to_the_last_final_block_that_is_indexed(stage: Stage) -> None:
    stage.set_up(fixed="A")
    follow(stage, block_of(START - 60), [(START - 30, 7 * 10**7), (at("0d 02:00") - 5, 8 * 10**7)])
    stage.seen(at("0d 01:30"))
    settings = (ChainlinkPrice(PROXY), FixedPrice(5 * 10**7))
    token = on_the_chain(stage)
    ask(stage, settings, token)
    assert points(stage)[-2:] == [(START, 7 * 10**7, "chainlink"), (START + HOUR_SECONDS, 7 * 10**7, "chainlink")]
    stage.head(at("0d 03:30"))  # indexed, but not final
    ask(stage, settings, token)
    assert points(stage)[-1][0] == START + HOUR_SECONDS
    stage.seen(at("0d 03:30") + 1)
    ask(stage, settings, token)
    assert points(stage)[-1] == (at("0d 03:00"), 8 * 10**7, "chainlink")


def test_where_the_feeds_cursor_lags_only_what_it_has_passed_is_asked(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.seen(at("0d 05:00"))
    follow(stage, block_of(START - 60), [(START - 30, 7 * 10**7)])
    token = on_the_chain(stage)
    assert sources_of(stage, (ChainlinkPrice(PROXY),), token).held["B"].known_until == 0
    with StateTransaction(stage.state) as connection:
        (cursor,) = [each for each in cursors.all_on(connection, CHAIN) if each.kind == "chainlink"]
        last = block_of(at("0d 02:10"))
        cursors.advance(connection, cursor, last + 1)
        blocks.add(connection, CHAIN, [(Header(last, "0x" + "9" * 64, "", at("0d 02:10")), 0)])
    assert sources_of(stage, (ChainlinkPrice(PROXY),), token).held["B"].known_until == at("0d 02:10")


def test_a_rewind_opens_the_bounds_that_forgotten_answers_drew(stage: Stage) -> None:
    stage.set_up()
    follow(stage, 10, [])
    other = Address("0x" + "b9" * 20)
    with StateTransaction(stage.state) as connection:
        (contract,) = followed_contracts.on_chain(connection, CHAIN, "chainlink")
        bounds = [Phase(AGGREGATOR, Span(10, 51)), Phase(other, Span(10, 71)), Phase(AGGREGATOR, Span(65, OPEN_END))]
        feeds.set_phases(connection, contract.id, bounds)
        feeds.forget_above(connection, CHAIN, 60)
        assert feeds.phases(connection, contract.id) == [
            Phase(AGGREGATOR, Span(10, 51)),
            Phase(other, Span(10, OPEN_END)),
        ]
        assert chains.get(connection, CHAIN).id == CHAIN


def on_the_chain(stage: Stage) -> Token:
    """B as a token that is priced on the chain."""
    return replace(stage.rules.tokens["B"], chain=CHAIN)


def follow(stage: Stage, start_block: int, answers: list[tuple[int, int]]) -> None:
    """A feed of one aggregator with 8 decimals that gave these answers (time, answer)."""
    told = [
        OracleAnswer(AGGREGATOR, block_of(time), 1, time, number, answer, time, b"\3" * 32)
        for number, (time, answer) in enumerate(answers, 1)
    ]
    with StateTransaction(stage.state) as connection:
        contract = followed_contracts.ensure(
            connection, CHAIN, "chainlink", PROXY, start_block, None, '{"decimals": 8}'
        )
        feeds.set_phases(connection, contract.id, [Phase(AGGREGATOR, Span(start_block, OPEN_END))])
        assert feeds.insert(connection, CHAIN, told) == told
        assert feeds.insert(connection, CHAIN, told) == []


def ask(stage: Stage, settings: tuple[PriceSetting, ...], token: Token) -> None:
    each = TokenSettings(token, settings)
    program = Program(stage.rules, (), (), (each,), (), Path("program.toml"))
    with httpx.Client() as client:
        found = price_sources(stage.state, program, Asking(client, None, lambda seconds: None, Merged()))
        price(stage.state, stage.rules, found.by_token, NOW, None, found.held)


def points(stage: Stage) -> list[tuple[int, int, str]]:
    with stage.state.read() as connection:
        return [point[:3] for point in prices.points(connection, tokens.ids(connection)["B"])]
