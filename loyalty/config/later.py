"""What the program file can already say and this release cannot yet do. It is refused by name, never ignored.

The whole list is LATER: when a part is built, its line is deleted, and nothing else changes here.
"""

from collections.abc import Iterator
from typing import NamedTuple

from loyalty.config.faults import Place, shown


class Later(NamedTuple):
    """What comes later, and what to do until then."""

    what: str
    until_then: str
    comes: str = "comes"


_OTHER_SOURCE = "remove this source; use coingecko, defillama, file or fixed"

LATER: dict[str, Later] = {
    "tokens.price.chainlink": Later("the price source chainlink", _OTHER_SOURCE),
    "tokens.price.pool": Later("the price source pool", _OTHER_SOURCE),
}
"""By key, without the numbers of lists, or by key and text up to a colon."""


def refuse_later(document: object, place: Place, later: dict[str, Later] = LATER) -> None:
    """Tells a fault at every place of the raw document that asks for what comes later."""
    for name, where, value in _walk(document, "", place):
        found = later.get(f'{name} = "{value.partition(":")[0]}"') if isinstance(value, str) else None
        found = found or later.get(name)
        if found:
            when = f"{found.what} {found.comes} with a later release"
            where.fault(shown(value), f"something else: {when}; {found.until_then}")


def _walk(value: object, name: str, place: Place) -> Iterator[tuple[str, Place, object]]:
    """Every key of the document: its name without the numbers of lists, its place and its value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            inner_name = f"{name}.{key}" if name else key
            yield inner_name, place.at(key), inner
            yield from _walk(inner, inner_name, place.at(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(inner, name, place.at(number))
