"""Providers: the list of everybody who holds something or has earned something."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from sqlalchemy import text

from loyalty.core.address import Address, checksum
from loyalty.core.errors import Invalid, NotFound
from loyalty.reports.paging import Cut, Key, page
from loyalty.reports.shapes import Shape, amounts, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.standing import Standings
from loyalty.state import balances, epochs

Sort = Literal["weight", "usd", "average_usd", "participation_epoch", "address"]
SORTS: tuple[str, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider in the list, by what it can be sorted by; micro-dollars."""

    address: Address
    usd_micro: int
    usd_micro_in_range: int
    weight: Fraction
    average_usd_micro: int
    participation_epoch: int
    tier: str | None


def providers(snapshot: Snapshot, cut: Cut, sort: str = "-weight", tier: str | None = None) -> Shape:
    """One page of the providers (of one tier), by `sort`; a minus puts the largest first, ties go by address."""
    standings = Standings.of(snapshot)
    if tier is not None and tier not in {each.name for each in snapshot.epoch_rules.tiers}:
        names = ", ".join(each.name for each in snapshot.epoch_rules.tiers)
        raise NotFound(f"there is no tier {tier!r}: there are {names}")
    entries = [each for each in _entries(snapshot, standings) if tier in (None, each.tier)]
    rows, after = page(entries, _key(sort), f"providers {sort} {tier}", cut)
    earned = _earned(snapshot)
    excluded = snapshot.excluded_now()
    items = [_item(snapshot, standings, row, earned.get(row.address, {}), excluded) for row in rows]
    return {"items": items, "after": after, "epoch": standings.epoch or None, **snapshot.moving()}


def _item(
    snapshot: Snapshot,
    standings: Standings,
    entry: Entry,
    earned: Mapping[str, int],
    excluded: Mapping[Address, str],
) -> Shape:
    return {
        "address": checksum(entry.address),
        "usd": usd(entry.usd_micro),
        "usd_in_range": usd(entry.usd_micro_in_range),
        **standings.shape(entry.address),
        "rewards": amounts(snapshot.epoch_rules, earned),
        "excluded": excluded.get(entry.address),
        "status": snapshot.newest.status if snapshot.newest else "provisional",
    }


def _key(sort: str) -> Callable[[Entry], Key]:
    name, sign = (sort[1:], -1) if sort.startswith("-") else (sort, 1)
    values: dict[str, Callable[[Entry], int | Fraction]] = {
        "weight": lambda entry: entry.weight,
        "usd": lambda entry: entry.usd_micro,
        "average_usd": lambda entry: entry.average_usd_micro,
        "participation_epoch": lambda entry: entry.participation_epoch,
    }
    if name == "address":
        return lambda entry: (sign * int(entry.address, 16), entry.address)
    if name not in values:
        raise Invalid(f"sort {sort!r} is not known: there are {', '.join(SORTS)}, with a minus for the largest first")
    return lambda entry: (sign * values[name](entry), entry.address)


def _entries(snapshot: Snapshot, standings: Standings) -> list[Entry]:
    held: dict[Address, tuple[int, int]] = {}
    for balance in balances.balances(snapshot.connection):
        full, in_range = held.get(balance.provider, (0, 0))
        held[balance.provider] = full + balance.usd_micro, in_range + balance.usd_micro_in_range
    everybody = {*held, *standings.current, *standings.earlier, *_ever_rewarded(snapshot)}
    return [_entry(standings, address, *held.get(address, (0, 0))) for address in everybody]


def _entry(standings: Standings, address: Address, usd_micro: int, usd_micro_in_range: int) -> Entry:
    found, current = standings.tier_of(address), standings.current.get(address)
    return Entry(
        address=address,
        usd_micro=usd_micro,
        usd_micro_in_range=usd_micro_in_range,
        weight=Fraction(current.weight) if current else Fraction(0),
        average_usd_micro=standings.average_usd_micro(address) or 0,
        participation_epoch=found[1].participation_epoch if found else 0,
        tier=found[1].tier if found else None,
    )


def _ever_rewarded(snapshot: Snapshot) -> set[Address]:
    statement = text("SELECT address FROM providers WHERE id IN (SELECT provider_id FROM rewards)")
    return {Address(address) for address in snapshot.connection.execute(statement).scalars()}


def _earned(snapshot: Snapshot) -> dict[Address, dict[str, int]]:
    """Each provider's rewards of the newest evaluated epoch, by token."""
    found: dict[Address, dict[str, int]] = {}
    if snapshot.newest is not None:
        for row in epochs.rewards(snapshot.connection, snapshot.newest.number):
            found.setdefault(row.provider, {})[row.token] = row.units
    return found
