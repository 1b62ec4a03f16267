from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import Invalid
from loyalty.prices.scale import decimals_for, price_at_scale


def test_a_price_becomes_an_integer_at_the_scale():
    assert price_at_scale(Decimal("65432.12345678"), 8, "tBTC") == 6_543_212_345_678


def test_a_price_is_rounded_half_to_even():
    assert price_at_scale(Decimal("1000000.5"), 0, "X") == 1_000_000
    assert price_at_scale(Decimal("1000001.5"), 0, "X") == 1_000_002
    assert price_at_scale(Decimal("1000000.50000000000000000001"), 0, "X") == 1_000_001


def test_a_price_with_an_exponent_keeps_every_digit():
    assert price_at_scale(Decimal("1.2345678901234567891E-7"), 26, "PEPE") == 12_345_678_901_234_567_891


def test_a_price_that_the_scale_cannot_hold_is_refused_with_the_scale_that_can():
    with pytest.raises(Invalid) as refusal:
        price_at_scale(Decimal("0.00001234567"), 8, "PEPE: line 2")
    assert str(refusal.value).startswith("PEPE: line 2: 0.00001234567 USD cannot be held")
    assert "set price_decimals = 11 or more" in str(refusal.value)
    assert price_at_scale(Decimal("0.00001234567"), 11, "PEPE") == 1_234_567


def test_a_small_price_that_the_scale_holds_exactly_is_taken():
    assert price_at_scale(Decimal("0.00000001"), 8, "PEPE") == 1


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "sNaN", "Infinity", "-Infinity", "1e61", "1e999999", "1e-999999"])
def test_what_cannot_be_a_price_is_refused(text):
    with pytest.raises(Invalid, match=r"tBTC: .* is no price"):
        price_at_scale(Decimal(text), 8, "tBTC")


@given(st.decimals(min_value="1e-20", max_value="1e12", places=24), st.integers(0, 24))
def test_an_accepted_price_is_the_nearest_and_within_one_part_in_a_million(usd, decimals):
    if usd <= 0:
        return
    exact = Fraction(usd) * 10**decimals
    try:
        price = price_at_scale(usd, decimals, "X")
    except Invalid:
        assert decimals < decimals_for(usd)
        return
    assert abs(price - exact) <= Fraction(1, 2)
    assert abs(price - exact) * 1_000_000 <= exact
