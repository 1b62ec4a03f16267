"""The scene of everything: it plays to its end, every block of it is noted, and its program file names all of it."""

import tomllib
from collections import Counter
from pathlib import Path

from loyalty.core.times import DAY_SECONDS
from tests.integration.scene import START
from tests.integration.two_chains import table, two_chains
from tests.integration.whole_scene import WholeScene


def test_days_of_everything_on_two_chains(tmp_path: Path) -> None:
    with two_chains(tmp_path) as chains:
        scene = WholeScene.deploy(chains, seed=5)
        scene.play_days(days=2, steps=25)
        scene.finish(START + 2 * DAY_SECONDS + 7_200)
        text = scene.program(
            table("exclusions", address=f'"{scene.vaults.vault.address}"', reason='"the vault"')
        ).read_text()
        heads = [side.node.header().number for side in chains.sides]
        finals = [side.node.header("finalized").time for side in chains.sides]
    check_moments(scene, heads)
    assert all(time >= START + 2 * DAY_SECONDS + 3_600 for time in finals)
    assert len([start for start in scene.vaults.vault.starts if start.time >= START]) >= 4
    assert scene.feed.moments[-1].phase == 2
    found = tomllib.loads(text)
    assert Counter((pool["chain"], pool["protocol"]) for pool in found["pools"]) == {
        ("home", "uniswap_v3"): 1,
        ("home", "curve"): 1,
        ("home", "stream_vault"): 1,
        ("away", "erc4626"): 1,
    }
    assert len(found["look_through"]) == 5
    assert [points["name"] for points in found["points"]] == ["droplets", "drops", "liquidity"]
    symbols = [token["symbol"] for token in found["tokens"]]
    assert len(symbols) == len(set(symbols)) == 8


def check_moments(scene: WholeScene, heads: list[int]) -> None:
    """In the order of the chain, up to its head."""
    home = (scene.holders.moments, scene.vaults.vault.moments, scene.feed.moments)
    away = (scene.vaults.shares.moments, scene.vaults.yields.moments)
    for moments, head in [(each, heads[0]) for each in home] + [(each, heads[1]) for each in away]:
        blocks = [moment.block for moment in moments]
        assert blocks == sorted(blocks)
        assert blocks[-1] == head
        assert [moment.time for moment in moments] == sorted(moment.time for moment in moments)
