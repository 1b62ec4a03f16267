"""The search for the block of a time between two known blocks."""

from collections.abc import Awaitable, Callable

from loyalty.core.checkpoint import Header

_BISECT_EVERY = 3
"""Each so many guesses one is the middle, which bounds the search where blocks come at uneven times."""


async def last_block_between(
    at_or_before: Callable[[int], Awaitable[Header]], time: int, low: Header, high: Header
) -> Header:
    """The last block with a time at or before `time`, where low.time <= time < high.time.

    By interpolation, so that at steady block times two or three headers are asked for.
    """
    first, guesses = low.number, 0
    while high.number - first > 1:
        guesses += 1
        guess = _middle(first, high) if guesses % _BISECT_EVERY == 0 else _on_the_line(time, low, first, high)
        header = await at_or_before(guess)
        if header.time > time:
            high = header
        else:  # in a recording, `header` may still be `low`: no block is recorded up to the guess
            low, first = header, guess
    return low


def _middle(first: int, high: Header) -> int:
    return (first + high.number) // 2


def _on_the_line(time: int, low: Header, first: int, high: Header) -> int:
    """Where the block would be if blocks came at even times, strictly between the two."""
    guess = low.number + (time - low.time) * (high.number - low.number) // (high.time - low.time)
    return min(max(guess, first + 1), high.number - 1)
