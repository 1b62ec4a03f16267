"""Newest first: facts read backwards from a place in time, so that a list of the last events needs no whole table."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text


class Moment(NamedTuple):
    """A log's place among those of all chains: ascending is from old to new."""

    time: int
    chain_id: int
    block: int
    log_index: int


class Wanted(NamedTuple):
    """At most `limit` facts older than `before` (None: the newest of all), of one account and one kind (None: of any).

    The kind is heeded where a table has several.
    """

    limit: int
    before: Moment | None = None
    account_id: int | None = None
    kind: str | None = None


def newest(
    connection: Connection,
    select: str,
    owner: str,
    owner_id: int,
    wanted: Wanted,
    account: str = "",
    *,
    has_kinds: bool = False,
) -> list[Row[Any]]:
    """The rows of a `select` over `facts` whose column `owner` is `owner_id`; `account` is a condition on :account.

    All of them are of one chain, on which time never goes back along the blocks.
    """
    conditions = [f"facts.{owner} = :owner"]
    bound: dict[str, int | str] = {"owner": owner_id, "limit": wanted.limit}
    if has_kinds and wanted.kind is not None:
        conditions.append("facts.kind = :kind")
        bound |= {"kind": wanted.kind}
    if wanted.account_id is not None:
        conditions.append(account or "0 = 1")  # a fact that is nobody's is not one of this account
        bound |= {"account": wanted.account_id}
    if wanted.before is not None:
        conditions.append(_BEFORE)
        bound |= dict(zip(("time", "chain", "block", "log"), wanted.before, strict=True))
    where = " AND ".join(conditions)
    statement = f"{select} WHERE {where} ORDER BY facts.block DESC, facts.log_index DESC LIMIT :limit"
    return list(connection.execute(text(statement), bound))


_BEFORE = (
    "(facts.time < :time OR (facts.time = :time AND (facts.chain_id < :chain OR (facts.chain_id = :chain AND "
    "(facts.block < :block OR (facts.block = :block AND facts.log_index < :log))))))"
)
