"""One provider's positions in a pool followed over time, with the log behind each change."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.facts import PositionKey
from loyalty.core.spans import Span
from loyalty.program.explanation import LiquiditySpan
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import facts
from loyalty.state.pools import PoolRow


class Held(NamedTuple):
    """From `time` on the position has `liquidity`, by this log."""

    time: int
    liquidity: int
    log: Checkpoint


History = dict[PositionKey, list[Held]]
"""Each position that was ever the provider's, in the order of its logs; emptied ones too."""


def follow(connection: Connection, pool: PoolRow, managers: Collection[Address], provider: Address) -> History:
    """A fold over the pool's liquidity and ownership, kept for one provider."""
    ledger, history = Ledger(managers), History()
    for fact in facts.ledger_facts(connection, [pool.id]):
        for change in ledger.apply(fact):
            if change.position.owner == provider:
                steps = history.setdefault(change.position, [])
                liquidity = (steps[-1].liquidity if steps else 0) + change.liquidity_delta
                steps.append(Held(change.time, liquidity, Checkpoint(fact.block, fact.log_index)))
    return history


def liquidity_spans(steps: Sequence[Held], within: Span) -> tuple[LiquiditySpan, ...]:
    """The stretches of `within` with liquidity, none of them empty."""
    ends = [*(step.time for step in steps[1:]), within.end]
    stretches = (
        LiquiditySpan(within.intersect(Span(step.time, end)), step.liquidity, step.log)
        for step, end in zip(steps, ends, strict=True)
    )
    return tuple(each for each in stretches if each.span and each.liquidity)
