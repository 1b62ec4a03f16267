"""What keeps an epoch from being settled, told so that an operator knows what to wait for or to do."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.times import HOUR_SECONDS, day_text, duration_text, time_text
from loyalty.jobs.accrue import CLOSED, EMPTY, UNPRICED, indexed_to
from loyalty.jobs.pricing.epoch_prices import point_at
from loyalty.program.budget import tokens_priced_at_end
from loyalty.program.epochs import due_time
from loyalty.program.in_force import days_in_force, pools_in_force
from loyalty.program.rules import Epoch, PoolRule, Rules
from loyalty.state import chains, days, holds, pools
from loyalty.state.chains import ChainState

LAG_SECONDS = HOUR_SECONDS
"""Chains whose newest indexed blocks lie closer together than this go side by side."""


class Blocks(NamedTuple):
    """`final`: every chain has a final block at or after the epoch's end, and its pools are indexed up to there. `due`:
    every chain's final blocks have passed the end by `settle_after`.
    """

    final: bool
    due: bool
    reasons: tuple[str, ...]

    @property
    def settles(self) -> bool:
        return self.due and not self.reasons

    def also(self, reason: str) -> "Blocks":
        """The same, with one reason more."""
        return self._replace(reasons=(*self.reasons, reason))


def blocks_of(connection: Connection, rules: Rules, epoch: Epoch, grid_tokens: frozenset[str]) -> Blocks:
    """What blocks the epoch. Nothing blocks it only when it is due."""
    known = chains.all_chains(connection)
    reached = indexed_times(connection, rules, epoch)
    final = all((chain.finalized_time or 0) >= epoch.end for chain in known) and min(reached.values()) >= epoch.end
    due = all(_final_or_head_time(chain) >= due_time(rules, epoch) for chain in known)
    if not due:
        wait = duration_text(rules.settle_after)
        waits = f"not due before final blocks reach {time_text(epoch.end)} + {wait}"
        return Blocks(final, False, (waits, *_lagging(known, reached, epoch)))
    reasons = [reason for chain in known for reason in _chain_reasons(chain, rules, epoch)]
    finalized = {chain.id: chain.finalized_block or 0 for chain in known}
    for pool in pools_in_force(rules, epoch):
        reasons += _pool_reasons(connection, pool, epoch, finalized.get(pool.pool.chain, 0))
    final_time = min((_final_or_head_time(chain) for chain in known), default=0)
    for symbol in tokens_priced_at_end(rules):
        waits_until = epoch.end + rules.tokens[symbol].max_age if symbol in grid_tokens else epoch.end
        reasons += _price_reasons(connection, rules, epoch, symbol, final_time < waits_until)
    reasons += [f"on hold: {hold.reason}" for hold in holds.active(connection)]
    return Blocks(final, due, tuple(reasons))


def indexed_times(connection: Connection, rules: Rules, epoch: Epoch) -> dict[int, int]:
    """By chain the second up to which all of its pools of the epoch are indexed; 0 before the first block."""
    found: dict[int, int] = {}
    for rule in pools_in_force(rules, epoch):
        row = pools.find(connection, rule.pool.chain, rule.pool.address)
        as_of = None if row is None else indexed_to(connection, row)
        time = 0 if as_of is None else as_of.time
        found[rule.pool.chain] = min(found.get(rule.pool.chain, time), time)
    return found or {0: epoch.end}


def _lagging(known: list[ChainState], reached: Mapping[int, int], epoch: Epoch) -> list[str]:
    """Which chains are far behind the foremost: until they have come up, what lies there is missing in every sum."""
    foremost = min(max(reached.values()), epoch.end)
    names = {chain.id: chain.name for chain in known}
    return [
        f"{names.get(chain_id, chain_id)} is indexed up to {time_text(time) if time else 'no block yet'} only: what "
        "lies there counts when it has caught up"
        for chain_id, time in sorted(reached.items())
        if time + LAG_SECONDS < foremost
    ]


def _final_or_head_time(chain: ChainState) -> int:
    """The time by which a chain makes epochs due: its final block's, or its head's where it never tells a final one."""
    return (chain.finalized_time if chain.finalized_time is not None else chain.head_time) or 0


def _chain_reasons(chain: ChainState, rules: Rules, epoch: Epoch) -> list[str]:
    if chain.finalized_time is None:
        return [
            f"{chain.name} tells no finalized block: settlement is refused until chains.{chain.name}.confirmations is "
            "set in the program file"
        ]
    return []


def _pool_reasons(connection: Connection, rule: PoolRule, epoch: Epoch, finalized_block: int) -> list[str]:
    row = pools.find(connection, rule.pool.chain, rule.pool.address)
    if row is None:
        return [f"pool {rule.pool.address} is not indexed yet"]
    states = days.states(connection, row.id)
    reasons = []
    for day in range(*days_in_force(rule.from_day, rule.until_day, epoch)):
        state = states.get(day)
        if state is None or state.status not in (CLOSED, EMPTY, UNPRICED):
            waits = f": {state.reason}" if state and state.reason else ""
            reasons.append(f"pool {row.address} on {day_text(day)} is not computed yet{waits}")
        elif state.status == UNPRICED:
            reasons.append(
                f"pool {row.address} on {day_text(day)} has no price: {state.reason}. Wait for the source, or set one "
                "with `loyalty price set`"
            )
        elif state.as_of_block > finalized_block:
            reasons.append(
                f"pool {row.address} on {day_text(day)} was closed by block {state.as_of_block}, not final yet"
            )
    return reasons


def _price_reasons(connection: Connection, rules: Rules, epoch: Epoch, symbol: str, may_still_come: bool) -> list[str]:
    """Whether the token has a price at the epoch's end, and the grid's own point there where that may still come."""
    point = point_at(connection, rules.tokens[symbol], epoch.end)
    if point is None:
        return [
            f"{symbol} has no valid price at the epoch's end {time_text(epoch.end)}. Wait for the source, or set one "
            f"with `loyalty price set {symbol}`"
        ]
    if may_still_come and point.valid_time < epoch.end:
        return [f"{symbol}: the price at the epoch's end {time_text(epoch.end)} has not been published yet"]
    return []
