"""Aggregators' logs, and a driver that answers a conversation out of them."""

from collections.abc import Sequence
from typing import TypeVar

import pytest

from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.protocols.chainlink import topics

Result = TypeVar("Result")


def aggregator(number: int) -> Address:
    return Address(f"0x{number:040x}")


def answered(
    block: int, log_index: int, number: int, answer: int, round_id: int = 1, updated_at: int | None = None
) -> RawLog:
    """The AnswerUpdated that aggregator `number` emits in a block of time 12 * block."""
    time = 12 * block
    words = (topics.ANSWER_UPDATED, (answer % (1 << 256)).to_bytes(32), round_id.to_bytes(32))
    body = (time if updated_at is None else updated_at).to_bytes(32)
    return RawLog(block, log_index, time, aggregator(number), words, body, bytes(32), f"0x{block:064x}")


class Chain:
    """Drives conversations over fixed logs, and remembers the queries of each turn."""

    def __init__(self, logs: Sequence[RawLog]) -> None:
        self.logs = sorted(logs)
        self.turns: list[list[LogQuery]] = []

    def __call__(self, conversation: Conversation[Result]) -> Result:
        try:
            queries = next(conversation)
            while True:
                self.turns.append(list(queries))
                queries = conversation.send([log for log in self.logs if any(self._wanted(log, q) for q in queries)])
        except StopIteration as stop:
            result: Result = stop.value
            return result

    @staticmethod
    def _wanted(log: RawLog, query: LogQuery) -> bool:
        return log.address in query.addresses and query.span.contains(log.block) and log.topics[0] in query.topics[0]


class Feed:
    """The names above, for tests."""

    Chain = Chain
    aggregator = staticmethod(aggregator)
    answered = staticmethod(answered)


@pytest.fixture
def feed() -> type[Feed]:
    return Feed
