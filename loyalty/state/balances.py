"""Current balances: what each provider has in a pool now, in micro-dollars."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.amounts import usd_micro
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import provider_balances as table


class ProviderBalance(NamedTuple):
    """What a provider has in a pool, in all and in range, as of a block."""

    chain: int
    pool: Address
    provider: Address
    usd_micro: int
    usd_micro_in_range: int
    as_of_block: int
    as_of_time: int


def replace(
    connection: Connection, pool_id: int, balances: Mapping[int, tuple[int, int]], as_of_block: int, as_of_time: int
) -> None:
    """Put the pool's balances, (micro-dollars, in range) by provider id, in the place of all that was there."""
    connection.execute(text("DELETE FROM provider_balances WHERE pool_id = :pool_id"), {"pool_id": pool_id})
    rows = (
        (provider_id, pool_id, usd_micro(usd), usd_micro(usd_in_range), as_of_block, as_of_time)
        for provider_id, (usd, usd_in_range) in sorted(balances.items())
    )
    insert_rows(connection, table, rows)


def balances(connection: Connection, provider_id: int | None = None) -> list[ProviderBalance]:
    """Every balance (of one provider), by provider id and pool."""
    whose = "" if provider_id is None else "WHERE provider_id = :provider_id "
    statement = text(
        "SELECT pools.chain_id, pools.address, providers.address, usd_micro, usd_micro_in_range, as_of_block, "
        "as_of_time FROM provider_balances JOIN pools ON pools.id = pool_id "
        f"JOIN providers ON providers.id = provider_id {whose}ORDER BY provider_id, pool_id"
    )
    rows = connection.execute(statement, {} if provider_id is None else {"provider_id": provider_id})
    return [ProviderBalance(*row) for row in rows]
