"""What builds and proves the project beside it: a real EVM node, the real Uniswap V3 contracts, the demo's recorder."""
