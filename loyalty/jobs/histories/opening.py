"""The history of a pool by its protocol."""

from collections.abc import Callable, Collection

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.jobs.histories.curve import CurveHistory
from loyalty.jobs.histories.history import PoolHistory
from loyalty.jobs.histories.uniswap_v3 import UniswapHistory
from loyalty.jobs.histories.vault import VaultHistory
from loyalty.program.rules import Rules
from loyalty.state.pools import PoolRow

_OF: dict[str, Callable[[Connection, Rules, PoolRow, Collection[Address]], PoolHistory]] = {
    "uniswap_v3": UniswapHistory,
    "curve": CurveHistory,
    "stream_vault": VaultHistory,
    "erc4626": VaultHistory,
}


def open_history(connection: Connection, rules: Rules, pool: PoolRow, managers: Collection[Address]) -> PoolHistory:
    """A pool's history from its first fact on; `managers` are the chain's position managers."""
    if pool.protocol not in _OF:
        raise Invalid(f"pool {pool.address}: this release cannot accrue the protocol {pool.protocol}")
    return _OF[pool.protocol](connection, rules, pool, managers)
