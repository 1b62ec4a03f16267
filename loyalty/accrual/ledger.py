"""A ledger of positions over a day: their liquidity now, and their credit so far without a walk over all of them.

G(t) being what one unit on the range has earned up to t, liquidity that changes by d_1, d_2, … at t_1, t_2, … and is L
at the end earns  L * G(end) - Σ d_j * G(t_j):  each change is booked once, and nothing is settled in between.
"""

from collections.abc import Mapping

from loyalty.accrual.concentrated import NOTHING, UnitCredit
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import PositionKey


class Entry:
    """A position's liquidity, and what was booked at its changes."""

    __slots__ = ("in_range_seconds", "liquidity", "usd", "usd_in_range")

    def __init__(self) -> None:
        self.liquidity = 0
        self.usd = 0
        self.usd_in_range = 0
        self.in_range_seconds = 0

    def change(self, delta: int, earned: UnitCredit) -> None:
        """Liquidity changes by `delta` when one unit has earned `earned` since the span began."""
        before, after = self.liquidity, self.liquidity + delta
        self.usd -= delta * earned.usd
        self.usd_in_range -= delta * earned.usd_in_range
        self.in_range_seconds += ((before > 0) - (after > 0)) * earned.in_range_seconds
        self.liquidity = after


class Ledger:
    """`entries` holds every position that had liquidity; `liquidity` is the sum of it now."""

    def __init__(self, positions: Mapping[PositionKey, int]) -> None:
        self.entries: dict[PositionKey, Entry] = {}
        self.liquidity = 0
        for position, liquidity in positions.items():
            if liquidity:
                self.change(position, liquidity, NOTHING)

    def change(self, position: PositionKey, delta: int, earned: UnitCredit) -> None:
        """Raises Inconsistent, naming the position, when its liquidity would fall below zero or its range is empty."""
        entry = self.entries.get(position)
        if entry is None:
            if position.lower >= position.upper:
                raise Inconsistent(f"{name_of(position)}: the range is empty")
            entry = self.entries[position] = Entry()
        if entry.liquidity + delta < 0:
            raise Inconsistent(
                f"{name_of(position)}: liquidity {entry.liquidity} would change by {delta} and fall below zero: "
                "an earlier log is missing"
            )
        entry.change(delta, earned)
        self.liquidity += delta


def name_of(position: PositionKey) -> str:
    """How a message names a position."""
    token = f" (token {position.token.token_id} of {position.token.manager})" if position.token else ""
    return f"position of {position.owner} on [{position.lower}, {position.upper}){token}"
