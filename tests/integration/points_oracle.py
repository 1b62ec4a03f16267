"""A second opinion on points: rows worked out in fractions from what contracts said, as docs/points.md says.

It shares no code with what it checks. Rows without points say why. Times are unix seconds, days UTC days since 1970.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from tests.integration.vault_views import ShareMoment, VaultMoment

DAY = 86_400
LIMIT = 2**63
MICRO = 10**6


class Excluded(NamedTuple):
    """An address that does not earn on the days from `first` up to, not including, `end` (None: open)."""

    address: str
    first: int | None = None
    end: int | None = None

    def covers(self, day: int) -> bool:
        return (self.first is None or day >= self.first) and (self.end is None or day < self.end)


class Row(NamedTuple):
    """What an address gets in a pool for a round or a day. `units` are shares, or micro-dollar-days."""

    number: int
    address: str
    units: int
    usd: Fraction
    micro_points: int
    why_none: str


class RoundSheet(NamedTuple):
    """What a round's points follow from. `price_per_share` in whole assets; `in_flight` counts shares in bridges."""

    round: int
    time: int
    price_per_share: Fraction
    shares: Mapping[str, int]
    in_flight: int
    unstaked: frozenset[str]


# By the round -------------------------------------------------------------------------------------------------------


def round_sheets(
    starts: Sequence[VaultMoment],
    moments: Sequence[VaultMoment],
    away: Sequence[Sequence[ShareMoment]] = (),
    *,
    decimals: int,
    nobodys: Collection[str] = (),
) -> list[RoundSheet]:
    """A sheet for each round, by the vault's views right after the roll before it, and at the end of all blocks.

    `away` has the moments of each other chain's shares; `nobodys` are the vault and the share contracts.
    """
    unstaked: defaultdict[int, set[str]] = defaultdict(set)
    for moment in (*starts, *moments):
        for number, accounts in moment.unstaked.items():
            unstaked[number] |= accounts
    return [_sheet(start, away, decimals, nobodys, frozenset(unstaked[start.round])) for start in starts]


def _sheet(
    start: VaultMoment,
    away: Sequence[Sequence[ShareMoment]],
    decimals: int,
    nobodys: Collection[str],
    unstaked: frozenset[str],
) -> RoundSheet:
    there = [moment for moments in away if (moment := _as_of(moments, start.time)) is not None]
    everywhere: Counter[str] = Counter(start.shares)
    for moment in there:
        everywhere.update(moment.balances)
    shares = {address: units for address, units in everywhere.items() if units and address not in nobodys}
    in_flight = start.omni_supply - start.supply - sum(moment.supply for moment in there)
    price = Fraction(start.price_per_share, 10**decimals)
    return RoundSheet(start.round, start.time, price, shares, in_flight, unstaked)


def _as_of(moments: Sequence[ShareMoment], time: int) -> ShareMoment | None:
    """The last block with a time up to `time`."""
    return next((moment for moment in reversed(moments) if moment.time <= time), None)


def round_rows(
    sheet: RoundSheet,
    usd_per_asset: Fraction | None,
    rate: Fraction,
    *,
    decimals: int,
    excluded: Iterable[Excluded] = (),
    require_no_unstake: bool = True,
) -> list[Row] | None:
    """The round's rows by address; None without a price, as the round then has no points yet."""
    if usd_per_asset is None:
        return None
    out = {each.address for each in excluded if each.covers(sheet.time // DAY)}
    rows = []
    for address, units in sorted(sheet.shares.items()):
        usd = Fraction(units, 10**decimals) * sheet.price_per_share * usd_per_asset
        why = "excluded" if address in out else ""
        if not why and require_no_unstake and address in sheet.unstaked:
            why = "unstaked"
        rows.append(Row(sheet.round, address, units, usd, 0 if why else _floor(usd * rate * MICRO), why))
    return rows


# By the day ---------------------------------------------------------------------------------------------------------


class Stretch(NamedTuple):
    """From `start` to `end` (seconds), so many dollars of each address stood still."""

    start: int
    end: int
    usd: Mapping[str, Fraction]


def cells(stretches: Iterable[Stretch]) -> dict[tuple[int, str], int]:
    """Micro-dollar-days by day and address, above zero: summed exactly, then rounded down once."""
    sums: defaultdict[tuple[int, str], Fraction] = defaultdict(Fraction)
    for stretch in stretches:
        at = stretch.start
        while at < stretch.end:
            until = min(stretch.end, (at // DAY + 1) * DAY)
            for address, usd in stretch.usd.items():
                sums[at // DAY, address] += usd * (until - at)
            at = until
    return {key: units for key, total in sums.items() if (units := _floor(total * MICRO / DAY))}


def day_rows(
    micro_dollar_days: Mapping[tuple[int, str], int],
    rate: Fraction,
    excluded: Iterable[Excluded] = (),
    days: range | None = None,
) -> list[Row]:
    """The rows of one pool, by day and address; `days` on which it is part of the program (None: all)."""
    out = list(excluded)
    rows = []
    for (day, address), units in sorted(micro_dollar_days.items()):
        if days is not None and day not in days:
            continue
        why = "excluded" if any(each.address == address and each.covers(day) for each in out) else ""
        usd = Fraction(units, MICRO)
        rows.append(Row(day, address, units, usd, 0 if why else _floor(units * rate), why))
    return rows


# Sums ---------------------------------------------------------------------------------------------------------------


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """Micro-points of each address that has any."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row.address] += row.micro_points
    assert all(points < LIMIT for points in sums.values())
    return {address: points for address, points in sums.items() if points}


def places(points: Mapping[str, int]) -> list[tuple[int, str, int]]:
    """Rank, address and micro-points: the rank is one more than how many have more."""
    ranked = [(1 + sum(other > mine for other in points.values()), address, mine) for address, mine in points.items()]
    return sorted(ranked)


def _floor(amount: Fraction) -> int:
    floored = floor(amount)
    assert 0 <= floored < LIMIT
    return floored
