"""Cells: what one provider held in one pool on one day, in micro-dollar-days. Everything that is paid starts here."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.program.in_force import contracts_looked_through, excluded_days, pool_days
from loyalty.program.rules import Epoch, PoolKey, Rules


class Cell(NamedTuple):
    """One row of `daily_balances`: floor of the day's USD integral, total and in range, in micro-dollar-days.

    `provider` is who earns, after look-through; `day` counts from 1970-01-01.
    """

    chain: int
    pool: Address
    provider: Address
    day: int
    usd_micro_days: int
    usd_micro_days_in_range: int

    @property
    def pool_key(self) -> PoolKey:
        return PoolKey(self.chain, self.pool)


def in_program(rules: Rules, epoch: Epoch, cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells of days of `epoch` on which their pool is part of the program, of excluded providers too."""
    days_of_pool: dict[tuple[int, Address], Span] = dict(pool_days(rules, epoch).items())
    for cell in cells:
        days = days_of_pool.get(cell[:2])  # a slice equals its PoolKey and is built faster
        if days is not None and days.start <= cell.day < days.end:
            yield cell


def of_providers(rules: Rules, epoch: Epoch, cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells in the program that are somebody's: what a contract that is looked through has left is nobody's."""
    looked_through = contracts_looked_through(rules)
    return (cell for cell in in_program(rules, epoch, cells) if (cell.chain, cell.provider) not in looked_through)


def counted(rules: Rules, epoch: Epoch, cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells that count: of providers, and of those that are not excluded that day."""
    excluded = excluded_days(rules, epoch)
    for cell in of_providers(rules, epoch, cells):
        if cell.provider not in excluded or cell.day not in excluded[cell.provider]:
            yield cell


Holdings = dict[Address, dict[PoolKey, int]]
"""Per provider and pool the micro-dollar-days of an epoch that count; providers with nothing are left out."""


def holdings(rules: Rules, epoch: Epoch, cells: Iterable[Cell]) -> Holdings:
    """Each provider's micro-dollar-days per pool: summed over the epoch's days, after exclusions, under `count`."""
    sums: dict[tuple[Address, tuple[int, Address]], int] = {}
    full = rules.count == "full"
    for cell in counted(rules, epoch, cells):
        amount = cell.usd_micro_days if full else cell.usd_micro_days_in_range
        if amount > 0:
            key = (cell.provider, cell[:2])
            sums[key] = sums.get(key, 0) + amount
    held: Holdings = {}
    for (provider, pool), amount in sums.items():
        held.setdefault(provider, {})[PoolKey(*pool)] = amount
    return held
