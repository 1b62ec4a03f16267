"""A pool of the program in the database: registered with what its contracts say, and never contradicted later."""

from collections.abc import Mapping

from sqlalchemy import Connection

from loyalty.config import PoolSettings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Conflict, NotFound
from loyalty.jobs.contracts.contract_facts import ContractFacts
from loyalty.jobs.contracts.deployed import place
from loyalty.jobs.contracts.pool_facts import PoolFacts
from loyalty.jobs.contracts.share_pool_facts import SharePoolFacts
from loyalty.jobs.contracts.vault_facts import VaultFacts
from loyalty.program.rules import Rules, Token
from loyalty.state import pools, share_pools, vaults
from loyalty.state.pools import PoolRow

_WAY_OUT = "change it back, or index into a new database"


def register(
    connection: Connection, pool: PoolSettings, facts: ContractFacts, rules: Rules, token_ids: Mapping[str, int]
) -> None:
    """Store a pool that is new, with its cursor at its start block."""
    if isinstance(facts, SharePoolFacts):
        pool_id = _ensure(connection, pool, [token_ids[symbol] for symbol in pool.tokens[:2]])
        coins = [(coin, token_ids[symbol]) for coin, symbol in zip(facts.coins, pool.tokens, strict=True)]
        share_pools.ensure(connection, pool_id, facts.lp_token, coins, pool.gauges)
        return
    if isinstance(facts, VaultFacts):
        _register_vault(connection, pool, facts, token_ids)
        return
    pair = ordered_tokens(facts, *(rules.tokens[symbol] for symbol in pool.tokens))
    _ensure(connection, pool, [token_ids[token.symbol] for token in pair], facts)


def _register_vault(
    connection: Connection, pool: PoolSettings, facts: VaultFacts, token_ids: Mapping[str, int]
) -> None:
    """A vault has one token, the asset; bridged shares name their vault, which stands before them in the program."""
    asset_id = token_ids[pool.tokens[0]]
    home = None if pool.home is None else pools.find(connection, *pool.home)
    if pool.home is not None and home is None:
        raise NotFound(f"{place(pool)}: its vault {checksum(pool.home.address)} is not in the database yet")
    pool_id = _ensure(connection, pool, [asset_id, asset_id])
    vaults.ensure(connection, pool_id, pool.address, facts.share_decimals, home.id if home else None)


def _ensure(connection: Connection, pool: PoolSettings, first_two: list[int], facts: PoolFacts | None = None) -> int:
    token0_id, token1_id = first_two
    return pools.ensure(
        connection,
        chain_id=pool.chain_id,
        address=pool.address,
        protocol=pool.protocol,
        token0_id=token0_id,
        token1_id=token1_id,
        start_block=pool.start_block,
        fee_pips=facts.fee_pips if facts else None,
        tick_spacing=facts.tick_spacing if facts else None,
    )


def ordered_tokens(facts: PoolFacts, first: Token, second: Token) -> tuple[Token, Token]:
    """The two tokens as the pool orders them, token0 first; by address where the file gives one."""
    if first.address == facts.token1 or second.address == facts.token0:
        return second, first
    return first, second


def check_registered(connection: Connection, pool: PoolSettings) -> None:
    """What the file says of a known pool is what the database was indexed with; else Conflict, naming both."""
    row = pools.find(connection, pool.chain_id, pool.address)
    if row is None:
        raise NotFound(f"pool {pool.address} vanished from the database while it was prepared; start again")
    if row.protocol != pool.protocol:
        raise Conflict(
            f'{place(pool)}.protocol is "{pool.protocol}", but the database was indexed with "{row.protocol}": '
            f"{_WAY_OUT}"
        )
    if pool.protocol == "curve":
        _check_shares(connection, row, pool)
    elif pool.protocol in ("stream_vault", "erc4626"):
        _check_home(connection, row, pool)
    if pool.protocol != "curve" and {row.token0, row.token1} != set(pool.tokens):
        raise Conflict(
            f"{place(pool)}.tokens are {' and '.join(pool.tokens)}, but the database was indexed "
            f"with {row.token0} and {row.token1}: change them back, or index into a new database"
        )
    if row.start_block != pool.start_block:
        raise Conflict(
            f"{place(pool)}.start_block is {pool.start_block}, but the database was indexed from "
            f"{row.start_block}: {_WAY_OUT}"
        )


def _check_shares(connection: Connection, row: PoolRow, pool: PoolSettings) -> None:
    stored = share_pools.get(connection, row.id)
    for name, known, wanted in (
        ("tokens", tuple(token.symbol for _, token in stored.coins), pool.tokens),
        ("lp_token", _shown([stored.lp_token]), _shown([pool.lp_token or pool.address])),
        ("gauges", _shown(stored.gauges), _shown(pool.gauges)),
    ):
        if known != wanted:
            raise Conflict(
                f"{place(pool)}.{name}: {', '.join(wanted) or 'none'}, but the database was indexed with "
                f"{', '.join(known) or 'none'}: {_WAY_OUT}"
            )


def _check_home(connection: Connection, row: PoolRow, pool: PoolSettings) -> None:
    home_id = vaults.get(connection, row.id).home_pool_id
    home = None if home_id is None else pools.get(connection, home_id)
    stored = None if home is None else (home.chain_id, home.address)
    if stored != pool.home:
        raise Conflict(
            f"{place(pool)} is a deployment of {pool.home} here, but of {stored} in the database: {_WAY_OUT}"
        )


def _shown(addresses: tuple[Address, ...] | list[Address]) -> tuple[str, ...]:
    return tuple(checksum(address) for address in addresses)
