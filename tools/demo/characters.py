"""The few who are unlike all others."""

from tools.demo.calendar import SLOT_SECONDS, WEEK_SECONDS, week
from tools.demo.liquidity import around, full_range
from tools.demo.positions import Hands
from tools.demo.processes import Process
from tools.demo.stage import Opened, Stage
from tools.evm.node import Transaction
from tools.evm.payer import Call, batch
from tools.evm.pool import Pool

TREASURY = "treasury"
WHALE = "whale"
_LIQUIDITY_UNIT = {"WETH/USDC": 10**13, "LOYAL/WETH": 10**19}
"""Liquidity of this much at the full range is worth a few hundred to a few thousand dollars."""


def treasury(stage: Stage) -> Process:
    """The project's own liquidity, in both pools from the first day on. The program excludes it."""
    first, second = (Hands(stage, venue, stage.address(TREASURY)) for venue in stage.venues.values())
    stage.account(TREASURY)
    yield week(-0.95)
    yield from first.open(full_range(first.venue), 650_000)
    token_id = yield from second.open(full_range(second.venue), 900_000)
    yield week(11.3)
    yield from second.grow(token_id, full_range(second.venue), 150_000)


def whale(stage: Stage) -> Process:
    """Brings millions in the fourth week, takes them out before the storm is over, and comes back for the end."""
    hands = Hands(stage, stage.venues["WETH/USDC"], stage.account(WHALE))
    for comes, goes, usd in ((4.2, 9.4, 2_600_000), (13.6, 99.0, 1_900_000)):
        yield week(comes)
        span = around(hands.venue, stage.slot0(hands.venue).tick, 5_500, 4_200)
        token_id = yield from hands.open(span, usd)
        yield week(goes)
        yield from hands.close(token_id, burn=True)


def depositor(stage: Stage) -> Process:
    """Leaves a position with a contract, and has the contract send it on weeks later."""
    hands = Hands(stage, stage.venues["WETH/USDC"], stage.account("depositor"))
    payer, manager = stage.uniswap.payer, stage.uniswap.manager
    yield week(3.1)
    token_id = yield from hands.open(full_range(hands.venue), 42_000)
    yield week(6.4)
    yield from hands.give(token_id, payer)
    yield week(17.8)
    yield from hands.send(Call(payer, batch([manager.transfer(payer, stage.address("depositor/heir"), token_id)])))


def direct_owner(stage: Stage, number: int) -> Process:
    """Owns a range in the pool itself, without the position manager; the payer contract is the first of them."""
    random = stage.random(f"direct/{number}")
    name, venue = list(stage.venues.items())[number % 2]
    hands = Hands(stage, venue, stage.address(f"direct/{number}") if number else stage.uniswap.payer)
    pool, unit = venue.pool, _LIQUIDITY_UNIT[name]
    yield week(random.uniform(-0.5, 9))
    span = around(venue, stage.slot0(venue).tick, random.randint(1_500, 6_000), random.randint(1_500, 5_000))
    stage.direct.append((hands.address, Opened(venue, *span)))
    for _ in range(random.randint(2, 5)):
        liquidity = unit * random.randint(5, 60)
        yield from _paid(stage, pool.direct_mint(hands.address, *span, liquidity))
        yield stage.time + int(random.uniform(0.5, 4) * WEEK_SECONDS)
        if number:
            yield from hands.send(pool.burn(*span, liquidity // random.choice((2, 3, 10))), pool.burn(*span, 0))
    if number % 3 == 2:
        left = stage.uniswap.view(pool).position_liquidity(hands.address, *span)
        yield from hands.send(pool.burn(*span, left), pool.collect(hands.address, *span))


def flash_provider(stage: Stage) -> Process:
    """In and out within one transaction, every other week: liquidity that existed for no second."""
    venue = stage.venues["WETH/USDC"]
    for visit in range(2, 30, 2):
        yield week(visit + 0.37)
        span = around(venue, stage.slot0(venue).tick, 10, 10)
        pool, liquidity, payer = venue.pool, 10**16, stage.uniswap.payer
        yield from _paid(stage, pool.direct_mint(payer, *span, liquidity), pool.burn(*span, liquidity))


def forger(stage: Stage, worthless: Pool) -> Process:
    """Puts dust into a pool of the program in the manager's name, and mints the same range in a worthless pool in the
    same transaction, hoping that its token will be taken for the owner of the first. Nobody owns that dust.
    """
    venue, manager = stage.venues["WETH/USDC"], stage.uniswap.manager
    yield week(7.25)
    span = around(venue, stage.slot0(venue).tick, 3_000, 3_000)
    yield from _paid(
        stage,
        venue.pool.direct_mint(manager.address, *span, 10**9),
        manager.mint(stage.address("forger"), worthless, *span, 10**24, 10**24),
    )
    yield stage.time + 5 * SLOT_SECONDS


def _paid(stage: Stage, *calls: Call) -> Process:
    """Calls by the payer contract, in one transaction."""
    yield [Transaction(stage.address("forger"), stage.uniswap.payer, batch(calls))]
