"""Unresolved: contracts with much in an epoch of which nobody knows, or nobody is, who stands behind them."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.jobs.rules import rules_in_force
from loyalty.program.cells import Cell, counted, in_program
from loyalty.program.in_force import contracts_looked_through
from loyalty.program.rules import Rules
from loyalty.state import contract_codes, days

UNKNOWN = "a contract that is neither looked through nor excluded: it earns itself"
NOBODY = "looked through, and nobody stands behind this part: nobody earns it"

Holder = tuple[int, Address]
"""An address on a chain."""


class Unresolved(NamedTuple):
    """A contract's stake in an epoch, in micro-dollar-days over these pools, and why it is told."""

    epoch: int
    chain: int
    address: Address
    usd_micro_days: int
    pools: tuple[Address, ...]
    why: str


class _Stake(NamedTuple):
    usd_micro_days: int
    pools: tuple[Address, ...]


def unresolved_in(connection: Connection, number: int) -> list[Unresolved]:
    """Of an epoch, by its rules, the largest first. An average above `unresolved_usd` is told, no less."""
    _, rules = rules_in_force(connection, number)
    contracts, through = contract_codes.contracts(connection), contracts_looked_through(rules)
    if not contracts and not through:
        return []
    found = [
        Unresolved(number, *holder, *stake, NOBODY if holder in through else UNKNOWN)
        for holder, stake in large_stakes(connection, rules, number).items()
        if holder in contracts or holder in through
    ]
    return sorted(found, key=lambda each: (-each.usd_micro_days, each.chain, each.address))


def large_stakes(connection: Connection, rules: Rules, number: int) -> dict[Holder, _Stake]:
    """Whoever has more than `unresolved_usd` on average over an epoch on one chain, and is not excluded."""
    sums: dict[Holder, dict[Address, int]] = {}
    for chain, pool, provider, usd_micro_days in _stakes(connection, rules, number):
        by_pool = sums.setdefault((chain, provider), {})
        by_pool[pool] = by_pool.get(pool, 0) + usd_micro_days
    all_days, above = rules.epoch(number).days.length, rules.unresolved_usd_micro
    stakes = {holder: _Stake(sum(by_pool.values()), tuple(sorted(by_pool))) for holder, by_pool in sums.items()}
    return {holder: stake for holder, stake in stakes.items() if stake.usd_micro_days > above * all_days}


def _stakes(connection: Connection, rules: Rules, number: int) -> Iterator[tuple[int, Address, Address, int]]:
    """The cells that count, and those that stay with contracts that are looked through."""
    epoch, through = rules.epoch(number), contracts_looked_through(rules)
    cells = [Cell(*cell) for cell in days.cells(connection, epoch.days)]
    left = [cell for cell in in_program(rules, epoch, cells) if (cell.chain, cell.provider) in through]
    for cell in (*counted(rules, epoch, cells), *left):
        yield cell.chain, cell.pool, cell.provider, cell.usd_micro_days
