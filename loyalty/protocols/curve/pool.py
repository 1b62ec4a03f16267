"""A Curve pool as it is followed: the tokens whose logs tell its shares and its holdings."""

from collections.abc import Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.errors import Invalid

NATIVE_COIN = Address("0x" + "ee" * 20)
"""How pools write the chain's own coin."""


class CurvePool(NamedTuple):
    """`lp_token` is the pool itself where the pool is its own LP token. `coins` in the pool's order."""

    pool: Address
    lp_token: Address
    coins: tuple[Address, ...]
    gauges: tuple[Address, ...] = ()


def check_pools(pools: Sequence[CurvePool]) -> None:
    """Raises Invalid for pools whose logs could not tell their shares or their holdings."""
    for pool in pools:
        if NATIVE_COIN in pool.coins:
            raise Invalid(
                f"pool {pool.pool} holds the chain's native coin, which moves without logs: its holdings do not follow "
                'from logs. Use value = "virtual_price" or a peg, or leave the pool out'
            )
        if len(pool.coins) < 2 or len(set(pool.coins)) < len(pool.coins):
            raise Invalid(f"pool {pool.pool} has {len(pool.coins)} coins, two or more different ones are needed")
    shares = [token for pool in pools for token in (pool.lp_token, *pool.gauges)]
    twice = sorted({token for token in shares if shares.count(token) > 1})
    if twice:
        raise Invalid(f"{', '.join(twice)}: named as LP token or gauge more than once")
