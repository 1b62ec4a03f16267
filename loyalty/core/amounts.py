"""Exact amounts: integers in the smallest unit inside, plain decimal strings outside."""

import re
from fractions import Fraction

from loyalty.core.errors import Invalid, LoyaltyError

USD_DECIMALS = 6
"""USD is counted in micro-dollars."""

INT63_MAX = 2**63 - 1
_DECIMAL = re.compile(r"([0-9]{1,100})(?:\.([0-9]{1,100}))?")
"""ASCII digits, more of them than any amount has; Python itself refuses to read thousands."""


class Overflow(LoyaltyError):
    """A dollar value that does not fit 63 bits (9.2 trillion dollars)."""

    code = "overflow"


def parse_units(text: str, decimals: int) -> int:
    """ "1.25" with 6 decimals is 1250000. Only plain non-negative decimals; more digits than `decimals` is Invalid."""
    match = _DECIMAL.fullmatch(text)
    if not match:
        raise Invalid(f"{text!r} is not a plain decimal number such as 1250.5")
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise Invalid(f"{text!r} has {len(fraction)} decimals, at most {decimals} are allowed")
    units: int = int(match[1]) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    return units


def format_units(units: int, decimals: int) -> str:
    """1250000 with 6 decimals is "1.25": plain, exact, no exponent, no trailing zeros."""
    text = format_units_fixed(units, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_units_fixed(units: int, decimals: int) -> str:
    """1250000 with 6 decimals is "1.250000": exactly `decimals` decimals."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}" if decimals else f"{sign}{whole}"


def parse_decimal(text: str) -> Fraction:
    """The exact value of a plain non-negative decimal such as "1.2"; raises Invalid."""
    if not _DECIMAL.fullmatch(text):
        raise Invalid(f"{text!r} is not a plain decimal number such as 1.2")
    return Fraction(text)


def format_decimal(value: Fraction) -> str:
    """ "1.2": plain, without exponent or trailing zeros. The value must have a finite decimal writing."""
    decimals = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        decimals += 1
        if decimals > 100:
            raise Invalid(f"{value} has no finite decimal writing")
    return format_units(scaled.numerator, decimals)


def usd_micro(value: int) -> int:
    """`value` itself, when it fits the 63 bits in which the database keeps micro-dollars; else Overflow."""
    if not -INT63_MAX <= value <= INT63_MAX:
        usd = format_units(value, USD_DECIMALS)
        raise Overflow(f"{usd} USD does not fit 63 bits of micro-dollars: check the prices")
    return value
