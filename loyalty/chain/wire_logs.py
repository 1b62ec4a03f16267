"""Logs off the wire: each one checked against the question, decoded once, in order and without repetitions."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from loyalty.chain.topic_filter import TopicFilter
from loyalty.chain.wire import Malformed, WireLog, block_hash, octets, quantity, word
from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery


def raw_logs(answer: Sequence[WireLog], query: LogQuery) -> list[RawLog]:
    """The logs of an answer in (block, log index) order; equal repetitions are dropped.

    Raises Malformed for a log that is removed, of a block, address or topic that was not asked for, or not well formed,
    and for two different logs with one (block, log index). `time` is 0 where the endpoint does not tell it.
    """
    with _no_garbage_collection():
        logs = [*_decoded(answer, query)]
        logs.sort()
        return _without_repetitions(logs)


def _decoded(answer: Sequence[WireLog], query: LogQuery) -> Iterator[RawLog]:
    """Consecutive logs share their block, and all share few topics, indices and addresses: those are decoded once."""
    passes, wanted = TopicFilter(query).passes, _Wanted(query)
    addresses, words, indices = wanted.addresses, _Words(), _Quantities()
    number_text = hash_text = ""
    number, time, hash_of_block = -1, 0, ""
    time_text: str | int | None = None
    for log in answer:
        if log.block_hash != hash_text or log.block_number != number_text or log.block_timestamp != time_text:
            number_text, hash_text, time_text = log.block_number, log.block_hash, log.block_timestamp
            number, hash_of_block, time = wanted.block(number_text), block_hash(hash_text), _time(time_text)
        topics = tuple([words[text] for text in log.topics])
        if log.removed or not passes(topics):
            raise Malformed(f"a log in block {number} that was removed or has topics that were not asked for")
        index, address = indices[log.log_index], addresses.get(log.address) or wanted.address(log.address)
        fields = number, index, time, address, topics, octets(log.data), word(log.transaction_hash), hash_of_block
        yield _new(RawLog, fields)


_new = tuple.__new__
"""Twice as fast as calling the named tuple; the fields are in the order of RawLog."""


class _Words(dict[str, bytes]):
    """Topics by their text, each decoded once."""

    def __missing__(self, text: str) -> bytes:
        value = self[text] = word(text)
        return value


class _Quantities(dict[str, int]):
    """Quantities by their text, each decoded once."""

    def __missing__(self, text: str) -> int:
        value = self[text] = quantity(text)
        return value


class _Wanted:
    """What the question allows."""

    def __init__(self, query: LogQuery) -> None:
        self._span = query.span
        self.addresses: dict[str, Address] = {address: address for address in query.addresses}

    def block(self, text: str) -> int:
        number = quantity(text)
        if not self._span.contains(number):
            raise Malformed(f"a log of block {number}, outside the blocks that were asked for")
        return number

    def address(self, text: str) -> Address:
        address = self.addresses.get(text.lower())
        if address is None:
            raise Malformed("a log of a contract that was not asked for")
        self.addresses[text] = address
        return address


def _time(value: str | int | None) -> int:
    """Unix seconds; 0 where the endpoint does not tell them."""
    if value is None:
        return 0
    return value if isinstance(value, int) else quantity(value)


def _without_repetitions(logs: list[RawLog]) -> list[RawLog]:
    """Of logs in order. The common case, that none repeats, costs one comparison a log."""
    if not any(before[0] == log[0] and before[1] == log[1] for before, log in pairwise(logs)):
        return logs
    kept = [*logs[:1], *(log for before, log in pairwise(logs) if log != before)]
    for before, log in pairwise(kept):
        if before[:2] == log[:2]:
            raise Malformed(f"two different logs with the index {log.log_index} in block {log.block}")
    return kept


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Decoding makes no cycles, and the collector would look through every new log again and again."""
    restore: Callable[[], None] = gc.enable if gc.isenabled() else gc.disable
    gc.disable()
    try:
        yield
    finally:
        restore()
