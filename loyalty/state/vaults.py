"""Vaults: pools whose liquidity is shares of one asset, and where the rounds of bridged shares are."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound
from loyalty.state import followed_tokens, pools
from loyalty.state.pools import PoolRow


class Vault(NamedTuple):
    """A vault as stored. `home_pool_id` is None but for shares that are bridged from the vault of that pool."""

    pool: PoolRow
    share_token: Address
    share_token_id: int
    share_decimals: int
    home_pool_id: int | None


_SELECT = (
    "SELECT pool_id, followed_tokens.address, share_token_id, share_decimals, home_pool_id FROM pool_vaults "
    "JOIN followed_tokens ON followed_tokens.id = share_token_id"
)


def ensure(
    connection: Connection, pool_id: int, share_token: Address, share_decimals: int, home_pool_id: int | None = None
) -> None:
    """Store what belongs to a vault. Conflict, naming both, where what is stored is another."""
    chain_id = pools.get(connection, pool_id).chain_id
    stored = find(connection, pool_id)
    if stored is None:
        ids = followed_tokens.ids_of(connection, chain_id, [share_token])
        bound = {"pool_id": pool_id, "token": ids[share_token], "decimals": share_decimals, "home": home_pool_id}
        connection.execute(text("INSERT INTO pool_vaults VALUES (:pool_id, :token, :decimals, :home)"), bound)
        return
    wanted = (share_token, share_decimals, home_pool_id)
    known = (stored.share_token, stored.share_decimals, stored.home_pool_id)
    if known != wanted:
        raise Conflict(
            f"vault {stored.pool.address} on chain {chain_id}: share token, decimals and home are {wanted} here, but "
            f"{known} in the database, whose facts hang on them. Correct the program file, or use a new database"
        )


def find(connection: Connection, pool_id: int) -> Vault | None:
    """The vault of a pool's id; None where the pool is none."""
    return next(iter(_read(connection, "WHERE pool_id = :pool_id", {"pool_id": pool_id})), None)


def get(connection: Connection, pool_id: int) -> Vault:
    """The vault of a pool's id; NotFound where the pool is none."""
    if (found := find(connection, pool_id)) is None:
        raise NotFound(f"pool {pool_id} is no vault in the database")
    return found


def all_vaults(connection: Connection) -> list[Vault]:
    """Every vault and every deployment of one, by pool id."""
    return _read(connection, "", {})


def deployments_of(connection: Connection, home_pool_id: int) -> list[Vault]:
    """The shares that are bridged from a vault to other chains, by pool id."""
    return _read(connection, "WHERE home_pool_id = :home", {"home": home_pool_id})


def bridged_from(connection: Connection, chain_id: int) -> list[Vault]:
    """The shares, on other chains, of the vaults whose rounds are on this chain."""
    home = "home_pool_id IN (SELECT id FROM pools WHERE chain_id = :chain_id)"
    return _read(connection, f"WHERE {home}", {"chain_id": chain_id})


def _read(connection: Connection, where: str, bound: dict[str, Any]) -> list[Vault]:
    rows = connection.execute(text(f"{_SELECT} {where} ORDER BY pool_id"), bound).all()
    return [Vault(pools.get(connection, pool_id), Address(token), *rest) for pool_id, token, *rest in rows]
