"""What a pool's contract says of itself: asked once, at the head, or read from the recording that carries it."""

from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.chain.recording_format import RecordedPool
from loyalty.config import PoolSettings
from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.jobs.contracts.deployed import check_deployed, place
from loyalty.protocols.uniswap_v3.contract import POOL_CALLS, PoolContract, decode_pool
from loyalty.protocols.view_call import DECIMALS


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
    recording = chain.recording_facts()
    recorded = recording.pool(pool.address) if recording else None
    if recorded is not None:
        return _from_recording(recorded)
    if recording is not None:
        raise Invalid(
            f"{place(pool)}: the recording of {chain.name} does not hold this pool: record it again with this file"
        )
    await check_deployed(chain, pool)
    contract = await _contract(chain, pool)
    decimals0 = DECIMALS.decode(await chain.call(contract.token0, DECIMALS.payload), contract.token0)
    decimals1 = DECIMALS.decode(await chain.call(contract.token1, DECIMALS.payload), contract.token1)
    return PoolFacts(contract.token0, contract.token1, decimals0, decimals1, contract.fee_pips, contract.tick_spacing)


async def _contract(chain: Chain, pool: PoolSettings) -> PoolContract:
    try:
        answers = [await chain.call(pool.address, call.payload) for call in POOL_CALLS]
    except Invalid as refused:
        raise Invalid(
            f"{place(pool)}: the contract at this address is no Uniswap V3 pool ({refused}): check address and chain"
        ) from None
    return decode_pool(answers, pool.address)


def _from_recording(pool: RecordedPool) -> PoolFacts:
    return PoolFacts(
        Address(pool.token0.lower()),
        Address(pool.token1.lower()),
        pool.decimals0,
        pool.decimals1,
        pool.fee_pips,
        pool.tick_spacing,
    )
