"""When the story happens. Times are unix seconds."""

from loyalty.core.times import HOUR_SECONDS, parse_time

WEEK_SECONDS = 604_800
SLOT_SECONDS = 12
"""Blocks have times that are multiples of this."""

EPOCHS = 30
PROGRAM_START = parse_time("2026-04-20T00:00:00Z")
PROGRAM_END = PROGRAM_START + EPOCHS * WEEK_SECONDS

STORY_START = PROGRAM_START - 2 * WEEK_SECONDS
"""The pools open two weeks before the program."""

STORY_END = PROGRAM_END + 26 * HOUR_SECONDS
"""Late enough for the last epoch to be settled, 24 hours after its end."""

STORM = (9, 10)
"""The first week of wild prices, and the first after it."""


def week(number: float) -> int:
    """The start of a week of the program, from 1; weeks before the program are below 1."""
    return slot(PROGRAM_START + int((number - 1) * WEEK_SECONDS))


def slot(time: int) -> int:
    """The first time at or after `time` that a block can have."""
    return -(-time // SLOT_SECONDS) * SLOT_SECONDS
