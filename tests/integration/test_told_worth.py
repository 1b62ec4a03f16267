"""LP tokens by virtual price on a real node: what the contract said at each full hour, as far as the holdings agree."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from loyalty.jobs.verify import verify
from loyalty.reports.explain import explained
from loyalty.reports.snapshot import Snapshot
from loyalty.service import Engine
from loyalty.state import days, epochs
from tests.integration import curve_scene as curve
from tests.integration.curve_scene import CurveScene, deploy, ng_amounts
from tests.integration.scene import ALICE, BOB, CAROL, GENESIS_TIME, MALLORY, START, TRADER, catch_up, play
from tools.evm.functions import function
from tools.evm.node import Node

DAY, HOUR = DAY_SECONDS, HOUR_SECONDS
VIRTUAL_PRICE = function("get_virtual_price", results=["uint256"])
FIRST_SHARE = START + HOUR + 600


@pytest.fixture
def told(tmp_path: Path) -> Iterator[CurveScene]:
    """The old pool has its first share within an hour of the first day; a node that keeps old states."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", "2")) as node:
        scene = deploy(play(node, tmp_path))
        old = scene.old
        scene.pass_time(START)
        scene.send(BOB, old.pool, curve.OLD_ADD, [20_000 * 10**6, 30_000 * 10**18], 0, time=FIRST_SHARE)
        scene.send(BOB, old.gauge, curve.DEPOSIT, 9_999 * 10**18, MALLORY, time=START + 3 * HOUR)
        scene.send(ALICE, scene.ng.pool, curve.NG_ADD, ng_amounts(50_000), 0, ALICE, time=START + 4 * HOUR)
        for hour in range(5, 47, 3):
            swap = (curve.OLD_EXCHANGE, 0, 1, 4_000 * 10**6, 0) if hour % 2 else (curve.OLD_EXCHANGE, 1, 0, 10**21, 0)
            scene.send(TRADER, old.pool, swap[0], *swap[1:], time=START + hour * HOUR + 77 * hour)
        scene.send(BOB, old.lp_token, curve.TRANSFER, CAROL, 10**21, time=START + DAY + 23 * HOUR)
        scene.pass_time(START + 2 * DAY)
        scene.pass_time(START + 2 * DAY + 3 * HOUR)
        for _ in range(6):
            node.mine()
        yield scene


def program_of(told: CurveScene, value: str) -> Path:
    """A node that keeps old states also knows where a pool was not deployed yet."""
    told.start_block = max(_created(told, venue.pool) for venue in told.venues)
    path = told.program()
    marked = f'lp_token = "{told.old.lp_token}"\n'
    path.write_text(
        path.read_text()
        .replace(marked, f'{marked}value = "{value}"\n')
        .replace('value = "holdings"\n', 'value = "peg:USDX"\n')
    )
    return path


def _created(told: CurveScene, contract: Address) -> int:
    blocks = range(told.scene.node.header().number)
    return next(block for block in blocks if told.scene.node.rpc("eth_getCode", contract, hex(block)) != "0x")


def expected(told: CurveScene) -> dict[tuple[int, Address], int]:
    """Of the old pool, whose coins are a dollar each: LP tokens times what the contract says at the last block of each
    full hour; before the second hour of the first day what it says then."""
    node, found = told.scene.node, {}
    headers = [node.header(number) for number in range(node.header().number + 1)]
    earned: dict[tuple[int, Address], Fraction] = {}
    hours = range(START, START + 2 * DAY + 1, HOUR)
    blocks = {hour: max(header.number for header in headers if header.time <= hour) for hour in hours}
    price = {
        hour: int(VIRTUAL_PRICE.answer(node.call(told.old.pool, VIRTUAL_PRICE(), block))[0])
        for hour, block in blocks.items()
        if hour >= FIRST_SHARE
    }
    price[START + HOUR] = price[START + 2 * HOUR]
    for moment, after in pairwise(told.moments):
        cuts = [moment.time, *(hour for hour in hours if moment.time < hour < after.time), after.time]
        for start, end in pairwise(cuts):
            if not FIRST_SHARE <= start < START + 2 * DAY:
                continue
            in_hand, staked = (moment.balances[token] for token in told.old.shares)
            for holder in curve.PEOPLE:
                units = in_hand.get(holder, 0) + staked.get(holder, 0)
                dollars = Fraction(units * price[start // HOUR * HOUR], 10**36)
                key = day_of(start), holder
                earned[key] = earned.get(key, Fraction(0)) + dollars * (end - start) * 10**6 / DAY
    for key, value in earned.items():
        if int(value):
            found[key] = int(value)
    return found


def test_an_lp_token_is_worth_its_virtual_price_and_who_staked_it_has_that(told: CurveScene) -> None:
    with told.scene.engine(program=program_of(told, "virtual_price")) as engine:
        catch_up(engine)
        with engine.state.read() as connection:
            cells = days.cells(connection, Span(day_of(START), day_of(START) + 2))
        found = {(cell.day, cell.provider): cell.usd_micro_days for cell in cells if cell.pool == told.old.pool}
        wanted = expected(told)
        assert found.keys() == wanted.keys()
        assert all(abs(found[key] - wanted[key]) <= 1 for key in found)  # a gauge's cell is floored, then divided
        assert not verify(engine.state).faults
        check_explained(told, engine)


def check_explained(told: CurveScene, engine: Engine) -> None:
    """The whole second day names the contract's answer of each of its hours, and the block of each."""
    with engine.state.read() as connection:
        told_days = explained(Snapshot.of(connection), BOB, 2).days
    (day,) = (each for each in told_days if each.day == day_of(START) + 1 and each.pool.address == told.old.pool)
    assert day.detail is not None
    assert [each.valid_time for each in day.detail.share_worth] == [*range(START + DAY, START + 2 * DAY, HOUR)]
    for each in day.detail.share_worth:
        (said,) = VIRTUAL_PRICE.answer(told.scene.node.call(told.old.pool, VIRTUAL_PRICE(), each.block))
        assert (each.told, each.value, each.decimals, each.unit, each.log_index) == (
            *("virtual price", said),
            *(18, None, None),
        )


def test_a_pool_that_has_lost_its_peg_is_unpriced_and_says_so(told: CurveScene) -> None:
    """The other pool's coins are worth a dollar, a dollar and 1,500 or more: no virtual price holds for them."""
    with told.scene.engine(program=program_of(told, "peg:DAIX")) as engine:
        catch_up(engine)
        with engine.state.read() as connection:
            states = days.all_states(connection, Span(day_of(START), day_of(START) + 1))
            reasons = epochs.all_epochs(connection)[0].reasons
    (unpriced,) = (state for state in states if state.status == "unpriced")
    assert unpriced.reason is not None
    assert unpriced.reason.startswith("virtual price: at 2023-11-15T04:00:00Z it is 0.99")
    assert unpriced.reason.endswith("of the holdings away from them, and max_deviation is 0.02")
    assert any("virtual price" in reason for reason in reasons)
