"""Tables of a document: which keys there are is said once, by frozen dataclasses, and read by one function.

A table with a fault is read all the same: what could not be read is UNREAD, so that the checks across tables can tell
the faults of the rest. Nobody but those checks sees such a table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple, TypeVar

from loyalty.config.faults import UNREAD, Place, known, nearest, shown
from loyalty.config.readings import Reading


class _Needed:
    def __repr__(self) -> str:
        return "needed"


NEEDED: Final = _Needed()


class Key(NamedTuple):
    """A key of a table: its name in the file, how it is read, and its default (as read), or NEEDED."""

    name: str
    reading: Reading
    default: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that was read from `place`."""

    place: Place = field(repr=False)


AnyTable = TypeVar("AnyTable", bound=Table)


def needed(reading: Reading, name: str = "") -> Any:
    """A key that must be there. `name` is its name in the file where Python does not allow it."""
    return field(metadata={"reading": reading, "default": NEEDED, "name": name})


def optional(reading: Reading, default: Any = None, name: str = "") -> Any:
    """A key that may be left out; `default` stands for it then."""
    return field(metadata={"reading": reading, "default": default, "name": name})


def keys(kind: type[Table]) -> dict[str, Key]:
    """The keys of a table, by the dataclass field that holds each."""
    return {
        each.name: Key(each.metadata["name"] or each.name, each.metadata["reading"], each.metadata["default"])
        for each in fields(kind)
        if each.metadata
    }


def read_table(kind: type[AnyTable], value: object, place: Place) -> AnyTable:
    """The table, whatever it is worth: every fault is told at its place, and what could not be read is UNREAD."""
    if not isinstance(value, dict):
        place.fault(shown(value), "a table")
        return kind(place=place, **dict.fromkeys(keys(kind), UNREAD))
    table_keys = keys(kind)
    names = [key.name for key in table_keys.values()]
    for name in value.keys() - set(names):
        place.at(name).fault("an unknown key", nearest(name, names))
    return kind(place=place, **{name: _read_key(key, value, place) for name, key in table_keys.items()})


def table(kind: type[Table]) -> Reading:
    """A value that is itself a table."""
    return Reading("a table", lambda value, place: read_table(kind, value, place))


def tables(kind: type[Table], written: str) -> Reading:
    """A list of tables, `written` as in the file; one that cannot be read keeps its place in the list."""
    expected = f"a list of tables, {written}"

    def read(value: object, place: Place) -> Any:
        if not isinstance(value, list):
            place.fault(shown(value), expected)
            return UNREAD
        return tuple(read_table(kind, entry, place.at(number)) for number, entry in enumerate(value))

    return Reading(expected, read)


def one_or_more_tables(kind: type[Table], expected: str) -> Reading:
    """One table, or a list of them that is not empty."""

    def read(value: object, place: Place) -> Any:
        if isinstance(value, dict):
            return (read_table(kind, value, place),)
        if not isinstance(value, list) or not value:
            place.fault(shown(value), expected)
            return UNREAD
        return tuple(read_table(kind, entry, place.at(number)) for number, entry in enumerate(value))

    return Reading(expected, read)


def rows(entries: Sequence[AnyTable]) -> Sequence[AnyTable]:
    """The tables of a list; none where the list could not be read."""
    return entries if known(entries) else ()


def all_known(entries: Sequence[AnyTable], *names: str) -> bool:
    """Whether the list and these fields of all its tables could be read: only then a name not in it is unknown."""
    return known(entries) and known(*(getattr(entry, name) for entry in entries for name in names))


def given(entry: Table, names: Iterable[str]) -> list[str]:
    """Which of the optional keys were written."""
    return [name for name in names if getattr(entry, name) is not None]


def _read_key(key: Key, value: dict[str, object], place: Place) -> Any:
    if key.name in value:
        return key.reading.read(value[key.name], place.at(key.name))
    if key.default is NEEDED:
        place.at(key.name).fault("nothing", f"{key.reading.expected} (the key is needed)")
        return UNREAD
    return key.default
