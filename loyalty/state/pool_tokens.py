"""The tokens of a pool: both of a Uniswap pool, all coins of a Curve pool, the asset of a vault."""

from sqlalchemy import Connection, text

from loyalty.state.pools import PoolRow


def symbols(connection: Connection, pool: PoolRow) -> tuple[str, ...]:
    """Their symbols in the pool's order."""
    statement = text(
        "SELECT symbol FROM pool_coins JOIN tokens ON tokens.id = token_id WHERE pool_id = :pool_id ORDER BY position"
    )
    coins = tuple(connection.execute(statement, {"pool_id": pool.id}).scalars())
    return coins or tuple(dict.fromkeys((pool.token0, pool.token1)))
