"""What the contracts of a pool say of themselves, whichever its protocol."""

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings
from loyalty.jobs.contracts.pool_facts import PoolFacts, pool_facts
from loyalty.jobs.contracts.share_pool_facts import SharePoolFacts, share_pool_facts
from loyalty.jobs.contracts.vault_facts import VaultFacts, vault_facts

ContractFacts = PoolFacts | SharePoolFacts | VaultFacts


async def contract_facts(chain: Chain, pool: PoolSettings) -> ContractFacts:
    """At the head. Raises Invalid where no such pool is, or none was yet at its `start_block`."""
    if pool.protocol == "curve":
        return await share_pool_facts(chain, pool)
    if pool.protocol in ("stream_vault", "erc4626"):
        return await vault_facts(chain, pool)
    return await pool_facts(chain, pool)
