"""loyalty: exact, explainable liquidity loyalty programs on EVM chains."""

__version__ = "0.1.0"
