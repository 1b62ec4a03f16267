"""What a pool's contract says of itself: asked once, at the head, or read from the recording that carries it."""

from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid
from loyalty.protocols.uniswap_v3.contract import DECIMALS, POOL_CALLS, decode_decimals, decode_pool


class PoolFacts(NamedTuple):
    """Tokens and their decimals, fee in hundredths of a bip, tick spacing."""

    token0: Address
    token1: Address
    decimals0: int
    decimals1: int
    fee_pips: int
    tick_spacing: int


async def pool_facts(chain: Chain, pool: PoolSettings) -> PoolFacts:
    """What `pool` says at the head. Raises Invalid where no such pool is, or none was yet at its `start_block`."""
    recorded = chain.recorded_pools()
    if recorded is not None:
        return _from_recording(recorded, chain, pool)
    place = f"pools[{checksum(pool.address)}]"
    if not await chain.code_at(pool.address, None):
        raise Invalid(f"{place}.address: there is no contract at this address on {chain.name}: check address and chain")
    if await chain.code_at(pool.address, pool.start_block) == b"":
        raise Invalid(
            f"{place}.start_block: the pool is not deployed yet at block {pool.start_block} of {chain.name}: "
            "set it to the block in which the pool was created"
        )
    answers = [await chain.call(pool.address, call.payload) for call in POOL_CALLS]
    contract = decode_pool(answers, pool.address)
    decimals0 = decode_decimals(await chain.call(contract.token0, DECIMALS.payload), contract.token0)
    decimals1 = decode_decimals(await chain.call(contract.token1, DECIMALS.payload), contract.token1)
    return PoolFacts(contract.token0, contract.token1, decimals0, decimals1, contract.fee_pips, contract.tick_spacing)


def _from_recording(recorded: object, chain: Chain, pool: PoolSettings) -> PoolFacts:
    raise AssertionError
