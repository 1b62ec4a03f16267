"""Everything at once: two chains, killed and restarted on the way, against the contracts' own numbers and oracles."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from loyalty.core.address import Address
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import points, pools
from loyalty.state.days import DailyCell
from tests.integration.points_oracle import Excluded, Row
from tests.integration.scene import CAROL
from tests.integration.test_whole_program import END, START, catch_up, check_facts, check_near
from tests.integration.two_chains import quoted, table, two_chains
from tests.integration.whole_oracle import Cells, by_the_feed, expected_cells, expected_points
from tests.integration.whole_scene import WholeScene

Line = tuple[int, str, int, str]
"""Round or day, provider, micro-points, and why none."""
PERIODS: tuple[points.Period, ...] = ("round", "day")


@pytest.fixture
def played(tmp_path: Path) -> Iterator[WholeScene]:
    with two_chains(tmp_path) as chains:
        scene = WholeScene.deploy(chains, seed=2)
        scene.play_days(steps=40)
        scene.finish(END + 7_200)
        yield scene


def kill_on_the_way(scene: WholeScene, program: Path, database: str) -> None:
    """Four processes at random blocks of either chain, each killed while it goes on."""
    random = Random(11)
    for side in (scene.chains.home, scene.chains.away) * 2:
        scene.chains.index_and_kill(program, database, side, random.randrange(side.node.header().number // 2))


def test_a_program_over_two_chains_is_what_its_contracts_say(played: WholeScene) -> None:
    excluded = table("exclusions", address=quoted(CAROL), reason=quoted("one of us"))
    program = played.program(excluded)
    kill_on_the_way(played, program, "everything.db")
    with played.chains.engine(program, "everything.db") as engine:
        found = catch_up(engine)
        engine.score()
        check_facts(played, engine)
        checked = verify(engine.state)
        told = points_of(engine)
    assert (checked.faults, len(checked.digests)) == ((), 3)
    expected = expected_cells(played, START, END, by_the_feed(played))
    for pool, wanted in expected.full.items():
        check_near({(each.day, each.provider): each.usd_micro_days for each in found if each.pool == pool}, wanted)
    wanted_points = expected_points(played, cells_of_people(played, found), (Excluded(CAROL),))
    first = min(start.round for start in played.vaults.vault.starts if start.time >= START)
    for score, rows in wanted_points.items():
        counted = [row for row in rows if score != "droplets" or row.number >= first]
        assert told[score] == sorted(map(line_of, counted))
        assert any(row.why_none == "excluded" for row in counted)


def cells_of_people(scene: WholeScene, found: list[DailyCell]) -> dict[Address, Cells]:
    """By pool, without what is left with contracts that are looked through."""
    contracts = {scene.holders.staker, scene.holders.user_staker, *scene.holders.share_contracts}
    by_pool: dict[Address, Cells] = {}
    for each in found:
        if each.provider not in contracts:
            by_pool.setdefault(each.pool, {})[each.day, each.provider] = each.usd_micro_days
    return by_pool


def line_of(row: Row) -> Line:
    return row.number, row.address, row.micro_points, row.why_none


def points_of(engine: Engine) -> dict[str, list[Line]]:
    """Every stored line of each score."""
    found: dict[str, list[Line]] = {}
    with engine.state.read() as connection:
        for pool in pools.all_pools(connection):
            for period in PERIODS:
                for (score, number), row in points.periods(connection, pool.id, period).items():
                    lines = points.lines(connection, row)
                    told = [(number, each.provider, each.points_micro, each.reason or "") for each in lines]
                    found.setdefault(score, []).extend(told)
    return {score: sorted(lines) for score, lines in found.items()}
