"""A real EVM node (anvil) and the real Uniswap V3 contracts on it, for tests and for recording the demo."""
