"""A turn: one protocol's part of a step of the index. What a protocol must be able to do stands here."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection

from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.state.pools import PoolRow


@dataclass(frozen=True, slots=True)
class Plan:
    """The next span and the pools that it is for. `limit` is a block that it never reaches, whatever the endpoint."""

    pools: tuple[PoolRow, ...]
    start: int
    limit: int
    start_block: int | None
    with_swaps: bool

    def of(self, protocol: str) -> "Plan":
        """For the pools of one protocol alone."""
        return replace(self, pools=tuple(pool for pool in self.pools if pool.protocol == protocol))

    @property
    def protocols(self) -> list[str]:
        """Those of its pools, in the order in which they are read."""
        return sorted({pool.protocol for pool in self.pools})


class Turn(Protocol):
    """A span of one protocol's pools: read, checked, stored. Its ledger is lost unless `keep` is called."""

    def read(self, span: Span) -> Conversation[int]:
        """The conversation, which folds the span's facts into the ledger; returns how many logs were looked at."""
        ...

    def check(self) -> None:
        """Raises Inconsistent where what was read cannot be all of a pool's history."""
        ...

    def store(self, connection: Connection) -> Counter[int]:
        """Store the facts; how many new ones each block has."""
        ...

    def keep(self) -> None:
        """The step is stored: the next one goes on with this turn's ledger."""
        ...


class Follower(Protocol):
    """Follows the pools of one protocol on one chain. Its ledger is a fold of the stored facts."""

    async def begin(self, plan: Plan) -> Turn:
        """The turn of the plan's pools, all of this protocol; the ledger stands at its start."""
        ...

    def forget(self) -> None:
        """The ledger is no longer what is stored: the next turn builds it anew."""
        ...
