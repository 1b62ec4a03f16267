"""The rules: epochs, tiers, exclusions, budgets, rewards, digest. Pure: no clock, no network, no database."""
