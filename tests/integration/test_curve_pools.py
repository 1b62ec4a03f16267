"""Curve pools and gauges: shares and holdings are what the contracts say at every block, and dollars what they make."""

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from loyalty.api.models.explain import Explanation
from loyalty.api.models.pools import PoolWithDays
from loyalty.api.models.providers import Positions
from loyalty.core.address import ZERO_ADDRESS, Address, checksum
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from loyalty.jobs.followers.curve import fold
from loyalty.jobs.price import used_spans
from loyalty.jobs.verify import verify
from loyalty.program.explanation_text import lines
from loyalty.program.rules import PoolKey
from loyalty.reports import pools
from loyalty.reports.explain import explained, explanation
from loyalty.reports.paging import Cut
from loyalty.reports.positions import positions
from loyalty.reports.snapshot import Snapshot
from loyalty.service import Engine
from loyalty.state import balances, days, epochs, share_pools
from tests.integration import curve_scene as curve
from tests.integration.curve_scene import COINS, CurveScene, Moment, Venue, deploy, ng_amounts
from tests.integration.scene import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    DAVE,
    MALLORY,
    START,
    TRADER,
    Scene,
    catch_up,
    environment,
    everything,
    hourly_price,
    open_engine,
)
from tools.evm.uniswap import DEPLOYER

DAY, HOUR = DAY_SECONDS, HOUR_SECONDS
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def played(scene: Scene) -> CurveScene:
    """Three days: deposits of every kind, stakes and unstakes, exchanges, donations, tokens sent astray."""
    told = deploy(scene)
    ng, old = told.ng, told.old
    send = told.send
    # Before the start.
    send(ALICE, ng.pool, curve.NG_ADD, ng_amounts(50_000), 0, ALICE)
    send(BOB, old.pool, curve.OLD_ADD, [20_000 * 10**6, 30_000 * 10**18], 0)
    send(ALICE, ng.gauge, curve.DEPOSIT, told.balance(ng.lp_token, ALICE) // 3, ALICE)
    scene.mint(DAVE, -6_000, 6_000, 10_000)
    told.pass_time(START)
    # The first day.
    send(BOB, ng.pool, curve.NG_ADD, [7_000 * 10**6, 0, 3 * 10**8], 0, CAROL, time=START + HOUR)
    send(TRADER, ng.pool, curve.NG_EXCHANGE, 0, 2, 900 * 10**6, 0, TRADER, time=START + HOUR + 1_234)
    send(BOB, old.gauge, curve.DEPOSIT, 9_999 * 10**18, MALLORY, time=START + 3 * HOUR)
    send(CAROL, ng.gauge, curve.DEPOSIT, told.balance(ng.lp_token, CAROL), CAROL)
    send(ALICE, ng.gauge, curve.TRANSFER, DAVE, 777 * 10**18, time=START + 8 * HOUR + 7)
    told.send_all(  # in and out within one block
        (DAVE, old.pool, curve.OLD_ADD([10**6, 10**18], 0)),
        (TRADER, old.pool, curve.OLD_EXCHANGE(1, 0, 500 * 10**18, 0)),
        (BOB, old.pool, curve.OLD_REMOVE(10**18, [0, 0])),
        time=START + 15 * HOUR,
    )
    send(TRADER, told.coins[1], curve.TRANSFER, ng.pool, 1_000 * 10**18, time=START + 20 * HOUR)  # a donation
    # The second day.
    send(ALICE, ng.lp_token, curve.TRANSFER, ng.gauge, 10**18, time=START + DAY + HOUR)  # no deposit: nobody's
    send(ALICE, ng.lp_token, curve.TRANSFER, ZERO_ADDRESS, 10**18)  # not burned
    send(ALICE, ng.lp_token, curve.TRANSFER, ng.pool, 5 * 10**18)
    send(CAROL, ng.gauge, curve.WITHDRAW, told.balance(ng.gauge, CAROL) // 2, time=START + DAY + 5 * HOUR)
    send(CAROL, ng.pool, curve.NG_REMOVE_ONE, told.balance(ng.lp_token, CAROL) // 3, 2, 0, CAROL)
    send(ALICE, ng.pool, curve.NG_REMOVE_IMBALANCE, [10**9, 0, 10**6], 10**30, ALICE, time=START + DAY + 9 * HOUR)
    send(BOB, old.pool, curve.OLD_REMOVE_ONE, 3_000 * 10**18, 1, 0, time=START + DAY + 10 * HOUR + 59)
    send(MALLORY, old.gauge, curve.WITHDRAW, 9_999 * 10**18, time=START + DAY + 11 * HOUR)
    send(DEPLOYER, ng.pool, curve.NG_FEES, time=START + DAY + 13 * HOUR)
    send(CAROL, ng.pool, curve.NG_REMOVE, told.balance(ng.lp_token, CAROL), [0, 0, 0], CAROL, False)
    # The third day passes without a log.
    told.pass_time(START + 2 * DAY)
    told.pass_time(START + 3 * DAY)
    told.pass_time(START + 3 * DAY + 2 * HOUR)
    for _ in range(6):
        scene.node.mine()
    return told


def check_facts(told: CurveScene, engine: Engine) -> int:
    """Every balance, supply and holding that follows from the stored facts is what the contracts said at each block."""
    with engine.state.read() as connection:
        stored = {each.pool.address: each for each in share_pools.all_on(connection, CHAIN_ID)}
        for moment in told.moments:
            for venue in told.venues:
                ledger = fold(connection, [stored[venue.pool]], moment.block + 1)
                assert ledger.shares(venue.lp_token).supply == moment.supply[venue.pool]
                assert tuple(ledger.holdings(venue.pool).values()) == moment.holdings[venue.pool]
                for token in venue.shares:
                    found = ledger.shares(token).balances()
                    if venue.lp_token == token == venue.pool:  # what was sent to the zero address stands here
                        astray = found.get(token, 0) - moment.balances[token].get(token, 0)
                        assert astray in (0, 10**18)
                        found[token] = found.get(token, 0) - astray
                    assert {holder: units for holder, units in found.items() if units} == moment.balances[token]
    return len(told.moments)


def expected_days(told: CurveScene, venue: Venue) -> dict[tuple[int, Address], Fraction]:
    """Micro-dollar-days by the views alone: from block to block and hour to hour everything stands still."""
    found: dict[tuple[int, Address], Fraction] = {}
    for moment, until in _stretches(told.moments):
        supply = moment.supply[venue.pool]
        if not supply or moment.time < START or moment.time >= START + 3 * DAY:
            continue
        value = _value(venue, moment)
        for holder, units in _units(venue, moment).items():
            earned = Fraction(units) * value * 10**6 * (until - moment.time) / supply / DAY
            key = day_of(moment.time), holder
            found[key] = found.get(key, Fraction(0)) + earned
    return found


def _stretches(moments: list[Moment]) -> Iterator[tuple[Moment, int]]:
    for moment, after in pairwise(moments):
        hours = range(moment.time - moment.time % HOUR + HOUR, after.time, HOUR)
        cuts = [moment.time, *hours, after.time]
        yield from ((moment._replace(time=start), end) for start, end in pairwise(cuts))


def _value(venue: Venue, moment: Moment) -> Fraction:
    prices = [Fraction(1), Fraction(1), Fraction(hourly_price(moment.time))]
    held = zip(venue.coins, moment.holdings[venue.pool], strict=True)
    return sum((units * prices[n] / 10 ** COINS[n][1] for n, units in held), Fraction(0))


def _units(venue: Venue, moment: Moment) -> dict[Address, int]:
    """LP tokens in the hand and one for each gauge token, of people."""
    in_hand, staked = (moment.balances[token] for token in venue.shares)
    return {holder: units for holder in curve.PEOPLE if (units := in_hand.get(holder, 0) + staked.get(holder, 0))}


def check_days(told: CurveScene, engine: Engine) -> None:
    """Each cell differs from what the views say by what is rounded: less than three micro-dollar-days."""
    with engine.state.read() as connection:
        cells = days.cells(connection, Span(day_of(START), day_of(START) + 3))
    for venue in told.venues:
        found = {(cell.day, cell.provider): cell for cell in cells if cell.pool == venue.pool}
        expected = expected_days(told, venue)
        assert found.keys() == expected.keys()
        for key, cell in found.items():
            assert abs(cell.usd_micro_days - expected[key]) < 3
            assert cell.usd_micro_days_in_range == cell.usd_micro_days


def check_rewards(engine: Engine) -> None:
    """The three epochs are settled, and each one's budget is paid to the last unit."""
    with engine.state.read() as connection:
        rows = epochs.all_epochs(connection)
        assert [row.status for row in rows] == ["settled"] * 3
        paid = [
            sum(each.units for each in epochs.rewards(connection, row.number) if each.token == "PAY") for row in rows
        ]
    assert sum(paid) == 1_000 * 10**18


def check_balances(told: CurveScene, engine: Engine) -> None:
    """What everyone has at the program's end: its part of the coins at the last prices, floored once."""
    last = told.moments[-1]._replace(time=START + 3 * DAY - 1)
    with engine.state.read() as connection:
        rows = balances.balances(connection)
    for venue in told.venues:
        value, supply = _value(venue, last), last.supply[venue.pool]
        expected = {holder: int(units * value * 10**6 / supply) for holder, units in _units(venue, last).items()}
        found = {each.provider: (each.usd_micro, each.usd_micro_in_range) for each in rows if each.pool == venue.pool}
        assert found == {holder: (usd_micro, usd_micro) for holder, usd_micro in expected.items()}


def check_told(told: CurveScene, engine: Engine) -> None:
    """What the API tells of a holder: its cells from their parts, and what it holds in its hands and in gauges."""
    with engine.state.read() as connection:
        snapshot = Snapshot.of(connection)
        explained_to_alice = explained(snapshot, ALICE, 1)
        Explanation.model_validate(explanation(snapshot, ALICE, 1))
        held = Positions.model_validate(positions(snapshot, ALICE, Cut(100, None))).items
        pool = PoolWithDays.model_validate(pools.pool(snapshot, CHAIN_ID, told.ng.pool))
    (day,) = (each for each in explained_to_alice.days if each.pool == PoolKey(CHAIN_ID, told.ng.pool))
    assert day.detail is not None
    direct, staked = day.detail.positions
    assert direct.position == f"LP tokens {checksum(told.ng.lp_token)}"
    assert staked.position == f"staked in gauge {checksum(told.ng.gauge)}"
    assert [span.liquidity for span in staked.spans] == [part(told, 0), part(told, 0) - 777 * 10**18]
    assert {price.token for price in day.detail.prices} == {"USDX", "DAIX", "ETHX"}
    assert any(f"  {staked.position}: about" in line for line in lines(explained_to_alice))
    last = told.moments[-1]
    in_pools = {(each.kind, each.share_token, int(each.liquidity)) for each in held}
    assert in_pools == {
        ("shares", checksum(told.ng.lp_token), last.balances[told.ng.lp_token][ALICE]),
        ("staked", checksum(told.ng.gauge), last.balances[told.ng.gauge][ALICE]),
    }
    assert pool.tokens == ["USDX", "DAIX", "ETHX"]


def part(told: CurveScene, day: int) -> int:
    """What Alice had in the gauge when a day of the program began."""
    at_start = next(moment for moment in told.moments if moment.time == START + day * DAY)
    return at_start.balances[told.ng.gauge][ALICE]


def test_curve_pools_and_gauges_are_counted_as_their_contracts_say(played: CurveScene) -> None:
    program = played.program()
    with played.scene.engine(program=program) as engine:
        catch_up(engine)
        assert check_facts(played, engine) > 20
        check_days(played, engine)
        check_rewards(engine)
        check_balances(played, engine)
        check_told(played, engine)
        checked = verify(engine.state)
        assert checked.faults == ()
        assert len(checked.digests) == 3
        with engine.state.read() as connection:
            used = used_spans(connection, engine.rules, "ETHX")  # no first or second coin of any pool
        assert Span(START, START + DAY) in used


def test_an_index_that_is_killed_again_and_again_ends_with_the_same(played: CurveScene) -> None:
    program = played.program()
    with played.scene.engine("whole.db", program=program) as engine:
        catch_up(engine)
        whole = everything(engine.state)
    database = played.scene.folder / "killed.db"
    steps = [played.start_block + 9, played.moments[4].block, played.moments[11].block, played.moments[-3].block]
    for block in steps:
        _index_and_kill(played, program, database, block)
    with open_engine(program, database, played.scene.node.url) as engine:
        engine.prepare()
        catch_up(engine)
        assert everything(engine.state) == whole
        check_facts(played, engine)


def _index_and_kill(told: CurveScene, program: Path, database: Path, block: int) -> None:
    """A process that indexes up to a block, killed in the middle of what it does once it has said that it indexes."""
    command = [sys.executable, "-m", "loyalty", "index", "--until", str(block)]
    variables = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(CHECKOUT),
        "LOYALTY_LOG_LEVEL": "debug",
        **environment(program, database, told.scene.node.url),
    }
    with subprocess.Popen(
        command, cwd=told.scene.folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "indexed" in line:
                process.kill()
                break
        else:
            raise AssertionError(f"it ended by itself: {''.join(said)[-2_000:]}")
