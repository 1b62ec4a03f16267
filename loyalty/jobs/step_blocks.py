"""Step blocks: how many blocks a step of the index asks for, learned from what the last ones brought and took."""

from dataclasses import dataclass

SPAN_BLOCKS_MOST = 4_000_000


@dataclass(slots=True)
class StepBlocks:
    """Doubles while a step brings fewer logs than wanted and halves above three times as many, to bound memory.

    With `seconds_most` it also halves after a step that took longer, and does not double one that may.
    """

    blocks: int
    logs_wanted: int
    seconds_most: float | None = None

    def stepped(self, logs: int, seconds: float = 0.0) -> None:
        """A step brought `logs` and took `seconds`."""
        if logs > 3 * self.logs_wanted or self._slow(seconds):
            self.blocks = max(self.blocks // 2, 1)
        elif logs < self.logs_wanted and not self._slow(2 * seconds):
            self.blocks = min(self.blocks * 2, SPAN_BLOCKS_MOST)

    def _slow(self, seconds: float) -> bool:
        return self.seconds_most is not None and seconds > self.seconds_most
