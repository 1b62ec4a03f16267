"""Shapes: how amounts, dollars, times and pools are written in every answer."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS, format_units, format_units_fixed
from loyalty.core.errors import Inconsistent
from loyalty.core.times import time_text
from loyalty.program.rules import Rules

Shape = dict[str, Any]
"""A JSON-ready object."""

SHARE_DECIMALS = 9


def usd(usd_micro: int) -> str:
    """Dollars or dollar-days with exactly 6 decimals."""
    return format_units_fixed(usd_micro, USD_DECIMALS)


def usd_or_none(usd_micro: int | None) -> str | None:
    return None if usd_micro is None else usd(usd_micro)


def amount(rules: Rules, symbol: str, units: int) -> Shape:
    """A token amount: decimal for people, units for programs."""
    return {"token": symbol, "amount": format_units(units, rules.tokens[symbol].decimals), "amount_units": str(units)}


def amounts(rules: Rules, units: Mapping[str, int]) -> list[Shape]:
    """One amount a reward token, in the order of the rules; a token without units has zero.

    Raises Inconsistent for units of a token that the rules do not divide: nothing is left out in silence.
    """
    if strange := sorted(units.keys() - {reward.token for reward in rules.rewards}):
        raise Inconsistent(f"there are amounts in {', '.join(strange)}, which the rules do not divide")
    return [amount(rules, reward.token, units.get(reward.token, 0)) for reward in rules.rewards]


def share(part: Fraction, whole: Fraction) -> str:
    """A part of a whole as a decimal from 0 to 1, cut to 9 decimals; "0.000000000" of nothing."""
    return format_units_fixed(int(part * 10**SHARE_DECIMALS / whole) if whole else 0, SHARE_DECIMALS)


def time_or_none(time: int | None) -> str | None:
    return None if time is None else time_text(time)


def pool_of(chain: int, pool: Address) -> Shape:
    return {"chain": chain, "pool": checksum(pool)}
