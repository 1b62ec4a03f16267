"""Faults of a file: every one with its place, what was read there and what is allowed, collected and told at once."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Final

from loyalty.core.errors import Invalid

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60


class Unread:
    """Stands where a value could not be read; its fault is already told, so checks pass over it."""

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Final = Unread()


class Unfit(Invalid):
    """A value that cannot be used. `read` and `expected` replace the usual words where more can be said."""

    def __init__(self, *, read: str | None = None, expected: str | None = None) -> None:
        super().__init__(f"read {read or 'something else'}; expected {expected or 'another value'}")
        self.read = read
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document such as `pools[1].address` (counted from 0), and where its faults go."""

    path: str = ""
    faults: list[str] = field(default_factory=list, compare=False, repr=False)

    def at(self, *steps: str | int) -> "Place":
        """The place further in, by keys and by numbers in lists."""
        path = self.path
        for step in steps:
            path += f"[{step}]" if isinstance(step, int) else f"{'.' if path else ''}{_key(step)}"
        return Place(path, self.faults)

    def fault(self, read: str, expected: str) -> None:
        self.faults.append(f"{self.path}: read {read}; expected {expected}")


def known(*values: object) -> bool:
    """Whether all of `values` could be read."""
    return not any(value is UNREAD for value in values)


def shown(value: object) -> str:
    """What was read, short enough for a line. A text that holds a URL is not repeated: its key may be in it."""
    if isinstance(value, str):
        return "a text with a URL" if "://" in value or "@" in value else json.dumps(_short(value), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST_SHOWN else "a number of more than 60 digits"
    return _shown_other(value)


def nearest(name: str, names: Iterable[str]) -> str:
    """What may have been meant by an unknown `name`: the nearest of `names`, or all of them."""
    allowed = sorted(names)
    near = get_close_matches(name, allowed, n=1, cutoff=0.6)
    if near:
        return f"{near[0]} (the nearest known name)"
    return one_of(allowed)


def one_of(names: Collection[str]) -> str:
    """The allowed names in words."""
    if not names:
        return "nothing"
    return next(iter(names)) if len(names) == 1 else f"one of {', '.join(names)}"


def _shown_other(value: object) -> str:
    if isinstance(value, float):
        return f"{value} (a float)"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, dict):
        return "a table"
    return f"a list of {len(value)}" if isinstance(value, list) else f"a {type(value).__name__}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(_short(name), ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
