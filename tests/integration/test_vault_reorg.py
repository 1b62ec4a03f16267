"""A reorg of the chain with the rounds changes what bridged shares are worth on the other chain, and leaves nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, day_of
from loyalty.service import Engine
from loyalty.state import days
from tests.integration.scene import START, catch_up
from tests.integration.two_chains import two_chains
from tests.integration.vault_calls import KEEPER, ROLL
from tests.integration.vault_scene import VaultScene
from tools.evm.node import Transaction

Cells = dict[tuple[str, str, int], int]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[VaultScene]:
    with two_chains(tmp_path) as chains:
        played = VaultScene.deploy(chains, seed=5)
        played.play_days(1)
        yield played


def cells(engine: Engine) -> Cells:
    with engine.state.read() as connection:
        found = days.cells(connection, Span(day_of(START), day_of(START) + 2))
    return {(cell.pool, cell.provider, cell.day): cell.usd_micro_days for cell in found}


def roll(scene: VaultScene, yielded: int, time: int) -> None:
    home = scene.chains.home.node
    home.mine([Transaction(KEEPER, scene.vault.address, ROLL(yielded, True))], time)
    home.mine([], time + 2 * HOUR_SECONDS)


def test_bridged_shares_are_worth_what_the_roll_that_stays_says(scene: VaultScene) -> None:
    chains, time = scene.chains, scene.chains.now + HOUR_SECONDS
    program = scene.program()
    before = chains.home.node.snapshot()
    roll(scene, 5 * 10**9, time)
    chains.away.node.mine([], time + 2 * HOUR_SECONDS)
    with chains.engine(program, "reorganized.db") as engine:
        catch_up(engine)
        lost = cells(engine)
        chains.home.node.revert(before)
        roll(scene, 10**6, time + 60)
        catch_up(engine)
        stays = cells(engine)
    with chains.engine(program, "fresh.db") as engine:
        catch_up(engine)
        assert stays == cells(engine)
    today = {key for key in stays if key[2] == day_of(time)}
    changed = {key[0] for key in today if stays[key] != lost[key]}
    assert changed == {scene.vault.address, scene.shares.address}, (
        "both are worth less than under the roll that is gone"
    )
