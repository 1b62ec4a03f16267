"""The conversation about NFT stakers: which logs to ask for, and the stakes that follow. No network here."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loyalty.core.errors import Inconsistent
from loyalty.core.facts import PositionStake
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.abi import place
from loyalty.protocols.nft_stakers.staker import Staker, check_stakers, decode_stake


class StakeSpan(NamedTuple):
    """The facts of a span in (block, log index) order; `logs_read` counts the logs that came."""

    stakes: list[PositionStake]
    logs_read: int


def queries(stakers: Sequence[Staker], span: Span) -> list[LogQuery]:
    """What `read_span` asks. It hangs on nothing, so it can be asked for later spans in advance."""
    check_stakers(stakers)
    topics = dict.fromkeys(shape.topic0 for staker in stakers for shape in staker.shapes)
    return [LogQuery(tuple(staker.contract for staker in stakers), (tuple(topics),), span)]


def read_span(stakers: Sequence[Staker], span: Span) -> Conversation[StakeSpan]:
    """The stakes that the stakers logged over the blocks of `span`. Raises Inconsistent for a log that cannot be."""
    if not span or not stakers:
        return StakeSpan([], 0)
    logs = yield queries(stakers, span)
    by_address = {staker.contract: staker for staker in stakers}
    return StakeSpan([stake for log in logs for stake in _stakes(by_address.get(log.address), log)], len(logs))


def _stakes(staker: Staker | None, log: RawLog) -> Iterator[PositionStake]:
    """None for a log that is only another staker's event."""
    if staker is None:
        raise Inconsistent(
            f"{place(log, 'A log')}: it was not asked for. The endpoint does not filter logs as it should: use another "
            "one"
        )
    if log.topics and any(log.topics[0] == shape.topic0 for shape in staker.shapes):
        yield decode_stake(staker, log)
