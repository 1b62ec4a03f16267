"""Refusals: the answers of a source that were not believed, kept as data beside the price that was chosen instead."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

_log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why an answer is no price."""

    STALE = "stale"
    """Its own time lies too long before the moment that it should price."""
    NO_PRICE = "no_price"
    """The source itself says none: zero, below zero, or nonsense."""
    UNCERTAIN = "uncertain"
    """The source's own confidence in it is too low."""
    DEVIATES = "deviates"
    """It is further from every reference than the token's limit allows."""
    UNCONFIRMED = "unconfirmed"
    """No reference had a price for its hour."""


class Refusal(NamedTuple):
    """The answer of `source` for the moment `valid_time` (unix seconds) was refused; `detail` says what it was."""

    source: str
    token: str
    valid_time: int
    reason: Reason
    detail: str


Refuse = Callable[[Refusal], None]
"""Where a source tells its refusals: a list's append, to record them, or `log_refusal`."""


def log_refusal(refusal: Refusal) -> None:
    """One line in the log for a refusal that nobody records."""
    _log.warning("price refused source=%s token=%s valid_time=%d reason=%s detail=%s", *refusal)
