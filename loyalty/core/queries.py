"""What to ask `eth_getLogs` for, and the conversation in which an adapter asks."""

from collections.abc import Generator, Sequence
from typing import NamedTuple, TypeVar

from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.core.spans import Span


class LogQuery(NamedTuple):
    """Logs of any of `addresses` over the blocks of `span` (half-open).

    `topics[i]` lists the words allowed at topic i; an empty tuple allows any.
    """

    addresses: tuple[Address, ...]
    topics: tuple[tuple[bytes, ...], ...]
    span: Span


Result = TypeVar("Result")

Conversation = Generator[Sequence[LogQuery], Sequence[RawLog], Result]
"""A pure adapter's side of indexing: it yields queries, is sent all their logs in (block, log index) order, without
repetitions, and returns its result. Who drives it does the network."""
