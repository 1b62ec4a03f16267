"""What is asked of any pool's history, whatever its protocol."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from loyalty.accrual.day import Cell
from loyalty.core.address import Address
from loyalty.core.spans import Span
from loyalty.jobs.histories.pool_prices import PoolPrices, Priced


class Balance(NamedTuple):
    """What a provider has in a pool now, in micro-dollars, in all and in range: its parts summed, then floored once."""

    usd_micro: int
    usd_micro_in_range: int


class DayInputs(Protocol):
    """A pool's day, or its part up to `span.end`: what its integers depend on beside prices."""

    @property
    def day(self) -> int: ...

    @property
    def span(self) -> Span: ...

    @property
    def has_liquidity(self) -> bool:
        """Whether anyone, excluded or not, held anything at any moment: only then are prices needed."""
        ...

    def believed(self, priced: Priced) -> Priced:
        """As far as the pool itself does not contradict what a share is said to be worth."""
        ...

    def cells(self, priced: Priced) -> Mapping[Address, Cell]:
        """Each provider's micro-dollar-days over the priced part of the day."""
        ...

    def balances(self, priced: Priced) -> Mapping[Address, Balance]:
        """What each provider has at the end of what was folded, at the last prices."""
        ...


class PoolHistory(Protocol):
    """Reads a pool's days in ascending order, in one pass over its facts."""

    @property
    def prices(self) -> PoolPrices: ...

    def day(self, day: int, until_time: int | None = None) -> DayInputs:
        """The inputs of `day`, whole or up to the second `until_time`; days must be asked for in ascending order."""
        ...
