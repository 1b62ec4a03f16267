"""Feeds: the aggregators behind each Chainlink proxy, the blocks in which they count, and every answer they gave."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from loyalty.core.address import Address
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span
from loyalty.protocols.chainlink.phases import OPEN_END, Phase
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import oracle_answers as table

_ANSWERS = (
    "SELECT aggregator, block, log_index, time, round_id, answer, updated_at, transaction_hash FROM oracle_answers "
    "WHERE chain_id = :chain_id AND aggregator IN :aggregators"
)


def phases(connection: Connection, contract_id: int) -> list[Phase]:
    """The feed's phases in their order, the first one first."""
    statement = text(
        "SELECT aggregator, from_block, until_block FROM feed_phases WHERE contract_id = :contract_id ORDER BY phase"
    )
    rows = connection.execute(statement, {"contract_id": contract_id})
    return [Phase(Address(row.aggregator), Span(row.from_block, row.until_block)) for row in rows]


def set_phases(connection: Connection, contract_id: int, found: Sequence[Phase]) -> None:
    """What is known of the feed's phases from now on, numbered from 1."""
    connection.execute(text("DELETE FROM feed_phases WHERE contract_id = :id"), {"id": contract_id})
    statement = text(
        "INSERT INTO feed_phases (contract_id, phase, aggregator, from_block, until_block) "
        "VALUES (:contract_id, :phase, :aggregator, :start, :end)"
    )
    rows = [
        {
            "contract_id": contract_id,
            "phase": number,
            "aggregator": phase.aggregator,
            "start": phase.blocks.start,
            "end": phase.blocks.end,
        }
        for number, phase in enumerate(found, 1)
    ]
    if rows:
        connection.execute(statement, rows)


def forget_above(connection: Connection, chain_id: int, block: int) -> None:
    """For a rewind: bounds that answers above `block` have drawn are open again, later phases are asked anew."""
    of_chain = "contract_id IN (SELECT id FROM followed_contracts WHERE chain_id = :chain_id)"
    bound = {"chain_id": chain_id, "next": block + 1, "open": OPEN_END}
    connection.execute(text(f"DELETE FROM feed_phases WHERE {of_chain} AND from_block > :next"), bound)
    connection.execute(
        text(f"UPDATE feed_phases SET until_block = :open WHERE {of_chain} AND until_block > :next"), bound
    )


def insert(connection: Connection, chain_id: int, answers: Sequence[OracleAnswer]) -> list[OracleAnswer]:
    """Store the answers of a span of blocks; returns the new ones: two feeds may have one aggregator."""
    if not answers:
        return []
    stored = _stored(connection, chain_id, answers)
    new = [answer for answer in answers if (answer.block, answer.log_index) not in stored]
    rows = (
        (
            chain_id,
            answer.block,
            answer.log_index,
            answer.aggregator,
            answer.time,
            str(answer.round_id),
            str(answer.answer),
            answer.updated_at,
            bytearray(answer.transaction_hash),
        )
        for answer in new
    )
    insert_rows(connection, table, rows)
    return new


def _stored(connection: Connection, chain_id: int, answers: Sequence[OracleAnswer]) -> set[tuple[int, int]]:
    statement = text(
        "SELECT block, log_index FROM oracle_answers WHERE chain_id = :chain_id AND block >= :first AND block <= :last"
    )
    blocks = [answer.block for answer in answers]
    bound = {"chain_id": chain_id, "first": min(blocks), "last": max(blocks)}
    return {(row.block, row.log_index) for row in connection.execute(statement, bound)}


def answers(connection: Connection, chain_id: int, found: Sequence[Phase], updated: Span) -> list[OracleAnswer]:
    """The aggregators' answers with `updated_at` in `updated`, and all in the blocks where a phase ends, in order.

    With the latter the answers of two phases in one block can be told apart.
    """
    if not found:
        return []
    within = "updated_at >= :start AND updated_at < :end"
    statement = text(f"{_ANSWERS} AND ({within} OR block IN :borders) ORDER BY block, log_index").bindparams(
        bindparam("aggregators", expanding=True), bindparam("borders", expanding=True)
    )
    bound = {
        "chain_id": chain_id,
        "aggregators": sorted({phase.aggregator for phase in found}),
        "start": updated.start,
        "end": updated.end,
        "borders": [phase.blocks.end - 1 for phase in found if phase.blocks.end < OPEN_END] or [-1],
    }
    return [
        OracleAnswer(
            Address(row.aggregator),
            row.block,
            row.log_index,
            row.time,
            int(row.round_id),
            int(row.answer),
            row.updated_at,
            bytes(row.transaction_hash),
        )
        for row in connection.execute(statement, bound)
    ]
