"""Dollar prices as integers at a token's scale."""

from decimal import Decimal

from loyalty.core.errors import Invalid

MAX_RELATIVE_ERROR_PPM = 1
"""A scale must hold a price to one part in a million."""

_LARGEST_EXPONENT = 60
"""Prices above 1e60 or below 1e-60 dollars are typing errors, and far larger exponents would fill the memory."""


def price_at_scale(usd: Decimal, price_decimals: int, place: str) -> int:
    """`usd` per whole token in units of 10**-price_decimals dollars, rounded half to even.

    Raises Invalid, beginning with `place`, for a price that is not a positive finite number, or that the scale cannot
    hold to one part in a million.
    """
    _check_positive(usd, place)
    numerator, denominator = usd.as_integer_ratio()
    numerator *= 10**price_decimals
    price = _half_even(numerator, denominator)
    if abs(price * denominator - numerator) * 1_000_000 > MAX_RELATIVE_ERROR_PPM * numerator:
        raise Invalid(
            f"{place}: {usd} USD cannot be held to one part in a million with price_decimals = {price_decimals}; "
            f"set price_decimals = {decimals_for(usd)} or more for this token in the program file"
        )
    return price


def is_price(usd: Decimal) -> bool:
    """Whether `usd` can be a price at all: a positive finite number of a believable size."""
    return usd.is_finite() and usd > 0 and abs(usd.adjusted()) <= _LARGEST_EXPONENT


def decimals_for(usd: Decimal) -> int:
    """The fewest decimals that hold every price of at least `usd` to one part in a million."""
    numerator, denominator = usd.as_integer_ratio()
    decimals = 0
    while numerator * 10**decimals * 2 < 1_000_000 * denominator:
        decimals += 1
    return decimals


def _check_positive(usd: Decimal, place: str) -> None:
    if not is_price(usd):
        raise Invalid(f"{place}: {usd} is no price; a price is a number of dollars above 0, such as 1.25")


def _half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))
