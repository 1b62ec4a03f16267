"""Verify: everything is computed again from the stored facts, prices and rules, and compared with what is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import Connection

from loyalty.core.address import checksum
from loyalty.core.errors import LoyaltyError, NotFound
from loyalty.core.facts import Swap
from loyalty.core.spans import Span
from loyalty.core.times import day_text
from loyalty.jobs.accrue import CLOSED, EMPTY, compute_day, counted_days, indexed_to
from loyalty.jobs.histories.opening import open_history
from loyalty.jobs.rules import latest_rules, rules_in_force
from loyalty.jobs.scoring.verify_points import verify_points
from loyalty.jobs.settle import SETTLED, Evaluation, budget_rows, digest_of, evaluate, participation_rows
from loyalty.program.rules import Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import chains, days, epochs, facts, pools
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow

ALL_TIME = Span(0, 1 << 62)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was computed again and agreed, and every place where it did not."""

    swaps: int
    pool_days: int
    cells: int
    digests: tuple[tuple[int, str], ...]
    faults: tuple[str, ...]
    point_lines: int = 0

    def lines(self) -> list[str]:
        """For people; the digests are what two machines compare."""
        told = [
            f"{self.swaps:,} swaps: the pool's liquidity follows from the positions at each",
            f"{self.pool_days:,} pool-days with {self.cells:,} cells computed again",
            *([f"{self.point_lines:,} lines of points counted again"] if self.point_lines else []),
            *(f"epoch {number} {digest}" for number, digest in self.digests),
        ]
        return (
            [*told, *(f"DIFFERS: {fault}" for fault in self.faults)] if self.faults else [*told, "Everything agrees."]
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "swaps": self.swaps,
            "pool_days": self.pool_days,
            "cells": self.cells,
            "digests": [{"epoch": number, "digest": digest} for number, digest in self.digests],
            "point_lines": self.point_lines,
            "faults": list(self.faults),
        }


def verify(state: State) -> Verified:
    """Recompute all of one snapshot; NotFound in a database without a program. Nothing is written."""
    with state.read() as connection:
        rules = latest_rules(connection)
        if rules is None:
            raise NotFound("the database has no program yet: there is nothing to verify")
        faults: list[str] = []
        swaps = pool_days = cells = 0
        for pool in pools.all_pools(connection):
            managers = frozenset(chains.position_managers(connection, pool.chain_id) or ())
            checked, sound = _verify_ledger(connection, pool, managers, faults)
            swaps += checked
            if not sound:
                continue  # days follow from nothing where the facts contradict each other
            counted, compared = _verify_days(connection, rules, pool, managers, faults)
            pool_days += counted
            cells += compared
        point_lines = verify_points(connection, faults)
        digests = tuple(_verify_epochs(connection, faults))
    return Verified(swaps, pool_days, cells, digests, tuple(faults), point_lines)


def _verify_ledger(
    connection: Connection, pool: PoolRow, managers: frozenset[Any], faults: list[str]
) -> tuple[int, bool]:
    """Fold every fact of the pool with all checks; how many swaps were folded, and whether all facts were.

    Transfers of a Curve pool are folded with theirs when its days are computed again.
    """
    if pool.protocol == "curve":
        return 0, True
    ledger = Ledger(managers)
    start_block = chains.get(connection, pool.chain_id).program_start_block
    swaps = facts.swaps(connection, pool.id, ALL_TIME)
    checked = 0
    try:
        for fact in merge(
            swaps, facts.ledger_facts(connection, [pool.id]), key=lambda fact: (fact.block, fact.log_index)
        ):
            ledger.apply(fact)
            checked += isinstance(fact, Swap)
    except LoyaltyError as error:
        faults.append(f"pool {checksum(pool.address)} (program from block {start_block}): {error}")
        return checked, False
    return checked, True


def _verify_days(
    connection: Connection, rules: Rules, pool: PoolRow, managers: frozenset[Any], faults: list[str]
) -> tuple[int, int]:
    """The closed days of the program, each under the rules in force in its epoch; how many, and with how many cells."""
    in_force = {
        day: epoch_rules
        for number in range(1, rules.epochs + 1)
        for epoch_rules in [rules_in_force(connection, number)[1]]
        for day in range(*counted_days(epoch_rules, pool).intersect(rules.epoch(number).days))
    }
    states = {day: state for day, state in days.states(connection, pool.id).items() if state.status in (CLOSED, EMPTY)}
    closed = sorted(states.keys() & in_force.keys())
    as_of = indexed_to(connection, pool)
    if not closed or as_of is None:
        return 0, 0
    stored: dict[int, dict[Any, tuple[int, int]]] = {day: {} for day in closed}
    for cell in days.cells(connection, Span(closed[0], closed[-1] + 1)):
        if cell.pool == pool.address and cell.chain == pool.chain_id and cell.day in stored:
            stored[cell.day][cell.provider] = (cell.usd_micro_days, cell.usd_micro_days_in_range)
    compared = 0
    history = open_history(connection, rules, pool, managers)
    for day in closed:
        history.prices.rules = in_force[day]
        result = compute_day(connection, pool, history, day, as_of, frozenset())
        place = f"pool {checksum(pool.address)} on {day_text(day)}"
        computed = {provider: (cell[0], cell[1]) for provider, cell in result.cells.items()}
        compared += len(computed)
        if result.status != states[day].status:
            faults.append(f"{place} is stored as {states[day].status}, computed as {result.status}")
        for provider in sorted({*computed, *stored[day]}):
            before, after = stored[day].get(provider), computed.get(provider)
            if before != after:
                faults.append(
                    f"{place}: {checksum(provider)} is stored with {before} micro-dollar-days, computed {after}"
                )
    return len(closed), compared


def _verify_epochs(connection: Connection, faults: list[str]) -> Iterator[tuple[int, str]]:
    """Each settled epoch's digest, computed again, after its rewards, tiers and ledgers were compared."""
    for row in epochs.all_epochs(connection):
        if row.status != SETTLED:
            continue
        evaluation = evaluate(connection, row.number)
        if evaluation is None:
            faults.append(f"epoch {row.number} is settled, but has not begun by the indexed blocks")
            continue
        faults += _epoch_faults(connection, evaluation)
        digest = digest_of(connection, evaluation)
        if digest != row.digest:
            faults.append(f"epoch {row.number} is stored with digest {row.digest}, computed {digest}")
        yield row.number, digest


def _epoch_faults(connection: Connection, evaluation: Evaluation) -> Iterator[str]:
    """Where what is stored of a settled epoch is not what its cells, prices and rules give."""
    number, result = evaluation.epoch.number, evaluation.result
    stored = {(each.token, each.provider): each.units for each in epochs.rewards(connection, number)}
    rewards = result.rewards.items()
    computed = {(token, provider): units for token, each in rewards for provider, units in each.items()}
    for token, provider in sorted({*stored, *computed}):
        before, after = stored.get((token, provider)), computed.get((token, provider))
        if before != after:
            who = f"epoch {number}: {checksum(provider)}"
            yield f"{who} is stored with {before} units of {token}, computed {after}"
    if sorted(epochs.participations(connection, number)) != sorted(participation_rows(result)):
        yield f"epoch {number}: the tiers and weights that are stored are not those computed"
    if sorted(epochs.budgets(connection, number)) != sorted(budget_rows(result)):
        yield f"epoch {number}: the ledgers that are stored are not those computed"
