"""Share answers: what a pool's contract said of one share at the full hours, from blocks that were final then."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span

SOURCE = "contract"


class ShareAnswer(NamedTuple):
    """`value` is a virtual price, or asset units per whole share: the contract's answer at the end of `block`, the last
    one with a timestamp up to `valid_time`, a full hour (unix seconds)."""

    valid_time: int
    block: int
    value: int
    asked_time: int


_SELECT = "SELECT valid_time, block, value, asked_time FROM share_answers WHERE pool_id = :pool_id"


def insert(connection: Connection, pool_id: int, chain_id: int, answer: ShareAnswer) -> bool:
    """Store an answer; False, with nothing changed, where its hour has one."""
    statement = text(
        "INSERT INTO share_answers (pool_id, valid_time, chain_id, block, value, asked_time) "
        "VALUES (:pool_id, :valid_time, :chain_id, :block, :value, :asked_time) "
        "ON CONFLICT (pool_id, valid_time) DO NOTHING"
    )
    bound = {"pool_id": pool_id, "chain_id": chain_id, **answer._asdict(), "value": str(answer.value)}
    return connection.execute(statement, bound).rowcount == 1


def answers(connection: Connection, pool_id: int, span: Span) -> list[ShareAnswer]:
    """The last answer before `span`, and those within it, in order."""
    bound = {"pool_id": pool_id, "start": span.start}
    before = text(f"{_SELECT} AND valid_time < :start ORDER BY valid_time DESC LIMIT 1")
    within = text(f"{_SELECT} AND valid_time >= :start AND valid_time < :end ORDER BY valid_time")
    rows = [*connection.execute(before, bound), *connection.execute(within, bound | {"end": span.end})]
    return [ShareAnswer(time, block, int(value), asked) for time, block, value, asked in rows]


def points(connection: Connection, pool_id: int, span: Span) -> list[PricePoint]:
    """The same as points of a series; the answers are final, so there are no others later."""
    found = answers(connection, pool_id, span)
    return [PricePoint(each.valid_time, each.value, SOURCE, each.asked_time) for each in found]


def has_from(connection: Connection, pool_id: int, time: int) -> bool:
    """Whether an answer of `time` or later is stored."""
    statement = text("SELECT 1 FROM share_answers WHERE pool_id = :pool_id AND valid_time >= :time")
    return connection.execute(statement, {"pool_id": pool_id, "time": time}).first() is not None


def hours(connection: Connection, pool_id: int) -> set[int]:
    """The hours that have an answer."""
    statement = text("SELECT valid_time FROM share_answers WHERE pool_id = :pool_id")
    return set(connection.execute(statement, {"pool_id": pool_id}).scalars())
