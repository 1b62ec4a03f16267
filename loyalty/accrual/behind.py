"""What is whose at one moment: amounts that contracts hold, given to the holders behind them by their shares then.

The same order and rules as over a day (docs/look-through.md), in fractions: nothing is rounded here.
"""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from loyalty.core.address import Address


class HeldShares(NamedTuple):
    """A contract that holds for others, and who has its shares now. `backing` are the units it holds one of for each of
    its shares, where that is so; with `only_own` (a gauge) it passes on only what it holds itself."""

    contract: Address
    balances: Mapping[Address, int]
    backing: int | None = None
    only_own: bool = False


def behind(
    amounts: Mapping[Address, Fraction], contracts: Sequence[HeldShares], nobody: Collection[Address] = ()
) -> dict[Address, Fraction]:
    """The providers' amounts, looked through `contracts` in their order; what is nobody's is left out."""
    closed = {*nobody, *(each.contract for each in contracts if each.only_own)}
    found = dict(amounts)
    for each in contracts:
        amount = found.get(each.contract)
        closed.add(each.contract)
        if amount and each.contract not in nobody:
            _pass_on(each, amount, found, closed)
    return {holder: amount for holder, amount in found.items() if holder not in closed}


def _pass_on(
    contract: HeldShares, amount: Fraction, found: dict[Address, Fraction], closed: Collection[Address]
) -> None:
    shares = max(sum(contract.balances.values()), contract.backing or 0)
    for holder, units in contract.balances.items():
        if units and holder not in closed:
            found[holder] = found.get(holder, Fraction(0)) + amount * units / shares
