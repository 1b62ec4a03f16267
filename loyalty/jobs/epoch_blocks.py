"""What keeps an epoch from being settled, told so that an operator knows what to wait for or to do."""

from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.times import day_text, duration_text, time_text
from loyalty.jobs.accrue import CLOSED, EMPTY, UNPRICED
from loyalty.jobs.epoch_prices import point_at
from loyalty.program.budget import tokens_priced_at_end
from loyalty.program.epochs import due_time
from loyalty.program.in_force import days_in_force, pools_in_force
from loyalty.program.rules import Epoch, PoolRule, Rules
from loyalty.state import chains, days, holds, pools
from loyalty.state.chains import ChainState


class Blocks(NamedTuple):
    """`final`: every chain has a final block at or after the epoch's end. `due`: and `settle_after` has passed."""

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
    final = all((chain.finalized_time or 0) >= epoch.end for chain in known)
    due = all(_final_or_head_time(chain) >= due_time(rules, epoch) for chain in known)
    if not due:
        wait = duration_text(rules.settle_after)
        return Blocks(final, False, (f"not due before final blocks reach {time_text(epoch.end)} + {wait}",))
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
