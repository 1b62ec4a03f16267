"""Points over two real nodes, against an oracle that knows what the contracts said and docs/points.md says."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from loyalty.config import load_settings
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import days, points, pools, rounds
from tests.integration import points_oracle as oracle
from tests.integration.scene import START, catch_up
from tests.integration.two_chains import two_chains
from tests.integration.vault_scene import DAY_RATE, ROUND_RATE, VaultScene
from tests.integration.vault_views import DECIMALS

DAYS = 3
END = START + DAYS * DAY_SECONDS
Lines = dict[int, list[tuple[str, int, str]]]
"""By round or day: address, micro-points, why none."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultScene]:
    with two_chains(tmp_path_factory.mktemp("points")) as chains:
        played = VaultScene.deploy(chains, seed=11)
        played.play_days(DAYS)
        chains.finish(chains.now + 2 * HOUR_SECONDS)
        yield played


def engine_of(scene: VaultScene, folder: Path, *tables: str) -> Engine:
    settings = load_settings(scene.chains.variables(scene.program(*tables), folder / "loyalty.db"), None)
    return Engine.open(settings)


def sheets(scene: VaultScene) -> list[oracle.RoundSheet]:
    """The rounds that begin within the program."""
    found = oracle.round_sheets(
        scene.vault.starts,
        scene.vault.moments,
        [scene.shares.moments],
        decimals=DECIMALS,
        nobodys=scene.nobodys,
    )
    return [sheet for sheet in found if START <= sheet.time < END]


def rows_of(rows: list[oracle.Row]) -> Lines:
    found: Lines = {}
    for row in rows:
        found.setdefault(row.number, []).append((row.address, row.micro_points, row.why_none))
    return found


def stored(engine: Engine, address: str, period: points.Period) -> Lines:
    with engine.state.read() as connection:
        (pool_id,) = [row.id for row in pools.all_pools(connection) if row.address == address]
        return {
            number: [(each.provider, each.points_micro, each.reason or "") for each in points.lines(connection, row)]
            for (_, number), row in points.periods(connection, pool_id, period).items()
        }


def test_every_line_is_what_the_oracle_says(scene: VaultScene, tmp_path: Path) -> None:
    with engine_of(scene, tmp_path) as engine, engine.lock():
        engine.prepare()
        catch_up(engine)
        told = verify(engine.state)
        by_round, by_day = stored(engine, scene.vault.address, "round"), stored(engine, scene.yields.address, "day")
        with engine.state.read() as connection:
            held = {
                (c.day, c.provider): c.usd_micro_days
                for c in days.cells(connection, Span(day_of(START), day_of(END)))
                if c.pool == scene.yields.address
            }
            periods = points.periods(connection, 1, "round")
            begun = rounds.of_pool(connection, 1)
    assert not told.faults
    expected = [
        row
        for sheet in sheets(scene)
        for row in oracle.round_rows(sheet, Fraction(1), Fraction(ROUND_RATE), decimals=DECIMALS) or []
    ]
    assert by_round == rows_of(expected)
    assert len(by_round) >= DAYS
    assert told.point_lines > len(by_round)
    assert any(why == "unstaked" for lines in by_round.values() for _, _, why in lines)
    assert by_day == rows_of(oracle.day_rows(held, Fraction(DAY_RATE)))
    assert [periods["droplets", number].status for number in sorted(by_round)] == ["closed"] * (len(by_round) - 1) + [
        "open"
    ]
    assert {row.round: row.in_flight_shares for row in begun.values()} == {s.round: s.in_flight for s in sheets(scene)}
