"""A turn: one kind's part of a step of the index. What a follower of a kind must be able to do stands here.

A kind is the protocol of pools, or what a contract is followed for.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Connection

from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.state.cursors import Cursor


@dataclass(frozen=True, slots=True)
class Plan:
    """The next span and whose it is: pools and contracts that stand at `start`, the block of all their cursors.

    `limit` is a block that it never reaches, whatever the endpoint. `is_behind`: others are far ahead of these.
    """

    cursors: tuple[Cursor, ...]
    start: int
    limit: int
    start_block: int | None
    with_swaps: bool
    is_behind: bool = False

    def of(self, kind: str) -> "Plan":
        """For those of one kind alone."""
        return replace(self, cursors=tuple(cursor for cursor in self.cursors if cursor.kind == kind))

    @property
    def kinds(self) -> list[str]:
        """Those of its cursors, in the order in which they are read."""
        return sorted({cursor.kind for cursor in self.cursors})

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of the rows, ascending: of one kind they name them."""
        return tuple(sorted(cursor.id for cursor in self.cursors))


class Turn(Protocol):
    """A span of one kind: read, checked, stored. Its ledger is lost unless `keep` is called."""

    def read(self, span: Span) -> Conversation[int]:
        """The conversation, which folds the span's facts into the ledger; returns how many logs were looked at."""
        ...

    def check(self) -> None:
        """Raises Inconsistent where what was read cannot be all of a history."""
        ...

    def store(self, connection: Connection) -> Counter[int]:
        """Store the facts; how many new ones each block has."""
        ...

    def keep(self) -> None:
        """The step is stored: the next one goes on with this turn's ledger."""
        ...


class Follower(Protocol):
    """Follows what is of one kind on one chain. Its ledger is a fold of the stored facts."""

    async def begin(self, plan: Plan) -> Turn:
        """The turn of the plan's cursors, all of this kind; the ledger stands at its start."""
        ...

    def forget(self) -> None:
        """The ledger is no longer what is stored: the next turn builds it anew."""
        ...
