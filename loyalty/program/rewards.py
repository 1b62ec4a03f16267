"""Rewards: units divided by weight, down to the last one."""

from collections.abc import Mapping
from fractions import Fraction
from math import lcm

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent


def divide(units: int, weights: Mapping[Address, int | Fraction]) -> dict[Address, int]:
    """`units` split by weight: floors, then one unit each to the largest remainders, ties to the lower address.

    The parts add up to `units` exactly, unless no weight is above zero: then nothing is paid. Only parts above zero are
    given, in ascending order of address. Largest remainders: Hamilton's method.
    """
    whole = _as_integers(weights)
    total = sum(whole.values())
    if units < 0:
        raise Inconsistent(f"{units} units cannot be divided: a budget is never negative")
    if not total:
        return {}
    parts, remainders = _floors(units, whole, total)
    left = units - sum(parts.values())
    for _, address in sorted(remainders)[:left]:
        parts[address] += 1
    return {address: part for address, part in sorted(parts.items()) if part}


def _as_integers(weights: Mapping[Address, int | Fraction]) -> dict[Address, int]:
    """The weights times their common denominator."""
    for address, weight in weights.items():
        if weight < 0:
            raise Inconsistent(f"the weight of {address} is {weight}: a weight is never negative")
    denominator = lcm(*{weight.denominator for weight in weights.values()})
    return {address: w.numerator * (denominator // w.denominator) for address, w in weights.items()}


def _floors(
    units: int, weights: Mapping[Address, int], total: int
) -> tuple[dict[Address, int], list[tuple[int, Address]]]:
    """Each address's floor, and (minus its remainder, address): sorted, the first are the next to get a unit."""
    parts: dict[Address, int] = {}
    remainders: list[tuple[int, Address]] = []
    for address, weight in weights.items():
        part, remainder = divmod(units * weight, total)
        parts[address] = part
        if remainder:
            remainders.append((-remainder, address))
    return parts, remainders
