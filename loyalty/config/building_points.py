"""From the points of a document without a fault to scores: tables of one name are parts of one."""

from collections.abc import Sequence
from fractions import Fraction

from loyalty.config.entries import PointsTable
from loyalty.config.program import PoolSettings
from loyalty.core.address import Address
from loyalty.program.rules import Count, PointsRule, PoolKey


def built_points(entries: Sequence[PointsTable], pools: Sequence[PoolSettings], count: Count) -> tuple[PointsRule, ...]:
    """Each score once, in the order of the file. Bridged shares count with the vault that they were bridged from."""
    keys: dict[Address, PoolKey] = {pool.address: pool.key for pool in pools if pool.home is None}
    by_name: dict[str, list[PointsTable]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    return tuple(_score(name, parts, keys, count) for name, parts in by_name.items())


def _score(name: str, parts: Sequence[PointsTable], keys: dict[Address, PoolKey], count: Count) -> PointsRule:
    by_round: dict[PoolKey, Fraction] = {}
    by_day: dict[PoolKey, Fraction] = {}
    for part in parts:
        for address in part.pools:
            if part.per_usd_per_round is not None:
                by_round[keys[address]] = part.per_usd_per_round
            if part.per_usd_day is not None:
                by_day[keys[address]] = part.per_usd_day
    return PointsRule(name, by_round, by_day, parts[0].require_no_unstake, count)
