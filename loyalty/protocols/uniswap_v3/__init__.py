"""Uniswap V3: pools with ranges, position managers with NFTs."""
