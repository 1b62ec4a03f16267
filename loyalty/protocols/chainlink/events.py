"""The aggregator's event, decoded from raw logs.

Layout: AggregatorInterface of Chainlink's contracts. An answer of 0 or below is a fact too: that the feed said so. That
it is no price is for the price source to say.
"""

from loyalty.core.amounts import INT63_MAX
from loyalty.core.facts import OracleAnswer
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import malformed, place, signed, words


def decode_answer_updated(log: RawLog) -> OracleAnswer:
    """An AnswerUpdated. `round_id` is the aggregator's own; a log that does not have the shape is Inconsistent."""
    (updated_at_word,) = words(log, "AnswerUpdated", topics=3, data_words=1)
    answer = signed(log.topics[1], 256, place(log, "AnswerUpdated"))
    updated_at = int.from_bytes(updated_at_word)
    if not 0 < updated_at <= INT63_MAX:
        raise malformed(log, "AnswerUpdated", f"the time {updated_at}")
    return OracleAnswer(
        log.address,
        log.block,
        log.log_index,
        log.time,
        int.from_bytes(log.topics[2]),
        answer,
        updated_at,
        log.transaction_hash,
    )
