"""The conversation about a Chainlink feed: which logs to ask for, and the answers that follow.

The aggregators are asked, not the proxy: the proxy emits nothing. A price history is indexed as logs, so that it is the
same whenever it is asked and no archive node is needed.
"""

from collections.abc import Sequence

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import OracleAnswer
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.abi import place
from loyalty.protocols.chainlink.events import decode_answer_updated
from loyalty.protocols.chainlink.phases import Phase
from loyalty.protocols.chainlink.topics import ANSWER_UPDATED


def answer_queries(phases: Sequence[Phase], span: Span) -> list[LogQuery]:
    """What `read_answers` asks: each aggregator over its blocks in `span`, those with the same blocks together."""
    aggregators: dict[Span, set[Address]] = {}
    for phase in phases:
        blocks = phase.blocks.intersect(span)
        if blocks:
            aggregators.setdefault(blocks, set()).add(phase.aggregator)
    return [
        LogQuery(tuple(sorted(addresses)), ((ANSWER_UPDATED,),), blocks)
        for blocks, addresses in sorted(aggregators.items())
    ]


def read_answers(phases: Sequence[Phase], span: Span) -> Conversation[list[OracleAnswer]]:
    """Every answer of the aggregators in `phases` within their bounds in the blocks of `span`, in order.

    All are facts, those that do not count and those that are no prices too: `phases.counting` and the price source tell
    them apart. A log that was not asked for, and one that is no AnswerUpdated, are Inconsistent.
    """
    queries = answer_queries(phases, span)
    if not queries:
        return []
    logs = yield queries
    for log in logs:
        _check_asked_for(log, queries)
    return [decode_answer_updated(log) for log in logs]


def _check_asked_for(log: RawLog, queries: Sequence[LogQuery]) -> None:
    if log.topics[:1] == (ANSWER_UPDATED,) and any(
        log.address in query.addresses and query.span.contains(log.block) for query in queries
    ):
        return
    raise Inconsistent(
        f"{place(log, 'A log')}: it was not asked for. The endpoint does not filter logs as it should: use another one"
    )
