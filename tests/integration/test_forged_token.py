"""The forged-token attack, played for real: dust in our pool in the manager's name, beside a worthless mint."""

from collections.abc import Callable

import pytest

from loyalty.core.facts import PositionToken
from tests.integration.scene import ALICE, MALLORY, START, Scene, catch_up, everything, ledger_of, tokens_held
from tools.evm.payer import Call
from tools.evm.pool import Pool
from tools.evm.uniswap import minted_token_ids

DUST = 10**9


def worthless_pool(scene: Scene) -> Pool:
    """A pool of two tokens that only Mallory has, at the same price as the program's."""
    uniswap = scene.uniswap
    fakes = [uniswap.create_token("FAKE"), uniswap.create_token("SHAM")]
    pool = uniswap.create_pool(fakes[0], fakes[1], 3000, uniswap.view(scene.pool).slot0().sqrt_price_x96)
    for account in (MALLORY, uniswap.payer):
        uniswap.fund(account, fakes)
    return pool


def dust(scene: Scene, liquidity: int = DUST) -> Call:
    ends = scene.middle - 60, scene.middle + 60
    return scene.pool.direct_mint(scene.uniswap.manager.address, *ends, liquidity)


def fake(scene: Scene, worthless: Pool) -> Call:
    """A position NFT in the worthless pool on the same ticks, with the very liquidity of the dust."""
    ends = scene.middle - 60, scene.middle + 60
    return scene.uniswap.manager.mint(MALLORY, worthless, *ends, 10**24, 10**24)


Orders = Callable[[Scene, Pool], list[Call]]
ORDERS: dict[str, Orders] = {
    "dust, then the fake": lambda scene, pool: [dust(scene), fake(scene, pool)],
    "the fake, then dust": lambda scene, pool: [fake(scene, pool), dust(scene)],
    "dust on both sides": lambda scene, pool: [dust(scene), fake(scene, pool), dust(scene)],
    "two fakes around dust": lambda scene, pool: [fake(scene, pool), dust(scene), fake(scene, pool)],
    "an honest mint between": lambda scene, pool: [dust(scene), scene.deposit(-60, 60, 5, MALLORY), fake(scene, pool)],
    "an honest mint first": lambda scene, pool: [scene.deposit(-60, 60, 5, MALLORY), dust(scene), fake(scene, pool)],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_forged_token_earns_nothing(scene: Scene, order: str) -> None:
    uniswap, manager = scene.uniswap, scene.uniswap.manager
    honest = scene.mint(ALICE, -600, 600, 10_000)
    worthless = worthless_pool(scene)
    scene.node.mine_at(START)
    block = uniswap.pay(MALLORY, *ORDERS[order](scene, worthless), time=START + 60)
    forged = [
        token_id
        for token_id in minted_token_ids(manager.address, block.receipts)
        if manager.position(scene.node, token_id).token0 == worthless.token0
    ]
    assert forged
    scene.swap(30, time=START + 3_600)
    _end_of_day(scene)

    with scene.engine() as engine:
        catch_up(engine)
        held = tokens_held(ledger_of(engine.state), scene.pool.address)
        assert not {PositionToken(manager.address, token_id) for token_id in forged} & held.keys()
        for token, (owner, liquidity) in held.items():
            assert manager.owner_of(scene.node, token.token_id) == owner
            assert manager.position(scene.node, token.token_id).liquidity == liquidity
        assert PositionToken(manager.address, honest) in held
        phantom = [row for row in everything(engine.state)["daily"] if row[0] == manager.address]
        expected_of_mallory = 1 if "honest" in order else 0
        of_mallory = [row for row in everything(engine.state)["daily"] if row[0] == MALLORY]
        assert phantom == []
        assert len({row[0] for row in of_mallory}) == expected_of_mallory
        assert sum(int(str(row[3])) for row in of_mallory) <= 20 * 10**6 * len(of_mallory)


@pytest.mark.parametrize("same_liquidity", [True, False])
def test_burning_and_topping_up_a_forged_token_earns_nothing_either(scene: Scene, same_liquidity: bool) -> None:
    """Later increases and decreases of the worthless position, with dust beside each of them."""
    uniswap, manager = scene.uniswap, scene.uniswap.manager
    scene.mint(ALICE, -600, 600, 10_000)
    worthless = worthless_pool(scene)
    scene.node.mine_at(START)
    block = uniswap.pay(MALLORY, dust(scene), fake(scene, worthless), time=START + 60)
    (forged,) = minted_token_ids(manager.address, block.receipts)
    liquidity = manager.position(scene.node, forged).liquidity
    small = liquidity if same_liquidity else DUST
    uniswap.pay(MALLORY, dust(scene, small), manager.increase(forged, 10**24, 10**24), dust(scene, small))
    uniswap.send(MALLORY, manager.decrease(forged, liquidity // 2))
    _end_of_day(scene)

    with scene.engine() as engine:
        catch_up(engine)
        providers = {row[0] for row in everything(engine.state)["daily"]}
        assert providers == {ALICE}
        ledger = ledger_of(engine.state)
        assert ledger.in_range_liquidity(scene.pool.address) == uniswap.view(scene.pool).liquidity()


def _end_of_day(scene: Scene) -> None:
    scene.node.mine_at(START + 86_400)
    scene.node.mine_at(START + 86_400 + 7_200)
    for _ in range(5):
        scene.node.mine()
