"""What a Curve pool's contracts say of themselves: coins and their decimals, the LP token, the gauges' LP token."""

from typing import NamedTuple, TypeVar

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid
from loyalty.jobs.contracts.deployed import check_deployed, place
from loyalty.protocols.curve.contract import LP_TOKEN, TOKEN, TOTAL_SUPPLY, coins
from loyalty.protocols.curve.pool import CurvePool, check_pools
from loyalty.protocols.view_call import DECIMALS, ViewCall

Answer = TypeVar("Answer")


class SharePoolFacts(NamedTuple):
    """The coins in the pool's own order with their decimals, and the LP token, checked against the program file."""

    coins: tuple[Address, ...]
    decimals: tuple[int, ...]
    lp_token: Address


async def share_pool_facts(chain: Chain, pool: PoolSettings) -> SharePoolFacts:
    """What `pool` says at the head. Raises Invalid where it contradicts the program file, or is no Curve pool."""
    await check_deployed(chain, pool)
    found = await _coins(chain, pool)
    check_pools([CurvePool(pool.address, pool.lp_token or pool.address, found, pool.gauges)])
    decimals = tuple([await _ask(chain, coin, DECIMALS) for coin in found])
    lp_token = await _lp_token(chain, pool)
    for gauge in pool.gauges:
        await _check_gauge(chain, pool, gauge, lp_token)
    return SharePoolFacts(found, decimals, lp_token)


async def _coins(chain: Chain, pool: PoolSettings) -> tuple[Address, ...]:
    """As many as the program file names, and no more."""
    oldest = await _told(chain, pool.address, coins(0)) is None
    found = []
    for index in range(len(pool.tokens) + 1):
        coin = await _told(chain, pool.address, coins(index, oldest=oldest))
        if coin is None:
            break
        found.append(coin)
    if not found:
        raise Invalid(
            f"{place(pool)}: the contract at this address is no Curve pool (it does not answer coins(0)): "
            "check address and chain"
        )
    if len(found) != len(pool.tokens):
        more = "or more " if len(found) > len(pool.tokens) else ""
        raise Invalid(
            f"{place(pool)}.tokens names {len(pool.tokens)} coins, but the pool has {len(found)} {more}"
            f"({', '.join(map(checksum, found))}): name all of them, in the pool's order"
        )
    return tuple(found)


async def _lp_token(chain: Chain, pool: PoolSettings) -> Address:
    """As the program file says; where the pool tells its LP token it must be the same."""
    wanted = pool.lp_token or pool.address
    told = await _told(chain, pool.address, TOKEN)
    if told is None:
        told = await _told(chain, pool.address, LP_TOKEN)
    if told is not None and told != wanted:
        raise Invalid(
            f"{place(pool)}.lp_token is {checksum(wanted)}, but the pool says {checksum(told)}: correct the program "
            "file"
        )
    if await _told(chain, wanted, TOTAL_SUPPLY) is None:
        raise Invalid(
            f"{place(pool)}.lp_token: {checksum(wanted)} is no token (it does not answer totalSupply()): set lp_token "
            "to the contract of the pool's LP token"
        )
    return wanted


async def _check_gauge(chain: Chain, pool: PoolSettings, gauge: Address, lp_token: Address) -> None:
    """Every kind of gauge tells what is staked in it."""
    told = await _told(chain, gauge, LP_TOKEN)
    if told != lp_token:
        said = "is no gauge (it does not answer lp_token())" if told is None else f"holds {checksum(told)}"
        raise Invalid(
            f"{place(pool)}.gauges: {checksum(gauge)} {said}, but the pool's LP token is {checksum(lp_token)}: correct "
            "the program file"
        )


async def _ask(chain: Chain, contract: Address, call: ViewCall[Answer]) -> Answer:
    return call.decode(await chain.call(contract, call.payload), contract)


async def _told(chain: Chain, contract: Address, call: ViewCall[Answer]) -> Answer | None:
    """The answer; None where the contract refuses the call or gives none of its kind."""
    try:
        return await _ask(chain, contract, call)
    except Invalid:
        return None
