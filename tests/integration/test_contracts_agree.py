"""Owners, liquidity, seconds in range and dollar-days are what the contracts themselves say, block by block."""

from collections.abc import Callable
from fractions import Fraction

from loyalty.accrual.day import accrue_concentrated
from loyalty.core.address import Address
from loyalty.core.facts import PositionKey, PositionToken
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from loyalty.jobs.histories.uniswap_v3 import UniswapHistory
from loyalty.service import Engine
from loyalty.state import pools
from tests.integration.notes import Moment, Notes
from tests.integration.scene import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    START,
    Scene,
    catch_up,
    everything,
    hourly_price,
    ledger_of,
    tokens_held,
)
from tools.evm.erc20 import APPROVE, MAX_UINT256
from tools.evm.node import Transaction
from tools.evm.payer import Call
from tools.evm.position_manager import PositionManager
from tools.evm.uniswap import Uniswap, minted_token_ids

DAY = DAY_SECONDS
HOUR = HOUR_SECONDS


def agree(engine: Engine, notes: Notes) -> Moment:
    """After a block: index, and compare the pool's liquidity and price, and each position's owner and liquidity."""
    moment = notes.take()
    for chain in engine.program.chains:
        engine.index(chain.id)
    ledger = ledger_of(engine.state)
    price = ledger.price(notes.pool.address)
    expected = {each.token: (each.owner, each.liquidity) for each in moment.held if each.token and each.liquidity}
    direct = {(h.owner, h.lower, h.upper): h.liquidity for h in moment.held if not h.token and h.liquidity}
    found = ledger.positions(notes.pool.address)
    assert tokens_held(ledger, notes.pool.address) == expected
    assert {(k.owner, k.lower, k.upper): amount for k, amount in found.items() if k.token is None} == direct
    if moment.time > START:  # before the program's start the price is not followed
        assert price is not None
        assert (price.sqrt_price_x96, price.tick) == (moment.sqrt_price_x96, moment.tick)
        assert ledger.in_range_liquidity(notes.pool.address) == moment.liquidity
    return moment


def prices_of(scene: Scene) -> Callable[[int], tuple[Fraction, Fraction]]:
    def price_at(second: int) -> tuple[Fraction, Fraction]:
        one, two = Fraction(hourly_price(second)) / 10**18, Fraction(1, 10**6)
        return (one, two) if scene.middle < 0 else (two, one)

    return price_at


def test_a_whole_life_agrees_with_the_contracts(scene: Scene) -> None:
    """Three days with everything that providers do, each block compared, and the integral of what was seen."""
    uniswap, pool, manager, node = scene.uniswap, scene.pool, scene.uniswap.manager, scene.node
    second_manager = Uniswap.deploy_manager(node, uniswap.factory)
    scene.managers.append(second_manager)
    allow(scene, BOB, second_manager)
    other_pool = uniswap.create_pool(pool.token0, pool.token1, 500, uniswap.view(pool).slot0().sqrt_price_x96)
    notes = Notes(scene, pool, [(manager, number) for number in range(1, 12)] + [(second_manager, 1)])
    wide, narrow = ((scene.middle - ticks, scene.middle + ticks) for ticks in (600, 60))
    notes.direct = [(DAVE, *wide), (uniswap.payer, *narrow)]

    with scene.engine() as engine:

        def then(*played: object) -> None:
            """What was played is a block or more: after it all agrees."""
            agree(engine, notes)

        # Before the start: liquidity, and swaps that leave a price behind.
        first = scene.mint(ALICE, -6_000, 6_000, 50_000)
        then()
        then(scene.mint(BOB, -120, 180, 8_000))
        then(scene.swap(-77))
        then(scene.swap(61))
        # The first day: three mints in one transaction, one of them in a pool that is not the program's.
        then(node.mine_at(START))
        bundle = [scene.deposit(-300, 0, 900, CAROL), scene.deposit(-60, 60, 70, CAROL, other_pool)]
        bundle += [scene.deposit(60, 240, 800, CAROL)]
        block = uniswap.send(CAROL, manager.multicall(bundle), time=START + HOUR)
        assert len(minted_token_ids(manager.address, block.receipts)) == 3
        then()
        then(uniswap.direct_mint(DAVE, pool, *wide, 10**13, time=START + 2 * HOUR))
        then(uniswap.direct_mint(uniswap.payer, pool, *narrow, 10**12))
        then(scene.swap(-150, time=START + 3 * HOUR + 7))
        then(scene.swap(-301))
        then(scene.swap(-300))  # up to a boundary exactly
        then(uniswap.increase(BOB, first, *scene.units(5_000)))  # by a stranger
        then(uniswap.collect(ALICE, first))  # a poke: a Burn of 0
        then(uniswap.transfer_nft(ALICE, DAVE, first, time=START + 9 * HOUR))
        ends = scene.middle - 900, scene.middle + 900
        then(uniswap.send(BOB, second_manager.mint(BOB, pool, *ends, *scene.units(3_000)), time=START + 10 * HOUR))
        then(scene.swap(119, time=START + 20 * HOUR))
        # The second day: liquidity leaves, comes and leaves within one block, an NFT goes round in one block.
        held = manager.position(node, 2).liquidity
        then(uniswap.decrease(BOB, 2, held // 3, time=START + DAY + 60))
        come_and_go = uniswap.send(ALICE, scene.deposit(-60, 180, 5_000, ALICE), time=START + DAY + 70)
        (fleeting,) = minted_token_ids(manager.address, come_and_go.receipts)
        then()
        then(uniswap.burn_token(ALICE, fleeting))
        passed_on = [(DAVE, manager.transfer(DAVE, BOB, first)), (BOB, manager.transfer(BOB, CAROL, first))]
        then(send_all(scene, passed_on, START + DAY + 9 * HOUR))
        then(uniswap.direct_burn(DAVE, pool, *wide, 4 * 10**12))
        then(scene.swap(-20, time=START + DAY + 12 * HOUR))
        then(scene.swap(250))
        then(node.mine_at(START + 2 * DAY))
        # The third day: all of one position leaves and its token is burned.
        then(uniswap.burn_token(BOB, 2, time=START + 2 * DAY + 5 * HOUR))
        then(scene.swap(10))
        then(node.mine_at(START + 3 * DAY))
        then(node.mine_at(START + 3 * DAY + 2 * HOUR))
        for _ in range(5):
            then(node.mine())
        catch_up(engine)

        stored = {(row[0], row[2]): (row[3], row[4]) for row in everything(engine.state)["daily"]}
        seen = notes.daily(START, prices_of(scene))
        program = {key: cell for key, cell in seen.items() if key[1] < day_of(START) + 3}
        assert stored.keys() == program.keys()
        for key, cell in program.items():  # the engine's 2**256 // sqrt price rounds down: at most one unit of the last
            assert all(0 <= exact - rounded <= 1 for exact, rounded in zip(cell, stored[key], strict=True)), key
        assert any(in_range < full for full, in_range in program.values())
        assert [row[1] for row in everything(engine.state)["epochs"]] == ["settled"] * 3


def test_seconds_in_range_are_those_that_the_pool_counts(scene: Scene) -> None:
    """The pool counts seconds inside a range by itself, as long as both its ticks hold liquidity."""
    ranges = [(-6_000, 6_000), (-120, 60), (-60, 60), (60, 180), (-600, -120)]
    ids = [scene.mint(ALICE, lower, upper, 1_000 * number) for number, (lower, upper) in enumerate(ranges, 5)]
    scene.node.mine_at(START)
    view = scene.uniswap.view(scene.pool)
    ticks = [(scene.middle + lower, scene.middle + upper) for lower, upper in ranges]
    before = [view.seconds_inside(*ends) for ends in ticks]
    targets = [30, 60, 59, -121, -120, -119, 0, -60, -61, 150, 180, -350, 60]
    for number, target in enumerate(targets):
        scene.swap(target, time=START + 1 + number * 12_345)
    scene.node.mine_at(START + 2 * DAY)
    after = [view.seconds_inside(*ends) for ends in ticks]
    for _ in range(5):
        scene.node.mine()

    with scene.engine() as engine:
        catch_up(engine)
        manager = scene.uniswap.manager.address
        keys = [
            PositionKey(ALICE, lower, upper, PositionToken(manager, token_id))
            for token_id, (lower, upper) in zip(ids, ticks, strict=True)
        ]
        found = seconds_in_range(engine, scene.pool.address, 2)
        assert [found[key] for key in keys] == [
            (late - early) % 2**32 for late, early in zip(after, before, strict=True)
        ]
        assert found[keys[0]] == 2 * DAY
        assert 0 < min(found.values()) < max(found.values())


def seconds_in_range(engine: Engine, pool: Address, count: int) -> dict[PositionKey, int]:
    """Of each position, over the first days of the program."""
    seconds: dict[PositionKey, int] = {}
    with engine.state.read() as connection:
        row = next(row for row in pools.all_pools(connection) if row.address == pool)
        managers = frozenset(m.address for chain in engine.program.chains for m in chain.position_managers)
        history = UniswapHistory(connection, engine.rules, row, managers)
        for day in range(day_of(START), day_of(START) + count):
            inputs = history.day(day)
            credited = accrue_concentrated(inputs.concentrated(history.prices.over(inputs.span, whole_day=True)))
            for position, credit in credited.items():
                seconds[position] = seconds.get(position, 0) + credit.in_range_seconds
    return seconds


def allow(scene: Scene, provider: Address, manager: PositionManager) -> None:
    """The provider lets one more manager take its tokens."""
    tokens = scene.pool.token0, scene.pool.token1
    calls = [Call(token, APPROVE(manager.address, MAX_UINT256)) for token in tokens]
    scene.uniswap.send(provider, *calls)


def send_all(scene: Scene, sends: list[tuple[Address, Call]], time: int) -> None:
    """One block with these transactions."""
    scene.node.mine([Transaction(sender, call.to, call.data) for sender, call in sends], time)
