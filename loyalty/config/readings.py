"""Readings: how one value of a document is read. Each takes what TOML gave and its place, and returns the value, or
tells a fault there and returns UNREAD. Exact: a float is never a number here.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from loyalty.config.endpoint_url import parse_endpoint
from loyalty.config.faults import UNREAD, Place, Unfit, one_of, shown
from loyalty.core.address import Address, checksum, parse_address
from loyalty.core.amounts import INT63_MAX, USD_DECIMALS, format_units, parse_units
from loyalty.core.errors import Invalid
from loyalty.core.times import DAY_SECONDS, parse_day, parse_duration, parse_time, time_text
from loyalty.protocols.nft_stakers.shape import parse_shape

LAST_TIME = 253_402_300_800
"""The start of the year 10000: beyond the times that can be written."""

_LONGEST_NUMBER = 80
_LONGEST_EVENT = 500
_PLAIN_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_ADDRESS_SHAPE = re.compile(r"0x[0-9a-fA-F]{40}")
_YEAR = re.compile(r"[0-9]{4}-")
_TIMES = "a time from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59Z"


class Reading(NamedTuple):
    """How a value is read, and in words what is allowed."""

    expected: str
    read: Callable[[object, Place], Any]


def leaf(expected: str, parse: Callable[[object], Any]) -> Reading:
    """A single value; `parse` raises Unfit or Invalid for one that is not `expected`."""

    def read(value: object, place: Place) -> Any:
        try:
            return parse(value)
        except Unfit as unfit:
            place.fault(unfit.read or shown(value), unfit.expected or expected)
        except Invalid:
            place.fault(shown(value), expected)
        return UNREAD

    return Reading(expected, read)


def text(expected: str, pattern: str = r"\S(.*\S)?", longest: int = 200) -> Reading:
    """A text on one line that matches `pattern` wholly."""
    shape = re.compile(pattern)

    def parse(value: object) -> str:
        if not isinstance(value, str) or not value.isprintable() or not shape.fullmatch(value):
            raise Unfit
        if len(value) > longest:
            raise Unfit(read=f"a text of {len(value)} letters", expected=f"{expected}, at most {longest} letters long")
        return value

    return leaf(expected, parse)


def choice(*names: str) -> Reading:
    def parse(value: object) -> str:
        if value not in names or not isinstance(value, str):
            raise Unfit
        return value

    return leaf(one_of([f'"{name}"' for name in names]), parse)


def yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit
    return value


def whole(lowest: int, highest: int = INT63_MAX) -> Reading:
    """A TOML integer from `lowest` to `highest`."""
    upper = f"from {lowest} to {highest}" if highest != INT63_MAX else f"of at least {lowest}"
    expected = f"a whole number {upper}"

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise Unfit
        return value

    return leaf(expected, parse)


def decimal_text(value: object) -> str:
    """A plain non-negative decimal as it was written; a TOML integer stands for a whole one."""
    if isinstance(value, float):
        raise Unfit(expected='a decimal number written as a string, such as "0.25" (a float is not exact)')
    written = str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**78 else value
    if not isinstance(written, str) or len(written) > _LONGEST_NUMBER or not _PLAIN_DECIMAL.fullmatch(written):
        raise Unfit
    return written


def positive(example: str, decimals: int = 18, below: int = 10**6) -> Reading:
    """An exact fraction above zero."""
    expected = f'a decimal number above 0 and below {below} of at most {decimals} decimals, such as "{example}"'

    def parse(value: object) -> Fraction:
        written = decimal_text(value)
        number = Fraction(written)
        if not 0 < number < below or len(written.partition(".")[2].rstrip("0")) > decimals:
            raise Unfit
        return number

    return leaf(expected, parse)


def usd_micro(value: object) -> int:
    """Dollars in micro-dollars."""
    units = parse_units(decimal_text(value), USD_DECIMALS)
    if units > INT63_MAX:
        raise Unfit(expected=f"at most {format_units(INT63_MAX, USD_DECIMALS)} dollars")
    return units


def time(value: object) -> int:
    """Unix seconds of a TOML date (its midnight), of a TOML time with an offset, or of either as a string."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
        raise Unfit
    if _YEAR.match(value) and int(value[:4]) < 1970:
        raise Unfit(expected=_TIMES)
    seconds = parse_time(value)
    if not 0 <= seconds < LAST_TIME:
        raise Unfit(expected=_TIMES)
    return seconds


def midnight(value: object) -> int:
    seconds = time(value)
    if seconds % DAY_SECONDS:
        before = seconds - seconds % DAY_SECONDS
        raise Unfit(expected=f"a UTC midnight, such as {time_text(before)}")
    return seconds


def day(value: object) -> int:
    """A day, also written as the time of its UTC midnight."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        days = parse_day(value)
        if days < 0:
            raise Unfit(expected="a day from 1970-01-01 on")
        return days
    return midnight(value) // DAY_SECONDS


def duration(lowest: int, example: str) -> Reading:
    """Seconds, at least `lowest`."""
    longest = 3_650 * DAY_SECONDS
    expected = f'a duration of at least {lowest}s, written as a whole number and s, m, h, d or w, such as "{example}"'

    def parse(value: object) -> int:
        if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
            raise Unfit
        seconds = parse_duration(value)
        if seconds > longest:
            raise Unfit(expected="a duration of at most ten years")
        if seconds < lowest:
            raise Unfit
        return seconds

    return leaf(expected, parse)


def whole_days(value: object) -> int:
    """Seconds of a duration of one or more whole days."""
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER:
        raise Unfit
    seconds = parse_duration(value)
    if not 0 < seconds <= 3_650 * DAY_SECONDS or seconds % DAY_SECONDS:
        raise Unfit
    return seconds


def address(value: object) -> Address:
    if isinstance(value, str) and _ADDRESS_SHAPE.fullmatch(value):
        try:
            return parse_address(value)
        except Invalid:
            right = checksum(Address(value.lower()))
            raise Unfit(
                read=f'"{value}" with a wrong EIP-55 checksum (a letter was mistyped?)',
                expected=f"the right address; {right} if only its upper and lower case is wrong",
            ) from None
    raise Unfit


def event(*, withdraws: bool = False) -> Reading:
    """A staker's event as its contract declares it; the text stays as written."""
    expected = 'an event as its contract declares it, such as "Deposit(address indexed user, uint256 indexed tokenId)"'

    def parse(value: object) -> str:
        if not isinstance(value, str) or not value.isprintable() or len(value) > _LONGEST_EVENT:
            raise Unfit
        try:
            parse_shape(value, withdraws=withdraws)
        except Invalid as error:
            raise Unfit(expected=f"{expected} ({error})") from None
        return value

    return leaf(expected, parse)


def list_of(item: Reading, expected: str, fewest: int = 0) -> Reading:
    """A tuple of what `item` reads; UNREAD where one of them could not be read."""

    def read(value: object, place: Place) -> Any:
        if not isinstance(value, list) or len(value) < fewest:
            place.fault(shown(value), expected)
            return UNREAD
        items = tuple(item.read(entry, place.at(number)) for number, entry in enumerate(value))
        return UNREAD if any(entry is UNREAD for entry in items) else items

    return Reading(expected, read)


ADDRESS = leaf("an address: 0x and 40 hexadecimal digits", address)
AMOUNT = leaf('an amount as a plain decimal string, such as "1250.5"', decimal_text)
DAY = leaf("a day (a UTC midnight), such as 2024-09-09", day)
ENDPOINT = leaf("an endpoint: http://…, https://… or file:…", parse_endpoint)
MIDNIGHT = leaf("a UTC midnight, such as 2024-09-09T00:00:00Z", midnight)
USD = leaf('dollars as a plain decimal string of at most 6 decimals, such as "100"', usd_micro)
WHOLE_DAYS = leaf('a duration of one or more whole days, such as "7d"', whole_days)
YES_OR_NO = leaf("true or false", yes_or_no)
