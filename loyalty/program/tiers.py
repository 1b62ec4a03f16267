"""Tiers: who qualifies in an epoch, for how many epochs it has, and what its liquidity therefore weighs."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS
from loyalty.program.cells import Cell, Holdings, holdings
from loyalty.program.rules import Epoch, PoolKey, Rules, Tier

NO_TIER_MULTIPLIER = Fraction(1)


class Participation(NamedTuple):
    """A provider's part in an epoch that qualifies for it.

    `usd_micro_days` is the epoch's sum after exclusions, under `count`, not weighted by pool. `participation_epoch`
    counts the provider's qualifying epochs, this one included. `tier` is None where no tier applies. `weight` is exact:
    dollar-days x pool weights x multiplier.
    """

    provider: Address
    usd_micro_days: int
    participation_epoch: int
    tier: str | None
    multiplier: Fraction
    weight: Fraction


def average_is_at_least(usd_micro_days: int, days: int, minimum_usd_micro: int) -> bool:
    """Whether `usd_micro_days` over `days` days are on average at least the minimum, in micro-dollars. Exact."""
    return usd_micro_days >= minimum_usd_micro * days


def qualifies(rules: Rules, epoch: Epoch, usd_micro_days: int) -> bool:
    """Whether an average over all days of the epoch is above zero and at least the program's `minimum_usd`."""
    return usd_micro_days > 0 and average_is_at_least(usd_micro_days, epoch.days.length, rules.minimum_usd_micro)


def tier_of(rules: Rules, epoch: Epoch, participation_epoch: int, usd_micro_days: int) -> Tier | None:
    """The last tier that has begun by `participation_epoch` and whose own minimum the average reaches."""
    for tier in reversed(rules.tiers):
        begun = tier.from_epoch <= participation_epoch
        if begun and average_is_at_least(usd_micro_days, epoch.days.length, tier.minimum_usd_micro):
            return tier
    return None


def participate(
    rules: Rules, epoch: Epoch, cells: Iterable[Cell], qualifying_before: Mapping[Address, int]
) -> list[Participation]:
    """The participations of an epoch, in ascending order of address.

    `cells` are the epoch's (others are left out); `qualifying_before` gives each provider's qualifying epochs before
    this one, as `qualifying_after` counted them; a missing provider has none.
    """
    return participations_of(rules, epoch, holdings(rules, epoch, cells), qualifying_before)


def participations_of(
    rules: Rules, epoch: Epoch, held: Holdings, qualifying_before: Mapping[Address, int]
) -> list[Participation]:
    """`participate`, from holdings that are already summed."""
    weights = _IntegerWeights(rules)
    result = []
    for provider in sorted(held):
        usd_micro_days = sum(held[provider].values())
        if not qualifies(rules, epoch, usd_micro_days):
            continue
        participation_epoch = qualifying_before.get(provider, 0) + 1
        tier = tier_of(rules, epoch, participation_epoch, usd_micro_days)
        multiplier = tier.multiplier if tier else NO_TIER_MULTIPLIER
        weight = weights.weight(held[provider], multiplier)
        name = tier.name if tier else None
        result.append(Participation(provider, usd_micro_days, participation_epoch, name, multiplier, weight))
    return result


def qualifying_after(
    rules: Rules, before: Mapping[Address, int], participations: Iterable[Participation]
) -> dict[Address, int]:
    """Each provider's qualifying epochs after an epoch with these participations; zeros are left out.

    A lapse sets the count to zero (`on_lapse` "reset") or leaves it ("pause").
    """
    after = dict(before) if rules.on_lapse == "pause" else {}
    for participation in participations:
        after[participation.provider] = participation.participation_epoch
    return after


class _IntegerWeights:
    """The pools' weights over one denominator: a weight then costs one Fraction a provider, not one a pool."""

    def __init__(self, rules: Rules) -> None:
        self._denominator = lcm(*(pool.weight.denominator for pool in rules.pools))
        self._numerators = {pool.pool: int(pool.weight * self._denominator) for pool in rules.pools}

    def weight(self, pools: Mapping[PoolKey, int], multiplier: Fraction) -> Fraction:
        weighted = sum(usd_micro_days * self._numerators[pool] for pool, usd_micro_days in pools.items())
        scale = self._denominator * 10**USD_DECIMALS
        return Fraction(weighted * multiplier.numerator, scale * multiplier.denominator)
