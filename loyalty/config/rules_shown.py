"""Rules in the words and shapes of the program file, JSON-ready."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from loyalty.core.address import checksum
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units
from loyalty.core.times import day_text, duration_text, time_text
from loyalty.program.rules import PoolKey, Reward, Rules, Tier


def shown_rules(rules: Rules) -> dict[str, Any]:
    """The tables program, rewards, tiers and exclusions of the file, every default filled in."""
    return {
        "program": _program(rules),
        "rewards": [_reward(rules, reward) for reward in rules.rewards],
        "tiers": [_tier(tier) for tier in rules.tiers],
        "exclusions": [
            {"address": checksum(each.address), "reason": each.reason, **dated(each.from_day, each.until_day)}
            for each in rules.exclusions
        ],
    }


def shown_points(rules: Rules) -> list[dict[str, Any]]:
    """The tables points: of each score one for each rate."""
    return [
        {"name": each.name, **part, "require_no_unstake": each.require_no_unstake}
        for each in rules.points
        for part in (*_rates("per_usd_per_round", each.per_usd_per_round), *_rates("per_usd_day", each.per_usd_day))
    ]


def _rates(key: str, rates: Mapping[PoolKey, Fraction]) -> Iterator[dict[str, Any]]:
    for rate in dict.fromkeys(rates.values()):
        pools = [checksum(pool.address) for pool, its_rate in rates.items() if its_rate == rate]
        yield {"pools": pools, key: format_decimal(rate)}


def dated(from_day: int | None, until_day: int | None) -> dict[str, str | None]:
    """The bounds of [from, until), None where it is open."""
    return {
        "from": None if from_day is None else day_text(from_day),
        "until": None if until_day is None else day_text(until_day),
    }


def _program(rules: Rules) -> dict[str, Any]:
    return {
        "name": rules.name,
        "start": time_text(rules.start),
        "end": time_text(rules.end),
        "epochs": rules.epochs,
        "epoch": duration_text(rules.epoch_seconds),
        "count": rules.count,
        "minimum_usd": format_units(rules.minimum_usd_micro, USD_DECIMALS),
        "on_lapse": rules.on_lapse,
        "settle_after": duration_text(rules.settle_after),
        "unresolved_usd": format_units(rules.unresolved_usd_micro, USD_DECIMALS),
    }


def _reward(rules: Rules, reward: Reward) -> dict[str, Any]:
    decimals = rules.tokens[reward.token].decimals
    if reward.usd_share is not None:
        share = {"of": reward.usd_share.of, "fraction": format_decimal(reward.usd_share.fraction)}
        return {"token": reward.token, "usd_share": share}
    if reward.per_epoch_units is not None:
        amounts = [format_units(units, decimals) for units in reward.per_epoch_units]
        return {"token": reward.token, "per_epoch": amounts}
    return {"token": reward.token, "total": format_units(reward.total_units or 0, decimals)}


def _tier(tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "from_epoch": tier.from_epoch,
        "multiplier": format_decimal(tier.multiplier),
        "minimum_usd": format_units(tier.minimum_usd_micro, USD_DECIMALS),
    }
