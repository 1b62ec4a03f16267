"""Vaults: shares that are worth more or less of one asset. With rounds (stream_vault) or by the block (erc4626)."""
