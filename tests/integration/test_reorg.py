"""Reorgs of a real node: rewound to the common ancestor in one transaction, and as if the old blocks had never been."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loyalty.core.errors import Conflict, Unavailable
from loyalty.jobs import rewind as rewind_job
from loyalty.jobs.rewind import Rewound
from loyalty.service import Engine
from tests.integration.scene import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    GENESIS_TIME,
    START,
    Scene,
    catch_up,
    everything,
    ledger_of,
    play,
)
from tools.evm.node import Node

FINAL_BEHIND = 40
DAY = 86_400


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A node on which the newest forty blocks are not final."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", str(FINAL_BEHIND // 2))) as node:
        yield play(node, tmp_path)


def steps_of(engine: Engine) -> list[object]:
    """Index to the head; what each step was."""
    done: list[object] = []
    engine.index(CHAIN_ID, told=done.append)
    return done


def same_as_fresh(scene: Scene, engine: Engine) -> None:
    """All that is stored, to the last unit, is what a database says that has only ever seen this chain."""
    catch_up(engine)
    with scene.engine("fresh.db") as fresh:
        catch_up(fresh)
        expected = everything(fresh.state)
    found = everything(engine.state)
    for name in expected:
        assert found[name] == expected[name], name
    assert expected["daily"]


def old_history(scene: Scene) -> None:
    """Over a midnight: positions come, go and change hands, and the price moves."""
    token = scene.mint(BOB, -300, 300, 4_000, time=START + DAY - 500)
    scene.swap(120)
    scene.uniswap.transfer_nft(BOB, CAROL, token)
    scene.swap(-90, time=START + DAY + 10)
    scene.uniswap.burn_token(CAROL, token)


def other_history(scene: Scene) -> None:
    """The same token id, of another range, size and owner."""
    token = scene.mint(CAROL, -60, 120, 900, time=START + DAY - 480)
    scene.swap(40)
    scene.uniswap.transfer_nft(CAROL, BOB, token)
    scene.swap(70, time=START + DAY + 40)
    scene.mint(ALICE, -240, 0, 100)
    scene.swap(10)
    scene.swap(-30)


def begun(scene: Scene) -> None:
    scene.mint(ALICE, -6_000, 6_000, 50_000)
    scene.node.mine_at(START)
    scene.swap(33, time=START + 1_000)


def test_another_history_takes_the_place_of_the_old_one(scene: Scene) -> None:
    begun(scene)
    with scene.engine() as engine:
        catch_up(engine)
        ancestor = scene.node.header()
        snapshot = scene.node.snapshot()
        old_history(scene)
        catch_up(engine)
        before = everything(engine.state)

        scene.node.revert(snapshot)
        other_history(scene)

        done = steps_of(engine)
        rewound = [step for step in done if isinstance(step, Rewound)]
        assert [step.ancestor.number for step in rewound] == [ancestor.number]
        assert rewound[0].facts > 0
        assert everything(engine.state)["liquidity"] != before["liquidity"]
        same_as_fresh(scene, engine)
        assert ledger_of(engine.state).in_range_liquidity(scene.pool.address) == (
            scene.uniswap.view(scene.pool).liquidity()
        )


@pytest.mark.parametrize("depth", [1, 3])
def test_replaced_by_empty_blocks_the_old_events_are_forgotten(scene: Scene, depth: int) -> None:
    """anvil_reorg gives the replacements the ancestor's time and none of the transactions."""
    begun(scene)
    with scene.engine() as engine:
        old_history(scene)
        catch_up(engine)
        scene.node.rpc("anvil_reorg", depth, [])
        assert any(isinstance(step, Rewound) for step in steps_of(engine))
        scene.node.mine_at(scene.node.header().time + 100)
        same_as_fresh(scene, engine)


def test_a_shorter_chain_is_waited_for_and_then_followed(scene: Scene) -> None:
    begun(scene)
    with scene.engine() as engine:
        ancestor = scene.node.header().number
        old_history(scene)
        catch_up(engine)
        before = everything(engine.state)
        scene.node.rpc("anvil_rollback", scene.node.header().number - ancestor)
        assert steps_of(engine) == []
        assert everything(engine.state) == before
        other_history(scene)
        assert any(isinstance(step, Rewound) for step in steps_of(engine))
        same_as_fresh(scene, engine)


def test_reorgs_again_and_again_leave_nothing_behind(scene: Scene) -> None:
    begun(scene)
    with scene.engine() as engine:
        for turn in range(5):
            snapshot = scene.node.snapshot()
            (old_history if turn % 2 else other_history)(scene)
            catch_up(engine)
            if turn < 4:
                scene.node.revert(snapshot)
        same_as_fresh(scene, engine)


def test_a_reorg_of_the_programs_first_blocks_moves_its_start(scene: Scene) -> None:
    """The first block at or after the program's start is another one afterwards, with another last price before it."""
    scene.mint(ALICE, -6_000, 6_000, 50_000)
    scene.swap(15)
    with scene.engine() as engine:
        catch_up(engine)
        snapshot = scene.node.snapshot()
        scene.swap(80)
        scene.node.mine_at(START + 5)
        scene.swap(90)
        catch_up(engine)
        scene.node.revert(snapshot)
        scene.swap(-50)
        scene.swap(-60)
        scene.node.mine_at(START + 70)
        scene.swap(20)
        scene.node.mine_at(START + 7_000)
        same_as_fresh(scene, engine)


def test_a_reorg_of_all_that_is_stored_is_followed_down_to_the_final_block(scene: Scene) -> None:
    """A young database: only the newest blocks are in it, none of them final yet."""
    for _ in range(FINAL_BEHIND):
        scene.node.mine()
    snapshot = scene.node.snapshot()
    price = scene.uniswap.view(scene.pool).slot0().sqrt_price_x96
    young = scene.uniswap.create_pool(scene.pool.token0, scene.pool.token1, 500, price)
    begins = scene.node.header().number - 1
    program = scene.program(pool=young.address, start_block=str(begins))
    with scene.engine(program=program) as engine:
        catch_up(engine)
        before = everything(engine.state)
        scene.node.revert(snapshot)
        again = scene.uniswap.create_pool(scene.pool.token0, scene.pool.token1, 500, price + price // 10**6)
        scene.node.mine()
        assert again.address == young.address
        (rewound, *_) = steps_of(engine)
        assert isinstance(rewound, Rewound)
        assert rewound.ancestor.number < begins
        catch_up(engine)
        after = everything(engine.state)
        assert len(before["swaps"]) == len(after["swaps"]) == 1
        assert before["swaps"] != after["swaps"]


def test_a_rewind_is_one_transaction(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(scene)
    with scene.engine() as engine:
        snapshot = scene.node.snapshot()
        old_history(scene)
        catch_up(engine)
        before = everything(engine.state)
        scene.node.revert(snapshot)
        other_history(scene)

        def disk_full(*_: object) -> None:
            raise Unavailable("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(rewind_job.audit, "write", disk_full)  # the last thing that the rewind writes
            with pytest.raises(Unavailable, match="the disk is full"):
                steps_of(engine)
        assert everything(engine.state) == before
        same_as_fresh(scene, engine)


def replaced(scene: Scene, snapshot: str) -> None:
    scene.node.revert(snapshot)
    other_history(scene)
    for _ in range(FINAL_BEHIND + 20):
        scene.node.mine()


def rolled_back(scene: Scene, snapshot: str) -> None:
    scene.node.rpc("anvil_reorg", FINAL_BEHIND + 6, [])


@pytest.mark.parametrize("reorg", [replaced, rolled_back])
def test_deeper_than_final_is_refused_and_nothing_changes(scene: Scene, reorg: Callable[[Scene, str], None]) -> None:
    begun(scene)
    with scene.engine() as engine:
        snapshot = scene.node.snapshot()
        old_history(scene)
        for _ in range(FINAL_BEHIND):
            scene.node.mine()
        catch_up(engine)
        before = everything(engine.state)
        reorg(scene, snapshot)
        for _ in range(2):
            with pytest.raises(Conflict, match=r"is final here with hash 0x.*Nothing was changed"):
                steps_of(engine)
            assert everything(engine.state) == before
