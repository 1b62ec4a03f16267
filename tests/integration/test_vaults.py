"""Vaults on two real nodes: what the engine counts is what the contracts' own views say, from block to block."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from loyalty.config import load_settings
from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import days
from tests.integration.scene import START, catch_up
from tests.integration.two_chains import two_chains
from tests.integration.vault_scene import VaultScene

DAYS = 3
MICRO = 10**6


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultScene]:
    with two_chains(tmp_path_factory.mktemp("vaults")) as chains:
        played = VaultScene.deploy(chains, seed=3)
        played.play_days(DAYS)
        chains.finish(chains.now + 2 * HOUR_SECONDS)
        yield played


def engine_of(scene: VaultScene, folder: Path) -> Engine:
    program = scene.program()
    return Engine.open(load_settings(scene.chains.variables(program, folder / "loyalty.db"), None))


def cells(engine: Engine) -> dict[tuple[Address, Address, int], int]:
    with engine.state.read() as connection:
        found = days.cells(connection, Span(day_of(START), day_of(START) + DAYS))
    assert all(cell.usd_micro_days == cell.usd_micro_days_in_range for cell in found)
    return {(cell.pool, cell.provider, cell.day): cell.usd_micro_days for cell in found}


def test_every_cell_is_what_the_views_say(scene: VaultScene, tmp_path: Path) -> None:
    with engine_of(scene, tmp_path) as engine, engine.lock():
        engine.prepare()
        catch_up(engine)
        found = cells(engine)
        told = verify(engine.state)
    assert not told.faults
    expected = {key: int(value) for key, value in views_cells(scene).items() if int(value)}
    assert found == expected
    pools = {pool for pool, _, _ in found}
    assert pools == {scene.vault.address, scene.shares.address, scene.yields.address}


def views_cells(scene: VaultScene) -> dict[tuple[Address, Address, int], Fraction]:
    """Micro-dollar-days by the views alone: between two blocks shares stand still, between two rolls or two full hours
    their worth does. The assets are a dollar."""
    rolls = [(START - 10 * DAY_SECONDS, 0)] + [(m.time, m.price_per_share) for m in scene.vault.moments]
    hours = [
        (hour, scene.yields.at(hour).price_per_share)
        for hour in range(START, START + DAYS * DAY_SECONDS + 1, HOUR_SECONDS)
    ]
    found: dict[tuple[Address, Address, int], Fraction] = defaultdict(Fraction)
    for contract, moments, worth, decimals, nobody in (
        (scene.vault.address, [(m.time, m.shares) for m in scene.vault.moments], rolls, 6, scene.vault.address),
        (scene.shares.address, [(m.time, m.balances) for m in scene.shares.moments], rolls, 6, scene.shares.address),
        (scene.yields.address, [(m.time, m.balances) for m in scene.yields.moments], hours, 18, scene.yields.address),
    ):
        cuts = sorted({time for time, _ in [*moments, *worth] if time >= START} | midnights())
        for start, end in pairwise(cuts):
            if end > START + DAYS * DAY_SECONDS:
                break
            held, price = in_force(moments, start), in_force(worth, start)
            for holder, units in held.items():
                if holder != nobody:
                    dollars = Fraction(units * price, 10 ** (decimals + 6))
                    found[contract, holder, day_of(start)] += dollars * (end - start) * MICRO / DAY_SECONDS
    return found


def midnights() -> set[int]:
    return {START + day * DAY_SECONDS for day in range(DAYS + 1)}


def in_force(series: list[tuple[int, Any]], time: int) -> Any:
    """The last one at or before a second; of several in one second the last."""
    times = [at for at, _ in series]
    return series[bisect_right(times, time) - 1][1]
