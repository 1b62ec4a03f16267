"""Statistics: how many take part, in which tiers, with how much, and what the tiers make of it."""

from collections import Counter
from fractions import Fraction

from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units
from loyalty.program.rules import PoolKey
from loyalty.reports.program import budgets, phase
from loyalty.reports.shapes import Shape, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.standing import Standings
from loyalty.state import balances


def statistics(snapshot: Snapshot) -> Shape:
    """The program in numbers. USD is what is held now by everybody who is not excluded.

    `weighted_usd` is the liquidity as `count` counts it x the pool's weight x the provider's multiplier, of those who
    are in a tier; rounded down once.
    """
    rules, standings = snapshot.epoch_rules, Standings.of(snapshot)
    excluded = snapshot.excluded_now()
    pool_weights = {rule.pool: rule.weight for rule in rules.pools}
    full = in_range = left_out = 0
    weighted = Fraction(0)
    for held in balances.balances(snapshot.connection):
        if held.provider in excluded:
            left_out += held.usd_micro
            continue
        full, in_range = full + held.usd_micro, in_range + held.usd_micro_in_range
        counted = held.usd_micro if rules.count == "full" else held.usd_micro_in_range
        if (found := standings.tier_of(held.provider)) is not None:
            pool_weight = pool_weights.get(PoolKey(held.chain, held.pool), Fraction(0))
            weighted += counted * pool_weight * Fraction(found[1].multiplier)
    lines = budgets(snapshot)
    return {
        "phase": phase(snapshot),
        "epoch": standings.epoch or None,
        "providers": len(_in_tiers(standings)),
        "tiers": [{"tier": name, "providers": count} for name, count in _distribution(snapshot, standings)],
        "usd": usd(full),
        "usd_in_range": usd(in_range),
        "weighted_usd": usd(int(weighted)),
        "excluded_usd": usd(left_out),
        "budget": [line["total"] for line in lines if line["total"] is not None],
        "paid": [line["paid"] for line in lines],
        "provisional": [line["provisional"] for line in lines],
        **snapshot.moving(),
    }


def tiers(snapshot: Snapshot) -> Shape:
    """The tiers as in force, in ascending order, each with those who are in it now."""
    counts = dict(_distribution(snapshot, Standings.of(snapshot)))
    items = [
        {
            "tier": tier.name,
            "from_epoch": tier.from_epoch,
            "multiplier": format_decimal(tier.multiplier),
            "minimum_usd": format_units(tier.minimum_usd_micro, USD_DECIMALS),
            "providers": counts[tier.name],
        }
        for tier in snapshot.epoch_rules.tiers
    ]
    return {"items": items, "after": None, **snapshot.moving()}


def _in_tiers(standings: Standings) -> set[Address]:
    return {*standings.current, *standings.earlier}


def _distribution(snapshot: Snapshot, standings: Standings) -> list[tuple[str | None, int]]:
    """Every tier with its number of providers, zeros too; None last, where someone qualifies without a tier."""
    found = [standings.tier_of(provider) for provider in sorted(_in_tiers(standings))]
    counts = Counter(each[1].tier for each in found if each is not None)
    names: list[str | None] = [tier.name for tier in snapshot.epoch_rules.tiers]
    return [(name, counts.pop(name, 0)) for name in names] + sorted(counts.items(), key=str)
