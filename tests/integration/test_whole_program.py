"""A program of all kinds of pools on two chains: the dollars of each are what its contracts' views make."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, day_of
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import days, points, pools
from loyalty.state.days import DailyCell
from tests.integration.scene import START
from tests.integration.two_chains import two_chains
from tests.integration.whole_checks import check_away, check_home
from tests.integration.whole_oracle import Cells, by_the_file, expected_cells
from tests.integration.whole_scene import LIQUIDITY_RATE, WholeScene

END = START + 3 * DAY_SECONDS


@pytest.fixture
def played(tmp_path: Path) -> Iterator[WholeScene]:
    with two_chains(tmp_path) as chains:
        scene = WholeScene.deploy(chains, seed=1)
        scene.play_days(steps=40)
        scene.finish(END + 7_200)
        yield scene


def catch_up(engine: Engine) -> list[DailyCell]:
    for chain in engine.program.chains:
        engine.index(chain.id)
        while engine.ask_shares(chain.id):
            pass
    engine.price()
    engine.accrue()
    engine.settle()
    with engine.state.read() as connection:
        return days.cells(connection, Span(day_of(START), day_of(END)))


def check_facts(scene: WholeScene, engine: Engine) -> None:
    """At a hundred random blocks of both chains."""
    sides = ((scene.chains.home, check_home), (scene.chains.away, check_away))
    blocks = [(check_block, block) for side, check_block in sides for block in range(side.node.header().number + 1)]
    with engine.state.read() as connection:
        for check_block, block in Random(9).sample(blocks, 100):
            check_block(scene, connection, block)


def check(found: Cells, expected: Cells, tolerance: int = 0) -> None:
    """The same providers and days, and micro-dollar-days that differ by what is rounded on the way at most."""
    assert found.keys() == expected.keys()
    assert all(abs(units - expected[key]) <= tolerance for key, units in found.items())


def test_pools_without_look_through_belong_to_whoever_holds_of_them(played: WholeScene) -> None:
    expected = expected_cells(played, START, END, by_the_file, through=False)
    with played.chains.engine(played.program_of(played.pool_tables())) as engine:
        cells = catch_up(engine)
        check_facts(played, engine)
        checked = verify(engine.state)
    assert (checked.faults, len(checked.digests)) == ((), 3)
    uniswap, curve = played.holders.scene.pool.address, played.curve_pool.pool
    vaults = played.vaults.vault.address, played.vaults.shares.address, played.vaults.yields.address
    full: dict[Address, Cells] = {pool: {} for pool in expected.full}
    in_range: Cells = {}
    for cell in cells:
        full[cell.pool][cell.day, cell.provider] = cell.usd_micro_days
        if cell.pool == uniswap and cell.usd_micro_days_in_range:
            in_range[cell.day, cell.provider] = cell.usd_micro_days_in_range
    for pool in (uniswap, *vaults):
        check(full[pool], expected.full[pool])
    check(in_range, expected.in_range[uniswap])
    check(full[curve], expected.full[curve], tolerance=2)


def test_what_contracts_hold_belongs_to_whoever_stands_behind_them(played: WholeScene) -> None:
    """The same two chains, looked through every contract, and points for the dollar-days that so come about."""
    expected = expected_cells(played, START, END, by_the_file)
    with played.chains.engine(played.program(third='{ file = "one.csv" }')) as engine:
        cells = catch_up(engine)
        engine.score()
        checked = verify(engine.state)
        check_points(played, engine, cells)
    assert (checked.faults, len(checked.digests)) == ((), 3)
    for pool, wanted in expected.full.items():
        check_near({(each.day, each.provider): each.usd_micro_days for each in cells if each.pool == pool}, wanted)
    for pool, wanted in expected.in_range.items():
        found = {(each.day, each.provider): each.usd_micro_days_in_range for each in cells if each.pool == pool}
        check_near(found, wanted)


def check_near(found: Cells, expected: Cells) -> None:
    """Parts that came through several contracts are rounded once each."""
    for key in found.keys() | expected.keys():
        assert abs(found.get(key, 0) - expected.get(key, 0)) <= 4, key


def check_points(scene: WholeScene, engine: Engine, cells: list[DailyCell]) -> None:
    """Every cell of liquidity at its rate, but for what nobody stands behind."""
    contracts = {scene.holders.staker, scene.holders.user_staker, *scene.holders.share_contracts}
    pools_of = {scene.holders.scene.pool.address, scene.curve_pool.pool}
    wanted = {
        (each.pool, each.day, each.provider): int(each.usd_micro_days * Fraction(LIQUIDITY_RATE))
        for each in cells
        if each.pool in pools_of and each.provider not in contracts
    }
    with engine.state.read() as connection:
        found = {
            (pool.address, number, line.provider): line.points_micro
            for pool in pools.all_pools(connection, scene.chains.home.id)
            if pool.address in pools_of
            for (_, number), period in points.periods(connection, pool.id, "day").items()
            for line in points.lines(connection, period)
        }
    assert any(each.provider in contracts for each in cells)
    assert found == wanted
