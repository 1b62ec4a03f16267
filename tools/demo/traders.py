"""Swaps: people who trade for reasons of their own, and arbitrageurs who bring the pool back to the market."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.times import HOUR_SECONDS
from tools.demo.calendar import PROGRAM_START, SLOT_SECONDS, STORM, STORY_END, week
from tools.demo.processes import Process
from tools.demo.rounding import leading_digits
from tools.demo.stage import Stage, Venue
from tools.evm.node import Transaction
from tools.evm.payer import Call

_PLENTY = 10**29


@dataclass(frozen=True, slots=True)
class Trade:
    """How much is traded in a venue: visits an hour, the median size in USD, and the chance of a trade at a visit."""

    venue: str
    visits: float
    median_usd: float
    chance: float


TRADES = (Trade("WETH/USDC", 1.55, 4_000, 0.55), Trade("LOYAL/WETH", 1.05, 700, 0.62))
_STORM_VISITS = 2.2
_EARLY_VISITS = 0.25
_CROWD = 60
_TO_THE_BOUNDARY = 0.03
_EFFORT = 999_950
"""Millionths of the band's edge at which a profit is worth a transaction."""


def trading(stage: Stage, trade: Trade) -> Process:
    """All swaps in one venue."""
    random = stage.random(f"trades/{trade.venue}")
    crowd = [stage.account(f"trader/{trade.venue}/{n}") for n in range(_CROWD)]
    bots = [stage.account(f"arbitrageur/{trade.venue}/{n}") for n in range(3)]
    venue = stage.venues[trade.venue]
    for time in _visits(random, trade):
        yield time
        swaps = [*_arbitrage(stage, venue, random, bots), *_wishes(stage, venue, random, crowd, trade)]
        if swaps:
            yield [Transaction(trader, call.to, call.data) for trader, call in swaps]


def _visits(random: Random, trade: Trade) -> Iterator[int]:
    """Times as of a Poisson process: few before the program, many in the storm."""
    time = float(week(-0.9))
    while time < STORY_END:
        storm = week(STORM[0]) <= time < week(STORM[1])
        factor = _EARLY_VISITS if time < PROGRAM_START else _STORM_VISITS if storm else 1.0
        time += max(SLOT_SECONDS, random.expovariate(trade.visits * factor / HOUR_SECONDS))
        yield int(time)


def _arbitrage(stage: Stage, venue: Venue, random: Random, bots: list[Address]) -> Iterator[tuple[Address, Call]]:
    """The swap that leaves no profit: to the edge of the band that the fee makes around the market's price."""
    now, fair = stage.slot0(venue), stage.market_sqrt_price_x96(venue)
    low = fair * (2_000_000 - venue.pool.fee_pips) // 2_000_000
    high = fair * (2_000_000 + venue.pool.fee_pips) // 2_000_000
    if low * _EFFORT <= now.sqrt_price_x96 * 10**6 <= high * (2 * 10**6 - _EFFORT):
        return
    bot, down = random.choice(bots), now.sqrt_price_x96 > high
    limit = high if down else low
    if random.random() < _TO_THE_BOUNDARY:
        limit = _boundary(venue, now.sqrt_price_x96, now.tick, down)
    yield bot, stage.uniswap.router.swap(bot, venue.pool, down, _PLENTY, limit)


def _boundary(venue: Venue, sqrt_price_x96: int, tick: int, down: bool) -> int:
    """The price exactly on the next usable tick, where going down leaves the tick below it."""
    spacing = venue.pool.tick_spacing
    usable = tick // spacing * spacing + (0 if down else spacing)
    if sqrt_ratio_at_tick(usable) == sqrt_price_x96:
        usable += -spacing if down else spacing
    return sqrt_ratio_at_tick(usable)


def _wishes(
    stage: Stage, venue: Venue, random: Random, crowd: list[Address], trade: Trade
) -> Iterator[tuple[Address, Call]]:
    """What people want to trade: most of it small, some of it large."""
    if random.random() >= trade.chance:
        return
    for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
        trader, sell0 = random.choice(crowd), random.random() < 0.5
        usd = min(random.lognormvariate(0, 1.3) * trade.median_usd, trade.median_usd * 60)
        symbol, decimals = (venue.symbols[not sell0], venue.decimals[not sell0])
        amount = int(usd * 10**8 / stage.market.usd(symbol, stage.time) * 10**decimals)
        yield trader, stage.uniswap.router.swap(trader, venue.pool, sell0, leading_digits(amount, 3))
