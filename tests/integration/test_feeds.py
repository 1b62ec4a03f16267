"""A feed's history from logs: the answers that count are what the proxy itself says, round by round."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from loyalty.chain.chain import open_chain
from loyalty.core.address import Address
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS
from loyalty.prices.chainlink import ChainlinkSource, FeedHistory
from loyalty.protocols.chainlink.adapter import read_answers
from loyalty.protocols.chainlink.contract import DECIMALS, LATEST_ROUND_DATA, PHASE_ID, phase_aggregator
from loyalty.protocols.chainlink.phases import OPEN_END, Phase, counting
from tests.integration.feed_scene import FeedPlay, FeedScene
from tests.integration.scene import GENESIS_TIME, START
from tools.evm.node import CHAIN_ID, Node


@pytest.fixture
def feed() -> Iterator[FeedScene]:
    with Node(GENESIS_TIME) as node:
        yield FeedScene.deploy(node)


def phases(feed: FeedScene) -> list[Phase]:
    """As the proxy names them, asked the way the engine asks."""
    count = PHASE_ID.decode(feed.node.call(feed.proxy, PHASE_ID.payload), feed.proxy)
    views = [phase_aggregator(number) for number in range(1, count + 1)]
    found = [view.decode(feed.node.call(feed.proxy, view.payload), feed.proxy) for view in views]
    return [Phase(aggregator, Span(0, OPEN_END)) for aggregator in found if aggregator is not None]


def answers(feed: FeedScene) -> list[OracleAnswer]:
    """All that count, from the node's logs."""

    async def over_http() -> list[OracleAnswer]:
        chain, end = open_chain("play", CHAIN_ID, [feed.node.url]), feed.node.header().number + 1
        try:
            return (await chain.read(read_answers(phases(feed), Span(0, end)), end)).result
        finally:
            await chain.close()

    return counting(phases(feed), asyncio.run(over_http()))


def play_a_day(feed: FeedScene, seed: int) -> None:
    """24 answers, and another aggregator from the 13th on."""
    play = FeedPlay(Random(seed), feed, 1_800, START + 12 * HOUR_SECONDS)
    for hour in range(START, START + 24 * HOUR_SECONDS, HOUR_SECONDS):
        play.answer(hour)


def by_round(feed: FeedScene, found: list[OracleAnswer]) -> dict[tuple[Address, int], tuple[int, int]]:
    """The last answer of each round of each aggregator."""
    return {(each.aggregator, each.round_id): (each.answer, each.updated_at) for each in found}


def test_what_the_logs_say_is_what_the_proxy_says(feed: FeedScene) -> None:
    play_a_day(feed, 5)
    feed.answer(0, START + 24 * HOUR_SECONDS, time=START + 24 * HOUR_SECONDS)
    feed.answer(-5, START + 25 * HOUR_SECONDS, time=START + 25 * HOUR_SECONDS)
    feed.correct(3, 7 * 10**10, START + 25 * HOUR_SECONDS + 5, time=START + 25 * HOUR_SECONDS + 7)
    found, aggregators = by_round(feed, answers(feed)), [phase.aggregator for phase in phases(feed)]
    assert aggregators == feed.aggregators
    said = {
        (aggregators[(each.round_id >> 64) - 1], each.round_id % 2**64): (each.answer, each.updated_at)
        for each in feed.rounds()
    }
    late = (aggregators[0], 13)  # answered after a later phase had answered: it does not count
    assert late in said
    assert found == {key: answer for key, answer in said.items() if key != late}
    assert {answer > 0 for answer, _ in found.values()} == {True, False}
    assert DECIMALS.decode(feed.node.call(feed.proxy, DECIMALS.payload), feed.proxy) == feed.decimals
    latest = LATEST_ROUND_DATA.decode(feed.node.call(feed.proxy, LATEST_ROUND_DATA.payload), feed.proxy)
    assert (latest.phase, latest.aggregator_round_id, latest.answer) == (2, 14, -5)


def test_the_price_of_each_hour_is_the_answer_then_in_force(feed: FeedScene) -> None:
    end = START + 24 * HOUR_SECONDS
    play_a_day(feed, 6)
    history = FeedHistory(answers(feed), feed.moments[-1].time)
    source = ChainlinkSource(lambda _: history, feed.decimals, 8, "ETHX", 2 * HOUR_SECONDS)
    points = source.points(Span(START, end), end)
    assert [point.valid_time for point in points] == list(range(START + HOUR_SECONDS, end, HOUR_SECONDS))
    for point in points:
        in_force = feed.answer_at(point.valid_time)
        assert in_force is not None
        assert point.price == in_force.answer


def test_a_new_aggregator_without_an_answer_leaves_the_proxy_without_one(feed: FeedScene) -> None:
    feed.answer(10**8, START, time=START)
    feed.add_aggregator()
    moment = feed.turn()
    assert (moment.phase, moment.latest) == (2, None)
    assert [each.answer for each in answers(feed)] == [10**8]
