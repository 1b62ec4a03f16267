import pytest

from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.fixed import FixedSource


def test_a_fixed_price_is_one_point_at_time_zero_whatever_the_span():
    source = FixedSource(100_000_000)
    assert source.points(Span(1_000, 2_000), 77) == [PricePoint(0, 100_000_000, "fixed", 77)]
    assert source.points(Span(5, 5), 78) == [PricePoint(0, 100_000_000, "fixed", 78)]


@pytest.mark.parametrize("price", [0, -1])
def test_a_fixed_price_must_be_above_zero(price):
    with pytest.raises(Invalid, match="above 0"):
        FixedSource(price)
