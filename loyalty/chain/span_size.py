"""Span size: over how many blocks one endpoint is asked for logs at once, learned from its answers."""

from dataclasses import dataclass

MOST_BLOCKS = 4_000_000
WANTED_LOGS = 10_000
"""An answer of more logs than this shrinks the next spans, so that memory does not grow with a pool's traffic."""

_FORGET_AFTER = 64


@dataclass
class SpanSize:
    """Halves when a limit is met; doubles while answers come, and past a known limit only in ever smaller steps.

    `too_many` is the smallest length that was refused since; it is forgotten after 64 answers in a row, for many limits
    count logs, and the chain may be quieter where we are now.
    """

    blocks: int
    most: int = MOST_BLOCKS
    too_many: int | None = None
    answers: int = 0

    def answered(self, length: int, logs: int) -> None:
        """`length` blocks were asked and `logs` came."""
        self.answers += 1
        if self.answers >= _FORGET_AFTER:
            self.too_many, self.answers = None, 0
        if logs > WANTED_LOGS:
            self.blocks = max(1, min(self.blocks, length // 2))
        elif length >= self.blocks and 2 * logs <= WANTED_LOGS:
            self.blocks = min(self._larger(), self.most)

    def refused(self, length: int) -> None:
        """A question over `length` blocks met a limit."""
        self.answers = 0
        self.too_many = length if self.too_many is None else min(self.too_many, length)
        self.blocks = max(1, min(self.blocks, length // 2))

    def _larger(self) -> int:
        if self.too_many is None:
            return self.blocks * 2
        if self.too_many <= self.blocks:
            return self.blocks
        return min(self.blocks * 2, max(self.blocks, (self.blocks + self.too_many) // 2))
