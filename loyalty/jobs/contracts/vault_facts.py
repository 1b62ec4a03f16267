"""What a vault's contracts say of themselves: the asset and the decimals, checked against the program file."""

from typing import NamedTuple

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid
from loyalty.jobs.contracts.deployed import check_deployed, place
from loyalty.protocols.vaults.erc4626.contract import (
    ASSET,
    DECIMALS,
    TOTAL_SUPPLY,
    convert_to_assets,
    decode_asset,
    decode_decimals,
    decode_units,
)


class VaultFacts(NamedTuple):
    """Decimals of the shares; the asset and its decimals, None where the shares are bridged from another chain."""

    share_decimals: int
    asset: Address | None
    asset_decimals: int | None


async def vault_facts(chain: Chain, pool: PoolSettings) -> VaultFacts:
    """What the vault says at the head. Raises Invalid where it is none, or was none yet at its `start_block`."""
    await check_deployed(chain, pool)
    share_decimals = await _share_decimals(chain, pool)
    if pool.home is not None:
        return VaultFacts(share_decimals, None, None)
    asset = await _asset(chain, pool)
    if asset is None:
        return VaultFacts(share_decimals, None, None)
    if pool.protocol == "erc4626":
        payload = convert_to_assets(share_decimals)
        await _told(chain, pool, payload, "convertToAssets(uint256)")
    return VaultFacts(share_decimals, asset, decode_decimals(await chain.call(asset, DECIMALS), asset))


async def _share_decimals(chain: Chain, pool: PoolSettings) -> int:
    await _told(chain, pool, TOTAL_SUPPLY, "totalSupply()")
    return decode_decimals(await chain.call(pool.address, DECIMALS), pool.address)


async def _asset(chain: Chain, pool: PoolSettings) -> Address | None:
    """An ERC-4626 vault must tell its asset; of a vault with rounds it is compared where the vault tells it."""
    try:
        return decode_asset(await chain.call(pool.address, ASSET), pool.address)
    except Invalid as refused:
        if pool.protocol == "erc4626":
            raise _no_vault(pool, refused) from None
        return None


async def _told(chain: Chain, pool: PoolSettings, payload: bytes, function: str) -> int:
    try:
        return decode_units(await chain.call(pool.address, payload), pool.address, function)
    except Invalid as refused:
        raise _no_vault(pool, refused) from None


def _no_vault(pool: PoolSettings, refused: Invalid) -> Invalid:
    what = "no share token of a vault" if pool.home else f"no vault of the protocol {pool.protocol}"
    return Invalid(f"{place(pool)}: the contract at {checksum(pool.address)} is {what} ({refused})")
