"""The scene of vaults on two chains holds together, and the same seed plays the same history."""

import tomllib
from fractions import Fraction
from pathlib import Path

from loyalty.core.times import DAY_SECONDS
from tests.integration.points_oracle import round_rows, round_sheets, totals
from tests.integration.scene import START
from tests.integration.two_chains import two_chains
from tests.integration.vault_calls import DECIMALS
from tests.integration.vault_scene import ROUND_RATE, VaultScene


def played(folder: Path) -> VaultScene:
    with two_chains(folder) as chains:
        scene = VaultScene.deploy(chains, seed=7)
        scene.play_days(steps=20)
        scene.program()
    return scene


def test_the_scene_has_all_that_the_end_to_end_test_needs(tmp_path: Path) -> None:
    scene = played(tmp_path)
    sheets = round_sheets(
        scene.vault.starts, scene.vault.moments, [scene.shares.moments], decimals=DECIMALS, nobodys=scene.nobodys
    )
    during = [sheet for sheet in sheets if START <= sheet.time < START + 3 * DAY_SECONDS]
    assert len(during) >= 6
    assert all(sheet.in_flight >= 0 for sheet in sheets)
    assert any(sheet.in_flight for sheet in sheets)
    assert any(sheet.unstaked & sheet.shares.keys() for sheet in during)
    at_block_ends = {moment.block: moment for moment in scene.vault.moments}
    assert any(start != at_block_ends[start.block] for start in scene.vault.starts)
    away_times = {moment.time for moment in scene.shares.moments}
    assert any(sheet.time in away_times for sheet in during)
    rows = [
        row for sheet in during for row in round_rows(sheet, Fraction(1), Fraction(ROUND_RATE), decimals=DECIMALS) or ()
    ]
    assert {row.why_none for row in rows} == {"", "unstaked"}
    assert len(totals(rows)) == 5
    assert len({moment.price_per_share for moment in scene.yields.moments}) > 5


def test_the_program_file_names_vaults_and_deployments(tmp_path: Path) -> None:
    scene = played(tmp_path)
    found = tomllib.loads((tmp_path / "program.toml").read_text())
    assert [(pool["chain"], pool["protocol"], pool["tokens"]) for pool in found["pools"]] == [
        ("home", "stream_vault", ["USDX"]),
        ("away", "erc4626", ["USDY"]),
    ]
    (deployment,) = found["pools"][0]["deployments"]
    assert deployment == {
        "chain": "away",
        "address": scene.shares.address,
        "start_block": scene.shares.start_block,
    }
    assert [chain["id"] for chain in found["chains"]] == [31337, 31338]


def test_the_same_seed_plays_the_same_history(tmp_path: Path) -> None:
    first, second = (played(tmp_path) for _ in range(2))
    assert first.vault.moments == second.vault.moments
    assert first.shares.moments == second.shares.moments
    assert first.yields.moments == second.yields.moments
