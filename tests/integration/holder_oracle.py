"""Who stands behind what, in fractions, from a moment's views alone: the second opinion on look-through.

A part that nobody stands behind stays with the contract that holds it. With `through` False everything does, but for
the gauge's, which belongs to its pool.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise

from loyalty.core.address import ZERO_ADDRESS, Address
from tests.integration.holder_scene import HolderMoment, HolderScene, Position
from tests.integration.notes import Holding, PriceAt
from tests.integration.points_oracle import Stretch

HOUR = 3_600
Parts = dict[str, Fraction]


def uniswap_usd(
    scene: HolderScene,
    moment: HolderMoment,
    price0: Fraction,
    price1: Fraction,
    *,
    in_range: bool = False,
    through: bool = True,
) -> Parts:
    """Dollars in the Uniswap pool by who stands behind, all or in range; prices in USD per smallest unit."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for provider, part, holding in _holdings(scene, moment, through):
        if not in_range or holding.lower <= moment.tick < holding.upper:
            found[provider] += part * holding.usd(moment.sqrt_price_x96, price0, price1)
    return {provider: usd for provider, usd in found.items() if usd}


def _holdings(scene: HolderScene, moment: HolderMoment, through: bool) -> Iterator[tuple[str, Fraction, Holding]]:
    for each in moment.positions:
        provider = _provider(each) if through else each.owner
        yield provider, Fraction(1), Holding(each.owner, each.lower, each.upper, each.liquidity, None)
    managed = Holding(scene.manager, *moment.range, None)
    for provider, part in (behind(moment, scene.manager) if through else {scene.manager: Fraction(1)}).items():
        yield provider, part, managed


def _provider(position: Position) -> Address:
    return position.owner if position.depositor == ZERO_ADDRESS else position.depositor


def behind(moment: HolderMoment, contract: Address) -> Parts:
    """The parts of what a contract holds: by its shares, or its own while there are none."""
    supply = moment.supply[contract]
    if not supply:
        return {contract: Fraction(1)}
    return {holder: Fraction(units, supply) for holder, units in moment.shares[contract].items()}


def lp_units(scene: HolderScene, moment: HolderMoment, *, through: bool = True) -> Parts:
    """LP tokens of the first Curve pool by who stands behind; those in the gauge without a deposit are left out."""
    venue = scene.curve.ng
    in_hand, staked = (moment.curve.balances[token] for token in venue.shares)
    parts: defaultdict[str, Fraction] = defaultdict(Fraction)
    for holder, units in (*in_hand.items(), *staked.items()):
        if holder not in (venue.gauge, venue.pool):
            parts[holder] += units
    for contract in (scene.receipts, scene.lp_vault.address) if through else ():
        _hand_on(parts, contract, behind(moment, contract))
    return {holder: units for holder, units in parts.items() if units}


def _hand_on(parts: defaultdict[str, Fraction], contract: Address, to: Mapping[str, Fraction]) -> None:
    units = parts.pop(contract, Fraction(0))
    for holder, part in to.items():
        parts[holder] += units * part


def curve_usd(
    scene: HolderScene, moment: HolderMoment, prices: Mapping[int, Fraction], *, through: bool = True
) -> Parts:
    """Dollars in the first Curve pool; prices in USD per smallest unit of each coin, by its place."""
    venue = scene.curve.ng
    supply, held = moment.curve.supply[venue.pool], moment.curve.holdings[venue.pool]
    if not supply:
        return {}
    value = sum((units * prices[coin] for coin, units in zip(venue.coins, held, strict=True)), Fraction(0))
    return {holder: units * value / supply for holder, units in lp_units(scene, moment, through=through).items()}


def hours_between(moments: list[HolderMoment], start: int, end: int) -> Iterator[tuple[HolderMoment, int, int]]:
    """What stands still and from when to when, within [start, end): from block to block, cut at full hours."""
    for moment, after in pairwise(moments):
        at, last = max(moment.time, start), min(after.time, end)
        while at < last:
            until = min(last, (at // HOUR + 1) * HOUR)
            yield moment, at, until
            at = until


def uniswap_stretches(
    scene: HolderScene,
    start: int,
    end: int,
    price_at: PriceAt,
    *,
    in_range: bool = False,
    through: bool = True,
) -> Iterator[Stretch]:
    """For `points_oracle.cells`: the Uniswap pool's dollars by who stands behind."""
    for moment, at, until in hours_between(scene.moments, start, end):
        usd = uniswap_usd(scene, moment, *price_at(at), in_range=in_range, through=through)
        yield Stretch(at, until, usd)


def curve_stretches(
    scene: HolderScene, start: int, end: int, third: Callable[[int], Fraction], *, through: bool = True
) -> Iterator[Stretch]:
    """For `points_oracle.cells`: the first Curve pool's dollars. `third` tells the USD of a whole third coin at a
    second; of the other two each is a dollar."""
    for moment, at, until in hours_between(scene.moments, start, end):
        prices = {0: Fraction(1, 10**6), 1: Fraction(1, 10**18), 2: third(at) / 10**8}
        yield Stretch(at, until, curve_usd(scene, moment, prices, through=through))
