"""Actors as generators, and whose turn it is.

A process yields a time to sleep until, or transactions to put into the next block, and is sent their receipts. It is
sent an empty list when it wakes.
"""

import heapq
from collections.abc import Generator, Sequence
from itertools import count
from typing import Any

from loyalty.core.errors import Invalid
from tools.demo.calendar import SLOT_SECONDS, slot
from tools.evm.node import Transaction

Receipts = Sequence[dict[str, Any]]
Step = int | Sequence[Transaction]
Process = Generator[Step, Receipts, None]


class Processes:
    """All processes by the time of their next turn; who came first is first."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Process, Sequence[Transaction]]] = []
        self._turn = count()

    def enter(self, process: Process) -> None:
        """Lets a process begin; the first thing that it yields is the time when."""
        start = next(process)
        if not isinstance(start, int):
            raise Invalid("a process must first yield the time when it begins")
        self._push(slot(start), process, ())

    def next_time(self) -> int | None:
        """When somebody has a turn; None when all have ended."""
        return self._queue[0][0] if self._queue else None

    def due(self, time: int) -> list[tuple[Process, Sequence[Transaction]]]:
        """Who wants which transactions in the block at `time`."""
        wanted = []
        while self._queue and self._queue[0][0] <= time:
            _, _, process, transactions = heapq.heappop(self._queue)
            if not transactions:
                transactions = self._awake(process, time)
            if transactions:
                wanted.append((process, transactions))
        return wanted

    def tell(self, process: Process, receipts: Receipts, time: int) -> None:
        """Sends a process what became of its transactions; what it wants next is for a later slot."""
        step = _step(process, receipts)
        if isinstance(step, int):
            self._push(max(slot(step), time + SLOT_SECONDS), process, ())
        elif step:
            self._push(time + SLOT_SECONDS, process, step)

    def _awake(self, process: Process, time: int) -> Sequence[Transaction]:
        step = _step(process, [])
        if isinstance(step, int):
            self._push(max(slot(step), time + SLOT_SECONDS), process, ())
            return ()
        return step

    def _push(self, time: int, process: Process, transactions: Sequence[Transaction]) -> None:
        heapq.heappush(self._queue, (time, next(self._turn), process, transactions))


def _step(process: Process, receipts: Receipts) -> Step:
    """The next wish; an empty one at the end."""
    try:
        return process.send(receipts)
    except StopIteration:
        return ()
