"""Half-open stretches [start, end) of blocks or seconds, and their algebra."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """The integers n with start <= n < end. Empty where end <= start."""

    start: int
    end: int

    def __bool__(self) -> bool:
        return self.end > self.start

    @property
    def length(self) -> int:
        return max(0, self.end - self.start)

    def contains(self, point: int) -> bool:
        return self.start <= point < self.end

    def intersect(self, other: "Span") -> "Span":
        start = max(self.start, other.start)
        return Span(start, max(start, min(self.end, other.end)))

    def overlaps(self, other: "Span") -> bool:
        return bool(self.intersect(other))

    def halves(self) -> tuple["Span", "Span"]:
        middle = (self.start + self.end) // 2
        return Span(self.start, middle), Span(middle, self.end)

    def pieces(self, size: int) -> Iterator["Span"]:
        """The span cut into stretches of at most `size`, in order."""
        for start in range(self.start, self.end, size):
            yield Span(start, min(start + size, self.end))


def subtract(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of `span` after taking out `taken`, in order."""
    left: list[Span] = []
    start = span.start
    for part in sorted(taken):
        cut = part.intersect(span)
        if not cut:
            continue
        if cut.start > start:
            left.append(Span(start, cut.start))
        start = max(start, cut.end)
    if start < span.end:
        left.append(Span(start, span.end))
    return left
