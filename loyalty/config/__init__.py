"""Configuration: the environment, and the program file, read whole or refused with every fault at once.

settings.py        the environment and .env → Settings
program_file.py    the TOML file → Program (load_program)
entries.py         every key of the file, with how it is read and its default
later.py           what is refused by name until it is built
"""

from loyalty.config.endpoint_url import EndpointUrl
from loyalty.config.price_settings import (
    ChainlinkPrice,
    CoinGeckoPrice,
    DefiLlamaPrice,
    FilePrice,
    FixedPrice,
    PoolPrice,
    PriceSetting,
)
from loyalty.config.program import (
    ChainSettings,
    LookThroughSettings,
    PoolSettings,
    PositionManager,
    Program,
    TokenSettings,
)
from loyalty.config.program_file import load_program
from loyalty.config.settings import Settings, load_settings, masked_settings, rpc_variable

__all__ = [
    "ChainSettings",
    "ChainlinkPrice",
    "CoinGeckoPrice",
    "DefiLlamaPrice",
    "EndpointUrl",
    "FilePrice",
    "FixedPrice",
    "LookThroughSettings",
    "PoolPrice",
    "PoolSettings",
    "PositionManager",
    "PriceSetting",
    "Program",
    "Settings",
    "TokenSettings",
    "load_program",
    "load_settings",
    "masked_settings",
    "rpc_variable",
]
