"""The shapes of check that are made again and again: names that must be unique, known, alone or in order."""

from collections.abc import Iterable, Sequence

from loyalty.config.entries import Document
from loyalty.config.faults import Place, known, nearest, one_of, shown
from loyalty.config.tables import Table, all_known, given, rows
from loyalty.core.times import day_text


def check_unique(values: Iterable[tuple[Place, object]]) -> None:
    """A fault at each place whose value an earlier place has."""
    first: dict[object, Place] = {}
    for place, value in values:
        if not known(value) or (isinstance(value, tuple) and not known(*value)):
            continue
        if first.setdefault(value, place) is not place:
            place.fault(_told(value), f"another than at {first[value].path}")


def check_exactly_one(entry: Table, names: Sequence[str]) -> bool:
    """Whether exactly one of the keys is given; else a fault, unless the table could not be read at all."""
    if not any(known(getattr(entry, name)) for name in names):
        return False
    found = given(entry, names)
    if len(found) != 1:
        entry.place.fault(" and ".join(found) or "none of them", f"exactly {one_of(names)}")
    return len(found) == 1


def check_reference(place: Place, name: str, names: Sequence[str] | None) -> None:
    """`name` must be one of `names`; None where not all of those could be read, so that nothing can be said."""
    if known(name) and names is not None and name not in names:
        place.fault(shown(name), nearest(name, names) if names else "a name that the file defines; it defines none")


def check_order(place: Place, from_day: int | None, until_day: int | None) -> None:
    """The days [from, until) must not be empty."""
    if from_day is None or until_day is None or not known(from_day, until_day):
        return
    if until_day <= from_day:
        place.at("until").fault(day_text(until_day), f"a day after from = {day_text(from_day)}")


def chain_names(document: Document) -> list[str] | None:
    """The names of all chains, or None where one could not be read."""
    return [chain.name for chain in document.chains] if all_known(document.chains, "name") else None


def token_symbols(document: Document) -> list[str] | None:
    """The symbols of all tokens, or None where one could not be read."""
    return [token.symbol for token in document.tokens] if all_known(document.tokens, "symbol") else None


def check_exclusions(document: Document) -> None:
    for exclusion in rows(document.exclusions):
        check_order(exclusion.place, exclusion.from_day, exclusion.until_day)


def _told(value: object) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return f"{', '.join(shown(part) for part in parts)} a second time"
