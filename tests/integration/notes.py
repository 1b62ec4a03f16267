"""What the contracts say after each block, and the integral in fractions that follows from that alone."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from loyalty.accrual.tick_math import sqrt_ratio_at_tick
from loyalty.core.address import Address
from loyalty.core.facts import PositionToken
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of
from tests.integration.scene import Scene
from tools.evm.node import RevertedError
from tools.evm.pool import Pool, PoolView
from tools.evm.position_manager import PositionManager

PriceAt = Callable[[int], tuple[Fraction, Fraction]]
"""USD per smallest unit of token0 and token1 at a second."""


@dataclass(frozen=True)
class Holding:
    """Liquidity of one provider, by the contracts' words."""

    owner: Address
    lower: int
    upper: int
    liquidity: int
    token: PositionToken | None

    def usd(self, sqrt_price_x96: int, price0: Fraction, price1: Fraction) -> Fraction:
        """By Uniswap's formulas for the amounts, exactly."""
        low, high = (Fraction(sqrt_ratio_at_tick(tick), 2**96) for tick in (self.lower, self.upper))
        root = min(max(Fraction(sqrt_price_x96, 2**96), low), high)
        return self.liquidity * ((1 / root - 1 / high) * price0 + (root - low) * price1)


@dataclass(frozen=True)
class Moment:
    """The pool after a block."""

    time: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    held: tuple[Holding, ...]


@dataclass
class Notes:
    """The token ids and direct ranges that are watched in a pool, and the moments noted so far."""

    scene: Scene
    pool: Pool
    tokens: list[tuple[PositionManager, int]] = field(default_factory=list)
    direct: list[tuple[Address, int, int]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    def take(self) -> Moment:
        """Ask the contracts at the head."""
        view = self.scene.uniswap.view(self.pool)
        held = (*self._of_tokens(), *self._of_direct(view))
        self.moments.append(Moment(self.scene.now, *view.slot0(), view.liquidity(), held))
        return self.moments[-1]

    def _of_tokens(self) -> Iterator[Holding]:
        node = self.scene.node
        for manager, token_id in self.tokens:
            try:
                position = manager.position(node, token_id)
            except RevertedError:
                continue  # burned
            if position[:3] != self.pool[1:4]:
                continue  # of another pool
            owner, token = manager.owner_of(node, token_id), PositionToken(manager.address, token_id)
            yield Holding(owner, position.lower, position.upper, position.liquidity, token)

    def _of_direct(self, view: PoolView) -> Iterator[Holding]:
        for owner, lower, upper in self.direct:
            yield Holding(owner, lower, upper, view.position_liquidity(owner, lower, upper), None)

    def daily(self, start: int, price_at: PriceAt) -> dict[tuple[Address, int], tuple[int, int]]:
        """Micro-dollar-days, in all and in range, by provider and day, of what was held from `start` on."""
        totals: dict[tuple[Address, int], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        for before, after in pairwise(self.moments):
            for second, seconds in _stretches(max(start, before.time), after.time):
                price0, price1 = price_at(second)
                for holding in before.held:
                    dollars = holding.usd(before.sqrt_price_x96, price0, price1) * seconds
                    total = totals[holding.owner, day_of(second)]
                    total[0] += dollars
                    total[1] += dollars if holding.lower <= before.tick < holding.upper else 0
        cells = {key: (_micro_days(usd), _micro_days(in_range)) for key, (usd, in_range) in totals.items()}
        return {key: cell for key, cell in cells.items() if cell[0]}


def _stretches(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Second and length of the pieces of [start, end) between full hours, at which prices change and days end."""
    while start < end:
        stop = min(end, (start // HOUR_SECONDS + 1) * HOUR_SECONDS)
        yield start, stop - start
        start = stop


def _micro_days(dollar_seconds: Fraction) -> int:
    return int(dollar_seconds * 10**6 / DAY_SECONDS)
