"""ERC-4626: a vault whose shares are minted and burned at once, at the price of the moment."""
