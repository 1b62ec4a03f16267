"""Recordings of Curve pools and of vaults on two chains: what was read of nodes gives the same facts and digests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.chain.recording_file import read_recording
from loyalty.config import load_settings
from loyalty.core.errors import Invalid
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state.engine import State
from tests.integration.curve_scene import CurveScene
from tests.integration.scene import catch_up, everything, open_engine
from tests.integration.test_curve_pools import played as curve_played
from tests.integration.test_told_worth import program_of
from tests.integration.test_told_worth import told as told_worth
from tests.integration.test_vault_pools import played as vaults_played
from tests.integration.test_vault_pools import program as vault_program
from tests.integration.vault_scene import VaultScene

__all__ = ["curve_played", "told_worth", "vaults_played"]

FACTS = ("swaps", "liquidity", "transfers", "token_transfers", "prices")
MORE_FACTS = {
    "events": "SELECT e.chain_id, block, log_index, p.address, e.* FROM vault_events e JOIN pools p ON p.id = pool_id",
    "rolls": "SELECT * FROM round_rolls",
    "exchanges": "SELECT chain_id, block, log_index FROM asset_exchanges",
    "answers": "SELECT p.address, valid_time, block, value FROM share_answers JOIN pools p ON p.id = pool_id",
}


def facts(state: State) -> dict[str, list[tuple[object, ...]]]:
    rows = everything(state)
    found = {name: rows[name] for name in FACTS}
    with state.read() as connection:
        for name, statement in MORE_FACTS.items():
            found[name] = sorted((tuple(row) for row in connection.exec_driver_sql(statement)), key=repr)
    return found


def settled(state: State) -> list[tuple[object, ...]]:
    return [row for row in everything(state)["epochs"] if row[1] == "settled"]


def check_same(original: Engine, replayed: Engine, epochs: int) -> None:
    found, told = facts(replayed.state), facts(original.state)
    for name in told:
        assert found[name] == told[name], name
    assert settled(replayed.state) == settled(original.state)
    assert len(settled(original.state)) == epochs
    assert verify(replayed.state).faults == ()


def recorded(program: Path, folder: Path, rpc: str, epochs: int) -> Path:
    """The recording of the only chain, checked to be the same as its node."""
    path = folder / "told.jsonl.gz"
    with open_engine(program, folder / "node.db", rpc) as engine:
        engine.prepare()
        catch_up(engine)
        engine.record(path)
        with open_engine(program, folder / "replayed.db", f"file:{path}") as replayed:
            replayed.prepare()
            catch_up(replayed)
            check_same(engine, replayed, epochs)
    return path


def test_a_recording_of_curve_pools_gives_the_facts_and_digests_of_the_node(curve_played: CurveScene) -> None:
    scene = curve_played.scene
    program, folder = curve_played.program(), scene.folder
    first = recorded(program, folder, scene.node.url, 3)
    with open_engine(program, folder / "replayed.db", f"file:{first}") as replayed:
        replayed.record(folder / "again.jsonl.gz")
    assert read_recording(folder / "again.jsonl.gz")[0] == read_recording(first)[0]


def test_what_contracts_said_a_share_is_worth_is_recorded_with_its_blocks(told_worth: CurveScene) -> None:
    program = program_of(told_worth, "virtual_price")
    path = recorded(program, told_worth.scene.folder, told_worth.scene.node.url, 0)
    assert any(call.block is not None for call in read_recording(path)[0].calls)


def test_a_recording_without_what_contracts_said_is_refused_for_a_curve_pool(curve_played: CurveScene) -> None:
    scene = curve_played.scene
    path = scene.folder / "uniswap.jsonl.gz"
    with scene.engine() as engine:
        catch_up(engine)
        engine.record(path)
    with (
        open_engine(curve_played.program(), scene.folder / "more.db", f"file:{path}") as engine,
        pytest.raises(Invalid, match="the recording of play holds nothing of curve pools"),
    ):
        engine.prepare()


@pytest.fixture
def replay(vaults_played: VaultScene) -> Iterator[tuple[Engine, Engine]]:
    """Both chains from their nodes, and from recordings of them."""
    chains, program = vaults_played.chains, vault_program(vaults_played)
    with chains.engine(program) as engine:
        catch_up(engine)
        for side in chains.sides:
            engine.record(chains.folder / f"{side.name}.jsonl.gz", side.name)
        variables = chains.variables(program, chains.folder / "replayed.db")
        variables |= {
            f"LOYALTY_RPC_{side.name.upper()}": f"file:{chains.folder / side.name}.jsonl.gz" for side in chains.sides
        }
        with Engine.open(load_settings(variables, None)) as replayed, replayed.lock():
            replayed.prepare()
            catch_up(replayed)
            yield engine, replayed


def test_recordings_of_vaults_on_two_chains_give_the_facts_and_digests_of_the_nodes(
    replay: tuple[Engine, Engine],
) -> None:
    original, replayed = replay
    check_same(original, replayed, 3)
