"""What is in force in an epoch: the days on which a pool is part of the program, or a provider is excluded."""

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.program.rules import Epoch, Exclusion, PoolKey, PoolRule, Rules


def days_in_force(from_day: int | None, until_day: int | None, epoch: Epoch) -> Span:
    """The days of [from_day, until_day) that lie in `epoch`; None leaves that side open. May be empty."""
    days = epoch.days
    start = days.start if from_day is None else from_day
    return days.intersect(Span(start, days.end if until_day is None else until_day))


def pools_in_force(rules: Rules, epoch: Epoch) -> list[PoolRule]:
    """The pools that are part of the program on at least one day of `epoch`."""
    return [pool for pool in rules.pools if days_in_force(pool.from_day, pool.until_day, epoch)]


def exclusions_in_force(rules: Rules, epoch: Epoch) -> list[Exclusion]:
    """The exclusions of at least one day of `epoch`."""
    return [exclusion for exclusion in rules.exclusions if exclusion_days(exclusion, epoch)]


def exclusion_days(exclusion: Exclusion, epoch: Epoch) -> Span:
    """The days of `epoch` on which the exclusion holds."""
    return days_in_force(exclusion.from_day, exclusion.until_day, epoch)


def pool_days(rules: Rules, epoch: Epoch) -> dict[PoolKey, Span]:
    """For each pool in force its days in `epoch`."""
    return {pool.pool: days_in_force(pool.from_day, pool.until_day, epoch) for pool in pools_in_force(rules, epoch)}


def excluded_days(rules: Rules, epoch: Epoch) -> dict[Address, frozenset[int]]:
    """For each provider that is excluded in `epoch` the days on which it is, by whichever exclusion."""
    days: dict[Address, set[int]] = {}
    for exclusion in exclusions_in_force(rules, epoch):
        days.setdefault(exclusion.address, set()).update(range(*exclusion_days(exclusion, epoch)))
    return {address: frozenset(excluded) for address, excluded in days.items()}


def contracts_looked_through(rules: Rules) -> frozenset[tuple[int, Address]]:
    """Contracts, each with its chain, whose own cells are what nobody stands behind."""
    return frozenset((rule.chain, rule.address) for rule in rules.look_through)
