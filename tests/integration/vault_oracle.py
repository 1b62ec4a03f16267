"""Dollars in vaults by who holds their shares, in fractions, from moments' views alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from loyalty.core.address import Address
from tests.integration.points_oracle import Stretch
from tests.integration.vault_views import AwayShares, RoundVault, VaultMoment, Yield

HOUR = 3_600
UsdAt = Callable[[int], Fraction]
"""USD per whole unit of the asset at a second; it changes at full hours at most."""
Known = tuple[int, Mapping[Address, int]]
"""From a second on, shares by holder."""


def vault_stretches(vault: RoundVault, start: int, end: int, usd: UsdAt, decimals: int) -> Iterator[Stretch]:
    """What is held and owed on the vault's own chain, at the price of the last roll."""
    known = [(moment.time, moment.shares) for moment in vault.moments]
    return _stretches(known, start, end, _rolled(vault.starts, usd, decimals), _times(vault.starts))


def bridged_stretches(
    shares: AwayShares, vault: RoundVault, start: int, end: int, usd: UsdAt, decimals: int
) -> Iterator[Stretch]:
    """What is held on another chain, at the price of the last roll up to that second."""
    known = [
        (moment.time, {holder: units for holder, units in moment.balances.items() if holder != shares.address})
        for moment in shares.moments
    ]
    return _stretches(known, start, end, _rolled(vault.starts, usd, decimals), _times(vault.starts))


def yield_stretches(vault: Yield, start: int, end: int, usd: UsdAt, asset_decimals: int) -> Iterator[Stretch]:
    """Shares at the vault's own price as of each full hour: that of its last block up to then."""
    known = [
        (moment.time, {holder: units for holder, units in moment.balances.items() if holder != vault.address})
        for moment in vault.moments
    ]

    def worth(second: int) -> Fraction:
        price = vault.at(second // HOUR * HOUR).price_per_share
        return Fraction(price, 10 ** (vault.decimals + asset_decimals)) * usd(second)

    return _stretches(known, start, end, worth, [])


def _rolled(starts: Sequence[VaultMoment], usd: UsdAt, decimals: int) -> UsdAt:
    """USD per smallest unit of a share; nothing before the first roll, when there are none."""

    def worth(second: int) -> Fraction:
        price = next((each.price_per_share for each in reversed(starts) if each.time <= second), 0)
        return Fraction(price, 10 ** (2 * decimals)) * usd(second)

    return worth


def _times(starts: Sequence[VaultMoment]) -> list[int]:
    return [start.time for start in starts]


def _stretches(known: Sequence[Known], start: int, end: int, worth: UsdAt, cuts: Sequence[int]) -> Iterator[Stretch]:
    """From change to change, cut at full hours and at `cuts`; `worth` is USD per smallest unit of a share."""
    for (time, shares), (after, _) in pairwise([*known, (end, {})]):
        first, last = max(time, start), min(after, end)
        hours = range(first // HOUR * HOUR + HOUR, last, HOUR)
        inside = {cut for cut in (*hours, *cuts) if first < cut < last}
        for at, until in pairwise(sorted({first, last, *inside}) if first < last else []):
            yield Stretch(at, until, {holder: units * worth(at) for holder, units in shares.items()})
