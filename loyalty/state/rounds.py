"""Rounds: how each began, and who held how many shares then. Derived from a vault's facts on all its chains."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import round_shares as shares_table
from loyalty.state.schema import rounds as table


class RoundRow(NamedTuple):
    """A round that has begun, right after log `start_log_index` of block `start_block` on its vault's own chain.

    `unclaimed_shares` are the contracts' own, `in_flight_shares` those between two chains: both are nobody's.
    """

    pool_id: int
    round: int
    start_time: int
    start_block: int
    start_log_index: int
    price_per_share: int
    unclaimed_shares: int
    in_flight_shares: int


_SELECT = (
    "SELECT pool_id, round, start_time, start_block, start_log_index, price_per_share, unclaimed_shares, "
    "in_flight_shares FROM rounds"
)


def write(connection: Connection, row: RoundRow, shares: Mapping[int, int]) -> None:
    """Store a round and its holders' shares by provider id, in the place of what was there."""
    bound = {"pool_id": row.pool_id, "round": row.round}
    for name in ("round_shares", "rounds"):
        connection.execute(text(f"DELETE FROM {name} WHERE pool_id = :pool_id AND round = :round"), bound)
    stored = (*row[:5], str(row.price_per_share), str(row.unclaimed_shares), str(row.in_flight_shares))
    insert_rows(connection, table, [stored])
    insert_rows(
        connection, shares_table, ((row.pool_id, row.round, owner, str(units)) for owner, units in shares.items())
    )


def of_pool(connection: Connection, pool_id: int) -> dict[int, RoundRow]:
    """A vault's rounds by number."""
    rows = connection.execute(text(f"{_SELECT} WHERE pool_id = :pool_id ORDER BY round"), {"pool_id": pool_id})
    return {row.round: _row(tuple(row)) for row in rows}


def find(connection: Connection, pool_id: int, number: int) -> RoundRow | None:
    """One round; None where it is not computed."""
    statement = text(f"{_SELECT} WHERE pool_id = :pool_id AND round = :round")
    row = connection.execute(statement, {"pool_id": pool_id, "round": number}).first()
    return None if row is None else _row(tuple(row))


def shares(connection: Connection, pool_id: int, number: int) -> dict[Address, int]:
    """Who held how many shares when the round began."""
    statement = text(
        "SELECT address, shares FROM round_shares JOIN providers ON providers.id = provider_id "
        "WHERE pool_id = :pool_id AND round = :round ORDER BY provider_id"
    )
    rows = connection.execute(statement, {"pool_id": pool_id, "round": number})
    return {Address(row.address): int(row.shares) for row in rows}


def holders(connection: Connection, pool_id: int) -> dict[int, int]:
    """How many held shares when each round of a vault began."""
    statement = text("SELECT round, count(*) AS holders FROM round_shares WHERE pool_id = :pool_id GROUP BY round")
    return {row.round: row.holders for row in connection.execute(statement, {"pool_id": pool_id})}


def delete_since(connection: Connection, time: int) -> None:
    """Forget the rounds of every vault that began at `time` or later."""
    bound = {"time": time}
    connection.execute(
        text(
            "DELETE FROM round_shares WHERE EXISTS (SELECT 1 FROM rounds WHERE rounds.pool_id = round_shares.pool_id "
            "AND rounds.round = round_shares.round AND start_time >= :time)"
        ),
        bound,
    )
    connection.execute(text("DELETE FROM rounds WHERE start_time >= :time"), bound)


def _row(row: tuple[int, ...]) -> RoundRow:
    return RoundRow(*(int(value) for value in row))
