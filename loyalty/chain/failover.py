"""Failover: a question goes to the first endpoint that is well; one that failed rests for a while and comes back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from loyalty.chain.clock import Clock
from loyalty.chain.endpoint import CannotAnswer, Endpoint, EndpointFailed, NoneCanAnswer
from loyalty.chain.span_size import MOST_BLOCKS, SpanSize
from loyalty.core.errors import Unavailable

T = TypeVar("T")


class Patience(NamedTuple):
    """How long failures are borne. Seconds.

    An endpoint that failed n times in a row is avoided for cooling × 2ⁿ⁻¹, at most `longest_cooling`. Where all are
    avoided, the one that is back first is asked again after a random part of backoff × 2ⁿ⁻¹ (full jitter), at most
    `longest_backoff`, and never before the time that it asked for itself (Retry-After), which is borne up to
    `longest_wait`. `tries` are per endpoint and question.
    """

    tries: int = 6
    backoff: float = 0.5
    longest_backoff: float = 20.0
    cooling: float = 5.0
    longest_cooling: float = 300.0
    longest_wait: float = 60.0


@dataclass(eq=False)
class Line:
    """One endpoint with what is remembered of it: failures in a row, how long it rests, how large a span it takes."""

    endpoint: Endpoint
    most_blocks: int = MOST_BLOCKS
    size: SpanSize = field(init=False)
    failures: int = 0
    failed_at: float = float("-inf")
    cool_until: float = float("-inf")
    closed_until: float = float("-inf")

    def __post_init__(self) -> None:
        self.size = SpanSize(min(self.endpoint.first_blocks, self.most_blocks), self.most_blocks)

    def answered(self, asked_at: float) -> None:
        """Well again, unless it failed after this question was asked."""
        if asked_at >= self.failed_at:
            self.failures = 0
            self.cool_until = float("-inf")

    def failed(self, asked_at: float, now: float, retry_after: float | None, patience: Patience) -> None:
        """Questions asked side by side that fail together are one failure."""
        if asked_at >= self.failed_at:
            self.failures += 1
        cooling = min(patience.cooling * 2.0 ** min(self.failures - 1, 30), patience.longest_cooling)
        self.failed_at = now
        self.cool_until = now + max(cooling, retry_after or 0.0)
        self.closed_until = max(self.closed_until, now + (retry_after or 0.0))


class Failover:
    """Asks the endpoints of one chain, in the order in which they are configured."""

    def __init__(
        self,
        name: str,
        endpoints: Sequence[Endpoint],
        patience: Patience,
        clock: Clock,
        most_blocks: int = MOST_BLOCKS,
    ) -> None:
        self.name = name
        self.lines = [Line(endpoint, most_blocks) for endpoint in endpoints]
        self._patience = patience
        self._clock = clock

    async def ask(self, what: str, question: Callable[[Line], Awaitable[T]], lines: Sequence[Line] | None = None) -> T:
        """The first answer to be had from `lines` (all by default); Unavailable with each one's last reason if none."""
        chosen = list(self.lines if lines is None else lines)
        reasons = {line.endpoint.name: "not asked" for line in chosen}
        for _ in range(self._patience.tries * len(chosen)):
            line = await self._next(chosen)
            if line is None:
                break
            asked_at = self._clock.now()
            try:
                answer = await question(line)
            except CannotAnswer as failure:
                chosen.remove(line)
                reasons[line.endpoint.name] = failure.reason
            except EndpointFailed as failure:
                line.failed(asked_at, self._clock.now(), failure.retry_after, self._patience)
                reasons[line.endpoint.name] = failure.reason
            else:
                line.answered(asked_at)
                return answer
        kind = Unavailable if chosen else NoneCanAnswer
        raise kind(f"{self.name}: no endpoint answered {what}; {self._told(reasons)}")

    async def pause(self, attempt: int) -> None:
        """Wait before asking anew what was answered but not believed; `attempt` counts from 1."""
        await self._clock.sleep(self._backoff(attempt))

    async def _next(self, lines: Sequence[Line]) -> Line | None:
        """The first line that is well, at once; else, after a wait, the one back first. None where that is too long."""
        now = self._clock.now()
        for line in lines:
            if line.cool_until <= now:
                return line
        if not lines:
            return None
        line = min(lines, key=lambda line: (line.closed_until > now, line.closed_until, line.cool_until))
        if line.closed_until - now > self._patience.longest_wait:
            return None
        wait = min(self._backoff(line.failures), line.cool_until - now)
        await self._clock.sleep(max(wait, line.closed_until - now))
        return line

    def _backoff(self, failures: int) -> float:
        longest = min(self._patience.backoff * 2.0 ** min(max(0, failures - 1), 30), self._patience.longest_backoff)
        return longest * self._clock.jitter()

    def _told(self, reasons: dict[str, str]) -> str:
        closed = {line.endpoint.name: line.closed_until - self._clock.now() for line in self.lines}
        return "; ".join(
            f"{name}: {reason}" + (f", asks to be left alone for {closed[name]:.0f} s" if closed[name] > 0 else "")
            for name, reason in reasons.items()
        )
