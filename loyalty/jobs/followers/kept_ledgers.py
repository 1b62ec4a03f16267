"""Kept ledgers: what a follower has folded, from step to step, one for each group of cursors that stand together."""

from typing import Generic, NamedTuple, TypeVar

from loyalty.jobs.followers.turn import Plan

Ledger = TypeVar("Ledger")


class _Kept(NamedTuple, Generic[Ledger]):
    """A ledger, and the block before which it has everything."""

    next_block: int
    ledger: Ledger


class KeptLedgers(Generic[Ledger]):
    """The groups take turns (those at the head, then those that catch up) and none has to be folded anew for it.

    Each is a fold of the stored facts: it can be forgotten at any time.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, ...], _Kept[Ledger]] = {}

    def take(self, plan: Plan) -> Ledger | None:
        """The ledger of the plan's cursors at its start, lost unless it is kept again; None where none is kept.

        Groups that share a cursor with the plan have been parted or joined since: theirs are forgotten.
        """
        ids = plan.ids
        touched = {group: self._kept.pop(group) for group in list(self._kept) if not set(group).isdisjoint(ids)}
        kept = touched.get(ids)
        return kept.ledger if kept is not None and kept.next_block == plan.start else None

    def keep(self, ids: tuple[int, ...], next_block: int, ledger: Ledger) -> None:
        """The ledger of the group `ids`, of everything before `next_block`, until the group's next turn."""
        self._kept[ids] = _Kept(next_block, ledger)

    def forget(self) -> None:
        """None of them is what is stored any more."""
        self._kept.clear()
