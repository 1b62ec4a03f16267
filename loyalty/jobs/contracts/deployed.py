"""Is a pool's contract there, from the block on from which it is to be indexed?"""

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings
from loyalty.core.address import checksum
from loyalty.core.errors import Invalid


async def check_deployed(chain: Chain, pool: PoolSettings) -> None:
    """At the head every node knows; at the start block only one that still has its state (None: it has not)."""
    recording = chain.recording_facts()
    if recording is not None and not recording.holds_contracts:
        raise Invalid(
            f"{place(pool)}: the recording of {chain.name} holds nothing of {pool.protocol} pools: record it again "
            f"with this file, or give {chain.name} an http(s) endpoint"
        )
    if not await chain.code_at(pool.address, None):
        raise Invalid(f"{place(pool)}: there is no contract at this address on {chain.name}: check address and chain")
    if await chain.code_at(pool.address, pool.start_block) == b"":
        raise Invalid(
            f"{place(pool)}.start_block: the pool is not deployed yet at block {pool.start_block} of {chain.name}: "
            "set it to the block in which the pool was created"
        )


def place(pool: PoolSettings) -> str:
    """Where the program file speaks of the pool."""
    return f"pools[{checksum(pool.address)}]"
