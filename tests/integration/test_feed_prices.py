"""Prices from a feed and from a pool on a real node, through the whole engine: restarts, phases, zeros and reorgs."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.times import HOUR_SECONDS
from loyalty.service import Engine
from loyalty.state import epochs, feeds, followed_contracts, price_refusals, prices, program_config, tokens
from tests.integration.feed_scene import FeedPlay, FeedScene
from tests.integration.scene import ALICE, CHAIN_ID, GENESIS_TIME, START, Scene, catch_up, open_engine, play
from tools.evm.node import Node, Transaction
from tools.evm.uniswap import DEPLOYER

HOURS = 26
TURN = START + 12 * HOUR_SECONDS


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Scene]:
    """A node on which the newest forty blocks are not final."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", "20")) as node:
        yield play(node, tmp_path)


def with_price(scene: Scene, price: str, more: str = "") -> Path:
    """The scene's program with another price of ONE."""
    path = scene.program()
    text = path.read_text()
    path.write_text(text.replace('price = { file = "one.csv" }', f"price = {price}\n{more}"))
    return path


def pass_blocks(scene: Scene, count: int = 6) -> None:
    """So many empty blocks: what was before is final then."""
    for _ in range(count):
        scene.node.mine([], scene.now + 12)


def play_feed(scene: Scene, hours: int = HOURS) -> FeedScene:
    """An answer an hour from four hours before the start on; in the 13th hour another aggregator takes over."""
    feed = FeedScene.deploy(scene.node)
    playing = FeedPlay(Random(3), feed, 1_800, TURN)
    for hour in range(START - 3 * HOUR_SECONDS, START + hours * HOUR_SECONDS, HOUR_SECONDS):
        if hour > scene.now:
            playing.answer(hour)
    pass_blocks(scene)
    return feed


def points(engine: Engine, symbol: str = "ONE") -> list[PricePoint]:
    with engine.state.read() as connection:
        return prices.points(connection, tokens.ids(connection)[symbol])


def told(engine: Engine, symbol: str = "ONE") -> list[price_refusals.StoredRefusal]:
    with engine.state.read() as connection:
        return price_refusals.of_token(connection, tokens.ids(connection)[symbol])


def same_as_the_proxy(engine: Engine, feed: FeedScene) -> None:
    """Each stored point is the answer then in force by the proxy's own getRoundData."""
    for point in points(engine):
        in_force = feed.answer_at(point.valid_time)
        assert in_force is not None
        assert (point.price, point.source) == (in_force.answer, "chainlink")


def test_the_prices_are_the_proxys_own_over_a_change_of_phase_and_a_day_is_priced_by_them(scene: Scene) -> None:
    scene.mint(ALICE, -300, 300, 5_000)
    feed = play_feed(scene)
    program = with_price(scene, feed.source())
    with scene.engine(program=program) as engine:
        catch_up(engine)
        same_as_the_proxy(engine, feed)
        times = [point.valid_time for point in points(engine)]
        assert times == list(range(times[0], START + HOURS * HOUR_SECONDS, HOUR_SECONDS))
        assert times[0] == START
        with engine.state.read() as connection:
            (contract,) = followed_contracts.on_chain(connection, CHAIN_ID, "chainlink")
            phases = feeds.phases(connection, contract.id)
            assert epochs.settled_count(connection) == 1
        assert [phase.aggregator for phase in phases] == feed.aggregators
        assert phases[0].blocks.end < phases[1].blocks.end


def test_steps_restarts_and_a_live_change_of_phase_give_the_same_points(scene: Scene) -> None:
    scene.mint(ALICE, -300, 300, 5_000)
    feed = FeedScene.deploy(scene.node)
    playing = FeedPlay(Random(4), feed, 1_800, TURN)
    program = with_price(scene, "PRICE")
    program.write_text(program.read_text().replace("PRICE", feed.source()))
    playing.answer(START - HOUR_SECONDS)
    for hour in range(START, START + HOURS * HOUR_SECONDS, HOUR_SECONDS):
        playing.answer(hour)
        if hour % (3 * HOUR_SECONDS) == 0:
            with scene.engine("live.db", program=program) as engine:
                catch_up(engine)
    pass_blocks(scene)
    with scene.engine("live.db", program=program) as live, scene.engine("late.db", program=program) as late:
        catch_up(live)
        catch_up(late)
        same_as_the_proxy(live, feed)
        assert [point[:3] for point in points(live)] == [point[:3] for point in points(late)]
        assert len(points(late)) >= HOURS


def test_an_answer_of_zero_prices_nothing_and_says_so(scene: Scene) -> None:
    feed = FeedScene.deploy(scene.node)
    feed.answer(1_800 * 10**8, START - 600, time=START - 590)
    feed.answer(0, START + 2 * HOUR_SECONDS - 60, time=START + 2 * HOUR_SECONDS - 50)
    feed.answer(-7, START + 3 * HOUR_SECONDS - 60, time=START + 3 * HOUR_SECONDS - 50)
    feed.answer(1_900 * 10**8, START + 4 * HOUR_SECONDS - 60, time=START + 4 * HOUR_SECONDS - 50)
    scene.node.mine([], START + 5 * HOUR_SECONDS + 60)
    pass_blocks(scene)
    with scene.engine(program=with_price(scene, f'[{feed.source()}, {{ fixed = "5" }}]')) as engine:
        catch_up(engine)
        catch_up(engine)
        by_hour = {(p.valid_time - START) // HOUR_SECONDS: (p.source, p.price) for p in points(engine)}
        assert {hour: by_hour[hour] for hour in range(6)} == {
            0: ("chainlink", 1_800 * 10**8),
            1: ("chainlink", 1_800 * 10**8),
            2: ("fixed", 5 * 10**8),
            3: ("fixed", 5 * 10**8),
            4: ("chainlink", 1_900 * 10**8),
            5: ("chainlink", 1_900 * 10**8),
        }
        refused = {(each.valid_time - START) // HOUR_SECONDS: each for each in told(engine)}
        assert refused[2].reason == "no_price"
        assert "answered 0" in refused[2].detail
        assert "answered -7" in refused[3].detail
        assert not {0, 1, 4, 5} & refused.keys()


def test_nothing_beyond_what_is_final_is_priced_and_a_reorg_takes_back_what_was_not(slow: Scene) -> None:
    feed = FeedScene.deploy(slow.node)
    feed.answer(1_800 * 10**8, START - 600, time=START - 590)
    pass_blocks(slow, 44)
    program = with_price(slow, feed.source())
    with slow.engine(program=program) as engine:
        snapshot = slow.node.snapshot()
        feed.answer(1_850 * 10**8, START + 60, time=START + 70)
        old = feed.add_aggregator()
        feed.turn()
        feed.answer(1_860 * 10**8, START + HOUR_SECONDS - 60, time=START + HOUR_SECONDS - 50)
        slow.node.mine([], START + HOUR_SECONDS + 10)
        catch_up(engine)
        assert all(point.valid_time <= START for point in points(engine))
        slow.node.revert(snapshot)
        feed.aggregators.pop()
        slow.node.mine([Transaction(DEPLOYER, DEPLOYER, b"")], START + 20)
        feed.answer(1_700 * 10**8, START + HOUR_SECONDS - 90, time=START + HOUR_SECONDS - 80)
        new = feed.add_aggregator()
        feed.turn()
        feed.answer(1_710 * 10**8, START + 2 * HOUR_SECONDS - 90, time=START + 2 * HOUR_SECONDS - 80)
        slow.node.mine([], START + 3 * HOUR_SECONDS)
        pass_blocks(slow, 44)
        catch_up(engine)
        same_as_the_proxy(engine, feed)
        found = {point.valid_time: point.price for point in points(engine)}
        assert found[START + HOUR_SECONDS] == 1_700 * 10**8
        assert found[START + 2 * HOUR_SECONDS] == 1_710 * 10**8
        with engine.state.read() as connection:
            (contract,) = followed_contracts.on_chain(connection, CHAIN_ID, "chainlink")
            assert [phase.aggregator for phase in feeds.phases(connection, contract.id)] == [feed.aggregators[0], new]
        assert old != new


def test_a_source_that_is_added_later_is_followed_from_the_next_start_on(scene: Scene) -> None:
    scene.mint(ALICE, -300, 300, 5_000)
    with scene.engine() as engine:
        catch_up(engine)
    feed = play_feed(scene, hours=3)
    with scene.engine(program=with_price(scene, f'[{feed.source()}, {{ file = "one.csv" }}]')) as engine:
        catch_up(engine)
        with engine.state.read() as connection:
            (contract,) = followed_contracts.on_chain(connection, CHAIN_ID, "chainlink")
        assert contract.next_block > contract.start_block


def test_what_is_no_feed_is_refused_with_its_place(scene: Scene) -> None:
    program = with_price(scene, f'{{ chainlink = "{scene.pool.address}" }}')
    with (
        open_engine(program, scene.folder / "loyalty.db", scene.node.url) as engine,
        pytest.raises(Invalid, match=r"tokens\[ONE\]\.price\.chainlink 0x.*no Chainlink proxy"),
    ):
        engine.prepare()


def test_a_pool_prices_its_token_where_the_operator_allows_it(scene: Scene) -> None:
    scene.mint(ALICE, -300, 300, 5_000)
    scene.swap(100, time=START - HOUR_SECONDS + 7)
    scene.swap(-50, time=START + HOUR_SECONDS - 900)
    scene.node.mine([], START + 2 * HOUR_SECONDS + 60)
    pass_blocks(scene)
    price = f'{{ pool = "{scene.pool.address}", allow_rewarded = true }}'
    with scene.engine(program=with_price(scene, price)) as engine:
        catch_up(engine)
        found = {(point.valid_time - START) // HOUR_SECONDS: point for point in points(engine)}
        assert {found[hour].source for hour in range(3)} == {"pool"}
        dollars = {hour: found[hour].price / 10**8 for hour in range(3)}
        one_is_token0 = scene.middle < 0
        ticks = {0: 100, 1: 25, 2: -50} if one_is_token0 else {0: -100, 1: -25, 2: 50}
        for hour, tick in ticks.items():
            expected = 1.0001 ** (-201_360 + tick) * 10**12
            assert dollars[hour] == pytest.approx(expected, rel=2e-4)


def test_a_pool_that_rests_on_itself_or_on_nothing_is_refused(scene: Scene) -> None:
    price = f'{{ pool = "{scene.pool.address}", allow_rewarded = true }}'
    program = with_price(scene, price)
    text = program.read_text()
    program.write_text(text.replace('price = { fixed = "1" }', f"price = [{price}]", 1))
    with (
        open_engine(program, scene.folder / "loyalty.db", scene.node.url) as engine,
        pytest.raises(Invalid, match="would rest on itself"),
    ):
        engine.prepare()
    with open_engine(program, scene.folder / "loyalty.db", scene.node.url) as engine, engine.state.read() as connection:
        assert program_config.latest(connection) is None  # nothing of the file was kept


def test_a_recording_holds_what_the_sources_need(scene: Scene, tmp_path: Path) -> None:
    scene.mint(ALICE, -300, 300, 5_000)
    feed = play_feed(scene, hours=14)
    program = with_price(scene, feed.source())
    with scene.engine(program=program) as engine:
        catch_up(engine)
        engine.record(tmp_path / "played.jsonl")
        expected = points(engine)
        last = max(point.valid_time for point in expected)
    recorded = f"file:{tmp_path / 'played.jsonl'}"
    with scene.engine("replayed.db", program=program, rpc=recorded) as engine:
        catch_up(engine)
        assert [point[:3] for point in points(engine)] == [point[:3] for point in expected]
        with engine.state.read() as connection:
            (contract,) = followed_contracts.on_chain(connection, CHAIN_ID, "chainlink")
            phases = feeds.phases(connection, contract.id)
        assert [phase.aggregator for phase in phases] == feed.aggregators
    assert last >= START + 12 * HOUR_SECONDS
