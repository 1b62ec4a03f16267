"""Where a token's price comes from, as the program file says it: tagged frozen values, in the order to try them."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_units
from loyalty.core.errors import Invalid
from loyalty.core.times import HOUR_SECONDS, duration_text

DEFAULT_HEARTBEAT = 25 * HOUR_SECONDS
DEFAULT_WINDOW = 1_800
_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """USD per whole token as an integer at the token's `price_decimals`; always above zero."""

    price: int

    def masked(self, price_decimals: int) -> dict[str, str]:
        return {"fixed": format_units(self.price, price_decimals)}


@dataclass(frozen=True, slots=True)
class FilePrice:
    """A CSV file of prices; the path is absolute."""

    path: Path

    def masked(self, price_decimals: int) -> dict[str, str]:
        return {"file": str(self.path)}


@dataclass(frozen=True, slots=True)
class CoinGeckoPrice:
    """A coin by CoinGecko's id."""

    coin_id: str

    def masked(self, price_decimals: int) -> dict[str, str]:
        return {"coingecko": self.coin_id}


@dataclass(frozen=True, slots=True)
class ChainlinkPrice:
    """A Chainlink proxy on the token's chain; an answer stands for `heartbeat` seconds."""

    proxy: Address
    heartbeat: int = DEFAULT_HEARTBEAT

    def masked(self, price_decimals: int) -> dict[str, str]:
        return {"chainlink": checksum(self.proxy), "heartbeat": duration_text(self.heartbeat)}


@dataclass(frozen=True, slots=True)
class DefiLlamaPrice:
    """A coin as DefiLlama names it: `chain:address`."""

    coin: str

    def masked(self, price_decimals: int) -> dict[str, str]:
        return {"defillama": self.coin}


@dataclass(frozen=True, slots=True)
class PoolPrice:
    """The price of a Uniswap V3 pool on the token's chain, time-weighted over `window` seconds.

    `allow_rewarded`: also where the program rewards liquidity in that pool.
    """

    pool: Address
    window: int = DEFAULT_WINDOW
    allow_rewarded: bool = False

    def masked(self, price_decimals: int) -> dict[str, Any]:
        return {
            "pool": checksum(self.pool),
            "window": duration_text(self.window),
            "allow_rewarded": self.allow_rewarded,
        }


PriceSetting = FixedPrice | FilePrice | CoinGeckoPrice | ChainlinkPrice | DefiLlamaPrice | PoolPrice


def price_at_scale(usd: Fraction, price_decimals: int) -> int:
    """`usd` per whole token at the scale, rounded half to even.

    Raises Invalid, which says which `price_decimals` to set, where that is more than one part in a million off.
    """
    if usd <= 0:
        raise Invalid("a price above 0")
    price: int = round(usd * 10**price_decimals)
    if abs(Fraction(price, 10**price_decimals) - usd) * _PPM > usd:
        raise Invalid(
            f"a price that price_decimals = {price_decimals} holds to one part in a million: set {_advice(usd)}"
        )
    return price


def _advice(usd: Fraction) -> str:
    for decimals in range(19):
        if abs(Fraction(round(usd * 10**decimals), 10**decimals) - usd) * _PPM <= usd:
            return f"price_decimals = {decimals}"
    return "a larger price; price_decimals cannot be more than 18"
