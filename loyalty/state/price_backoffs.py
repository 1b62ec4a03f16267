"""Price back-offs: how long a source that failed is left alone for a token, over restarts too."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, text


class StoredBackoff(NamedTuple):
    """`source` failed `failures` times in a row for the token and is not asked before `until_time` (unix seconds)."""

    token_id: int
    source: str
    until_time: int
    failures: int


def all_backoffs(connection: Connection) -> list[StoredBackoff]:
    """Those of every token and source that failed when it was last asked."""
    rows = connection.execute(text("SELECT token_id, source, until_time, failures FROM price_backoffs"))
    return [StoredBackoff(*row) for row in rows]


def keep(connection: Connection, backoffs: Iterable[StoredBackoff]) -> None:
    """What holds from now on; without a failure nothing is kept."""
    for each in backoffs:
        statement = text("DELETE FROM price_backoffs WHERE token_id = :token_id AND source = :source")
        connection.execute(statement, {"token_id": each.token_id, "source": each.source})
        if each.failures:
            insert = text(
                "INSERT INTO price_backoffs (token_id, source, until_time, failures) "
                "VALUES (:token_id, :source, :until_time, :failures)"
            )
            connection.execute(insert, each._asdict())
