"""A price that the operator fixed in the program file."""

from loyalty.core.errors import Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span


class FixedSource:
    """One point at time 0 that never ages. `price` is an integer at the token's price_decimals."""

    name = "fixed"

    def __init__(self, price: int) -> None:
        if price <= 0:
            raise Invalid(f"a fixed price of {price} is no price: it must be above 0")
        self._price = price

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The one point, whatever the span."""
        return [PricePoint(0, self._price, self.name, now)]
