"""Pages: a list is cut after a key, not after a count, so that what comes and goes meanwhile shifts nothing."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple, TypeVar

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
