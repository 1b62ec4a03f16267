"""Pages: a list is cut after a key, not after a count, so that what comes and goes meanwhile shifts nothing."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple, TypeVar

from loyalty.core.amounts import INT63_MAX
from loyalty.core.errors import Invalid

Key = tuple[int | Fraction | str, ...]
"""A row's place in its order. The last part is unique, so that ties have an order too."""
Row = TypeVar("Row")
_NUMBER = re.compile(r"-?[0-9]+(/[1-9][0-9]*)?")
"""As `_token` writes one. A Fraction reads exponents too, and one like 1e400000000 would be computed for minutes."""


class Cut(NamedTuple):
    """Which page is wanted: at most `limit` rows behind the token `after` of the page before (None: the first)."""

    limit: int
    after: str | None


def page(rows: Iterable[Row], key: Callable[[Row], Key], order: str, cut: Cut) -> tuple[list[Row], str | None]:
    """The rows of one page, ascending by key, and the token of the next one, None at the end.

    `order` names the order (and what else the list depends on): a token of another one is Invalid.
    """
    behind = None if cut.after is None else _read(cut.after, order)
    keyed = sorted(((key(row), row) for row in rows), key=lambda pair: pair[0])
    try:
        left = [pair for pair in keyed if behind is None or pair[0] > behind]
    except TypeError:
        raise _strange() from None
    shown = left[: cut.limit]
    return [row for _, row in shown], _token(order, shown[-1][0]) if len(left) > len(shown) else None


def behind(cut: Cut, order: str, parts: int) -> tuple[int, ...] | None:
    """The whole numbers of the key after which the page begins, for a list that is read from there; None: the first."""
    if cut.after is None:
        return None
    key = _read(cut.after, order)
    if len(key) != parts or not all(_fits(part) for part in key):
        raise _strange()
    return tuple(int(part) for part in key)


def _fits(part: int | Fraction | str) -> bool:
    """Whether it is a whole number that a database can compare."""
    return not isinstance(part, str) and part.denominator == 1 and -INT63_MAX <= part <= INT63_MAX


def _token(order: str, key: Key) -> str:
    parts = [order, *(part if isinstance(part, str) else [str(part)] for part in key)]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(token: str, order: str) -> Key:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        written, *parts = json.loads(raw)
        key = tuple(part if isinstance(part, str) else _number(*part) for part in parts)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _strange() from None
    if written != order:
        raise Invalid("`after` belongs to a list in another order or with another filter: begin again without it")
    return key


def _number(written: str) -> Fraction:
    if not _NUMBER.fullmatch(written):
        raise ValueError(written)
    return Fraction(written)


def _strange() -> Invalid:
    return Invalid("`after` is not a token of this list: send the `after` of the page before, unchanged, or none")
