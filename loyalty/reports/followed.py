"""One provider's positions in a pool followed over time, with the log behind each change."""

from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.facts import LiquidityChange, PositionChange, PositionKey, PositionStake, PositionTransfer
from loyalty.core.spans import Span
from loyalty.jobs.histories.holders import StakerHistory, stakes_of
from loyalty.program.explanation import LiquiditySpan
from loyalty.program.rules import Rules
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import facts
from loyalty.state.pools import PoolRow

Fact = LiquidityChange | PositionTransfer | PositionStake


class Held(NamedTuple):
    """From `time` on the position has `liquidity`, by this log; in `staker`, where the provider deposited it in one."""

    time: int
    liquidity: int
    log: Checkpoint
    staker: Address | None = None


History = dict[PositionKey, list[Held]]
"""Each position that was ever the provider's, in the order of its logs; emptied ones too."""


def follow(
    connection: Connection, pool: PoolRow, rules: Rules, managers: Collection[Address], provider: Address
) -> History:
    """A fold over the pool's liquidity and ownership and the stakers of `rules`, kept for one provider."""
    history = History()
    for fact, owned, changes in _changes(connection, pool, rules, managers):
        for change in changes:
            if change.position.owner == provider:
                steps = history.setdefault(change.position, [])
                liquidity = (steps[-1].liquidity if steps else 0) + change.liquidity_delta
                log = Checkpoint(fact.block, fact.log_index)
                steps.append(Held(change.time, liquidity, log, _staker(fact, owned, change)))
    return history


def _changes(
    connection: Connection, pool: PoolRow, rules: Rules, managers: Collection[Address]
) -> Iterator[tuple[Fact, Sequence[PositionChange], Sequence[PositionChange]]]:
    """Each fact with the changes that it made: by owner, and by depositor."""
    ledger, stakers = Ledger(managers), StakerHistory(connection, pool.chain_id, rules)
    in_force = stakers.stakers(rules)
    stored: Iterator[Fact] = facts.ledger_facts(connection, [pool.id])
    stakes: Iterator[Fact] = stakes_of(connection, pool.chain_id) if in_force else iter(())
    for fact in merge(stored, stakes, key=lambda fact: (fact.block, fact.log_index)):
        owned = [] if isinstance(fact, PositionStake) else ledger.apply(fact)
        yield fact, owned, stakers.apply(fact, owned).get(in_force, owned)


def _staker(fact: Fact, owned: Sequence[PositionChange], change: PositionChange) -> Address | None:
    """Who holds the NFT, where the depositor's change is not the owner's own."""
    if change.liquidity_delta <= 0 and isinstance(fact, PositionStake | PositionTransfer):
        return None  # it leaves the provider
    if isinstance(fact, PositionStake):
        return None if fact.staker == change.position.owner else fact.staker
    owners = {
        each.position.owner
        for each in owned
        if (each.position.token, each.liquidity_delta) == (change.position.token, change.liquidity_delta)
    }
    return None if change.position.owner in owners else next(iter(owners), None)


def liquidity_spans(steps: Sequence[Held], within: Span) -> tuple[LiquiditySpan, ...]:
    """The stretches of `within` with liquidity, none of them empty."""
    stretches = (LiquiditySpan(span, step.liquidity, step.log) for step, span in _stretches(steps, within))
    return tuple(each for each in stretches if each.span and each.liquidity)


def stakers_within(steps: Sequence[Held], within: Span) -> list[Address]:
    """The stakers that held the position's NFT at some time of `within`, in order."""
    found = (step.staker for step, span in _stretches(steps, within) if span and step.liquidity)
    return list(dict.fromkeys(staker for staker in found if staker is not None))


def _stretches(steps: Sequence[Held], within: Span) -> Iterator[tuple[Held, Span]]:
    ends = [*(step.time for step in steps[1:]), within.end]
    for step, end in zip(steps, ends, strict=False):
        yield step, within.intersect(Span(step.time, end))
