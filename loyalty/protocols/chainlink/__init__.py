"""Chainlink: price feeds, a proxy with one aggregator after another behind it."""
