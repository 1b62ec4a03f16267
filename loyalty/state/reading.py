"""Which facts to read, and reading them as a stream: memory does not grow with history."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

ROWS_A_FETCH = 2_000


@dataclass(frozen=True, slots=True)
class FactSelection:
    """Facts of one chain's pools with from_time <= time < before_time (None: open), in (block, log index) order."""

    chain_id: int
    pool_ids: tuple[int, ...]
    from_time: int | None = None
    before_time: int | None = None

    def conditions(self) -> str:
        pools = "facts.pool_id = :pool_id" if len(self.pool_ids) == 1 else "facts.pool_id IN :pool_ids"
        parts = ["facts.chain_id = :chain_id", pools]
        if self.from_time is not None:
            parts.append("facts.time >= :from_time")
        if self.before_time is not None:
            parts.append("facts.time < :before_time")
        return " AND ".join(parts)

    def parameters(self) -> dict[str, Any]:
        one = {"pool_id": self.pool_ids[0]} if len(self.pool_ids) == 1 else {"pool_ids": self.pool_ids}
        times = {"from_time": self.from_time, "before_time": self.before_time}
        return {"chain_id": self.chain_id, **one, **{name: time for name, time in times.items() if time is not None}}


def stream(connection: Connection, select: str, selection: FactSelection) -> Iterator[Any]:
    """The rows of `select` (whose fact table is named `facts`) that are selected, in (block, log index) order."""
    statement = text(f"{select} WHERE {selection.conditions()} ORDER BY facts.block, facts.log_index")
    if len(selection.pool_ids) != 1:
        statement = statement.bindparams(bindparam("pool_ids", expanding=True))
    options = {"yield_per": ROWS_A_FETCH}
    rows = connection.execute(statement, selection.parameters(), execution_options=options)
    try:
        while batch := rows.fetchmany(ROWS_A_FETCH):
            yield from batch
    finally:
        # A cursor left half-read would keep its pooled connection on this snapshot. Where the connection went back
        # before this stream, it may be closed for good: then letting go of the cursor is all there is to do.
        if not connection.closed:
            rows.close()
