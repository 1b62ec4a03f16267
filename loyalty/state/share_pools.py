"""Share pools: pools whose liquidity is held as shares of an LP token, with their coins and gauges."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound
from loyalty.state import followed_tokens, pools, tokens
from loyalty.state.pools import PoolRow
from loyalty.state.tokens import TokenRow


class SharePool(NamedTuple):
    """A pool with shares as stored: `coins` with their contracts in the pool's own order.

    `generation` is the family of the pool's contract, None until its first event told it. `followed` are the ids of
    the LP token, the gauges and the coins, for reading their transfers.
    """

    pool: PoolRow
    lp_token: Address
    coins: tuple[tuple[Address, TokenRow], ...]
    gauges: tuple[Address, ...]
    generation: str | None
    followed: tuple[int, ...]


def ensure(
    connection: Connection,
    pool_id: int,
    lp_token: Address,
    coins: Sequence[tuple[Address, int]],
    gauges: Iterable[Address] = (),
) -> None:
    """Store what belongs to a pool: its LP token, its coins (contract, token id) in order, its gauges.

    Conflict, naming both, where anything contradicts what is stored.
    """
    chain_id = pools.get(connection, pool_id).chain_id
    gauges = tuple(gauges)
    stored = _find(connection, pool_id)
    if stored is not None:
        _check_same(stored, lp_token, tuple(address for address, _ in coins), gauges)
        return
    ids = followed_tokens.ids_of(connection, chain_id, [lp_token, *gauges, *(address for address, _ in coins)])
    connection.execute(
        text("INSERT INTO pool_shares (pool_id, lp_token_id) VALUES (:pool_id, :lp_token_id)"),
        {"pool_id": pool_id, "lp_token_id": ids[lp_token]},
    )
    _insert_coins(connection, pool_id, [(token_id, ids[address]) for address, token_id in coins])
    _insert_gauges(connection, pool_id, [ids[gauge] for gauge in gauges])


def _check_same(stored: SharePool, lp_token: Address, coins: tuple[Address, ...], gauges: tuple[Address, ...]) -> None:
    for name, known, value in (
        ("lp_token", (stored.lp_token,), (lp_token,)),
        ("coins", tuple(address for address, _ in stored.coins), coins),
        ("gauges", stored.gauges, gauges),
    ):
        if known != value:
            raise Conflict(
                f"pool {stored.pool.address} on chain {stored.pool.chain_id}: {name} is {', '.join(value) or 'none'} "
                f"here, but {', '.join(known) or 'none'} in the database, whose facts hang on it. Correct the program "
                "file, or use a new database"
            )


def _insert_coins(connection: Connection, pool_id: int, coins: Sequence[tuple[int, int]]) -> None:
    statement = text(
        "INSERT INTO pool_coins (pool_id, position, token_id, followed_token_id) "
        "VALUES (:pool_id, :position, :token_id, :followed_token_id)"
    )
    for position, (token_id, followed_id) in enumerate(coins):
        bound = {"pool_id": pool_id, "position": position, "token_id": token_id, "followed_token_id": followed_id}
        connection.execute(statement, bound)


def _insert_gauges(connection: Connection, pool_id: int, followed_ids: Sequence[int]) -> None:
    statement = text(
        "INSERT INTO pool_gauges (pool_id, position, followed_token_id) "
        "VALUES (:pool_id, :position, :followed_token_id)"
    )
    for position, followed_id in enumerate(followed_ids):
        bound = {"pool_id": pool_id, "position": position, "followed_token_id": followed_id}
        connection.execute(statement, bound)


def get(connection: Connection, pool_id: int) -> SharePool:
    """The pool of an id; NotFound where there is none with shares."""
    found = _find(connection, pool_id)
    if found is None:
        raise NotFound(f"pool {pool_id} has no shares in the database")
    return found


def _find(connection: Connection, pool_id: int) -> SharePool | None:
    return next(iter(_read(connection, "pool_id = :pool_id", {"pool_id": pool_id})), None)


def all_on(connection: Connection, chain_id: int) -> list[SharePool]:
    """Every pool with shares of a chain, by id."""
    where = "pool_id IN (SELECT id FROM pools WHERE chain_id = :chain_id)"
    return _read(connection, where, {"chain_id": chain_id})


def set_generation(connection: Connection, pool_id: int, generation: str | None) -> None:
    """Keep what is known of the pool's family; None where a rewind took back what told it."""
    statement = text("UPDATE pool_shares SET generation = :generation WHERE pool_id = :pool_id")
    if connection.execute(statement, {"pool_id": pool_id, "generation": generation}).rowcount != 1:
        raise NotFound(f"pool {pool_id} has no shares in the database")


def forget_untold_generations(connection: Connection, chain_id: int) -> None:
    """A rewind took back all of a pool's shares, and with them the event that told its family."""
    statement = text(
        "UPDATE pool_shares SET generation = NULL WHERE pool_id IN (SELECT id FROM pools WHERE chain_id = :chain_id) "
        "AND NOT EXISTS (SELECT 1 FROM token_transfers WHERE followed_token_id = lp_token_id)"
    )
    connection.execute(statement, {"chain_id": chain_id})


def _read(connection: Connection, where: str, bound: dict[str, Any]) -> list[SharePool]:
    """The pools of a condition, from one look at each table."""
    shares = connection.execute(
        text(
            "SELECT pool_id, lp_token_id, address, generation FROM pool_shares "
            f"JOIN followed_tokens ON followed_tokens.id = lp_token_id WHERE {where} ORDER BY pool_id"
        ),
        bound,
    ).all()
    coins, gauges = (
        _followed(connection, "pool_coins", where, bound),
        _followed(connection, "pool_gauges", where, bound),
    )
    token_rows = {row.id: row for row in tokens.all_tokens(connection)}
    token_ids = _coin_tokens(connection, where, bound)
    return [
        SharePool(
            pools.get(connection, pool_id),
            Address(lp_token),
            tuple(
                (address, token_rows[token_id])
                for (_, address), token_id in zip(coins[pool_id], token_ids[pool_id], strict=True)
            ),
            tuple(address for _, address in gauges[pool_id]),
            generation,
            (lp_token_id, *(number for number, _ in gauges[pool_id]), *(number for number, _ in coins[pool_id])),
        )
        for pool_id, lp_token_id, lp_token, generation in shares
    ]


def _followed(
    connection: Connection, table: str, where: str, bound: dict[str, Any]
) -> dict[int, list[tuple[int, Address]]]:
    """For each pool the followed contracts of a table, id and address, by position."""
    statement = text(
        f"SELECT pool_id, followed_token_id, address FROM {table} "
        f"JOIN followed_tokens ON followed_tokens.id = followed_token_id WHERE {where} ORDER BY pool_id, position"
    )
    found: dict[int, list[tuple[int, Address]]] = defaultdict(list)
    for pool_id, number, address in connection.execute(statement, bound):
        found[pool_id].append((number, Address(address)))
    return found


def _coin_tokens(connection: Connection, where: str, bound: dict[str, Any]) -> dict[int, list[int]]:
    statement = text(f"SELECT pool_id, token_id FROM pool_coins WHERE {where} ORDER BY pool_id, position")
    found: dict[int, list[int]] = defaultdict(list)
    for pool_id, token_id in connection.execute(statement, bound):
        found[pool_id].append(token_id)
    return found
