"""Pricing: where a token's points come from, also those that are read from the chain."""
