"""Curve: pools whose LP tokens are ERC-20 shares, and the gauges in which these are staked."""
