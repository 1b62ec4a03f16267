"""Times are UTC unix seconds; a day is counted from 1970-01-01 and named YYYY-MM-DD."""

import re
from datetime import UTC, date, datetime, timedelta

from loyalty.core.errors import Invalid
from loyalty.core.spans import Span

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
_EPOCH_DAY = date(1970, 1, 1)
_LAST_TIME = 253_402_300_799
"""The end of the year 9999: the last one that RFC 3339 can write."""
_DURATION = re.compile(r"(\d+)\s*([smhdw])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": HOUR_SECONDS, "d": DAY_SECONDS, "w": 7 * DAY_SECONDS}


def day_of(time: int) -> int:
    """The UTC day that `time` (unix seconds) lies in."""
    return time // DAY_SECONDS


def day_span(day: int) -> Span:
    """The seconds of a day."""
    return Span(day * DAY_SECONDS, (day + 1) * DAY_SECONDS)


def day_text(day: int) -> str:
    """2024-09-09."""
    return (_EPOCH_DAY + timedelta(days=day)).isoformat()


def parse_day(text: str) -> int:
    """The day written YYYY-MM-DD; raises Invalid."""
    try:
        return (date.fromisoformat(text) - _EPOCH_DAY).days
    except ValueError:
        raise Invalid(f"{text!r} is not a day: expected YYYY-MM-DD") from None


def time_text(time: int) -> str:
    """RFC 3339 with Z: 2024-09-09T00:00:00Z."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> int:
    """Unix seconds of an RFC 3339 time (any offset, whole seconds), of a day, or of an integer; raises Invalid."""
    if re.fullmatch(r"[0-9]{1,20}", text):
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is not a time: expected RFC 3339 such as 2024-09-09T00:00:00Z") from None
    if len(text) == len("2024-09-09"):
        parsed = parsed.replace(tzinfo=UTC)
    if parsed.tzinfo is None:
        raise Invalid(f"{text!r} has no time zone: write 2024-09-09T00:00:00Z")
    if parsed.microsecond:
        raise Invalid(f"{text!r} has a fraction of a second: times are whole seconds")
    return int(parsed.timestamp())


def writable_time(time: int) -> int:
    """The time itself, where it lies in the years 1970 to 9999, which RFC 3339 can write; else Invalid."""
    if not 0 <= time <= _LAST_TIME:
        raise Invalid(f"{time} is not a time from 1970 through 9999 in unix seconds")
    return time


def parse_duration(text: str) -> int:
    """Seconds of "90s", "30m", "24h", "7d" or "2w"; raises Invalid."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise Invalid(f"{text!r} is not a duration: expected a whole number and s, m, h, d or w, such as 7d")
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def duration_text(seconds: int) -> str:
    """The shortest exact writing: 604800 is 7d, 7200 is 2h."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNIT_SECONDS[unit] == 0:
            return f"{seconds // _UNIT_SECONDS[unit]}{unit}"
    return f"{seconds}s"
