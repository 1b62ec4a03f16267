"""Rules as text: one canonical JSON per version of the rules, as the database keeps it.

Keys are sorted; decimals, units and micro-dollars are strings, so that no reader of JSON rounds them; days are
YYYY-MM-DD and times RFC 3339. The order of pools, tiers, rewards, exclusions and look-through is kept. What an older
release did not write has its default.
"""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from loyalty.core.address import Address
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units, parse_decimal, parse_units
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.times import day_text, parse_day, parse_time, time_text
from loyalty.program.rules import (
    Exclusion,
    LookThroughRule,
    PointsRule,
    PoolKey,
    PoolRule,
    Reward,
    Rules,
    Tier,
    Token,
    UsdShare,
)

FORMAT = 1


def rules_json(rules: Rules) -> str:
    """The canonical JSON: equal rules give equal text."""
    return json.dumps(_rules_dict(rules), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def rules_from_json(text: str) -> Rules:
    """The rules that `rules_json` wrote; raises Inconsistent for anything else."""
    try:
        stored = json.loads(text)
        if stored["format"] != FORMAT:
            raise Inconsistent(f"the stored rules have format {stored['format']}, this release reads {FORMAT}")
        return _rules(stored)
    except (ValueError, KeyError, TypeError, Invalid) as error:
        raise Inconsistent(f"the stored rules cannot be read ({error}): restore the database from a backup") from error


def _rules_dict(rules: Rules) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": rules.name,
        "start": time_text(rules.start),
        "epochs": rules.epochs,
        "epoch_seconds": rules.epoch_seconds,
        "count": rules.count,
        "minimum_usd": format_units(rules.minimum_usd_micro, USD_DECIMALS),
        "unresolved_usd": format_units(rules.unresolved_usd_micro, USD_DECIMALS),
        "on_lapse": rules.on_lapse,
        "settle_after_seconds": rules.settle_after,
        "tiers": [_tier_dict(tier) for tier in rules.tiers],
        "rewards": [_reward_dict(reward) for reward in rules.rewards],
        "tokens": {symbol: _token_dict(token) for symbol, token in rules.tokens.items()},
        "pools": [_pool_dict(pool) for pool in rules.pools],
        "exclusions": [_exclusion_dict(exclusion) for exclusion in rules.exclusions],
        "look_through": [_look_through_dict(each) for each in rules.look_through],
        "points": [_points_dict(each) for each in rules.points],
    }


def _tier_dict(tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "from_epoch": tier.from_epoch,
        "multiplier": format_decimal(tier.multiplier),
        "minimum_usd": format_units(tier.minimum_usd_micro, USD_DECIMALS),
    }


def _reward_dict(reward: Reward) -> dict[str, Any]:
    per_epoch, share = reward.per_epoch_units, reward.usd_share
    return {
        "token": reward.token,
        "total_units": None if reward.total_units is None else str(reward.total_units),
        "per_epoch_units": None if per_epoch is None else [str(units) for units in per_epoch],
        "usd_share": None if share is None else {"of": share.of, "fraction": format_decimal(share.fraction)},
    }


def _token_dict(token: Token) -> dict[str, Any]:
    return {
        "chain": token.chain,
        "address": token.address,
        "decimals": token.decimals,
        "price_decimals": token.price_decimals,
        "max_age_seconds": token.max_age,
    }


def _pool_dict(rule: PoolRule) -> dict[str, Any]:
    return {
        "chain": rule.pool.chain,
        "address": rule.pool.address,
        "tokens": list(rule.tokens),
        "weight": format_decimal(rule.weight),
        "from": _day_text(rule.from_day),
        "until": _day_text(rule.until_day),
        "value": rule.value,
        "max_deviation": None if rule.max_deviation is None else format_decimal(rule.max_deviation),
    }


def _exclusion_dict(exclusion: Exclusion) -> dict[str, Any]:
    return {
        "address": exclusion.address,
        "reason": exclusion.reason,
        "from": _day_text(exclusion.from_day),
        "until": _day_text(exclusion.until_day),
    }


def _look_through_dict(rule: LookThroughRule) -> dict[str, Any]:
    return {"chain": rule.chain, "address": rule.address, "kind": rule.kind, "shares": rule.shares}


def _points_dict(rule: PointsRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "per_usd_per_round": _rates_list(rule.per_usd_per_round),
        "per_usd_day": _rates_list(rule.per_usd_day),
        "require_no_unstake": rule.require_no_unstake,
        "count": rule.count,
    }


def _rates_list(rates: Mapping[PoolKey, Fraction]) -> list[dict[str, Any]]:
    return [{"chain": pool.chain, "pool": pool.address, "rate": format_decimal(rates[pool])} for pool in sorted(rates)]


def _rules(stored: Mapping[str, Any]) -> Rules:
    return Rules(
        name=stored["name"],
        start=parse_time(stored["start"]),
        epochs=stored["epochs"],
        epoch_seconds=stored["epoch_seconds"],
        count=stored["count"],
        minimum_usd_micro=parse_units(stored["minimum_usd"], USD_DECIMALS),
        on_lapse=stored["on_lapse"],
        settle_after=stored["settle_after_seconds"],
        tiers=tuple(_tier(tier) for tier in stored["tiers"]),
        rewards=tuple(_reward(reward) for reward in stored["rewards"]),
        tokens={symbol: _token(symbol, token) for symbol, token in stored["tokens"].items()},
        pools=tuple(_pool(pool) for pool in stored["pools"]),
        exclusions=tuple(_exclusion(exclusion) for exclusion in stored["exclusions"]),
        look_through=tuple(_look_through(each) for each in stored.get("look_through", ())),
        points=tuple(_points(each) for each in stored.get("points", ())),
        unresolved_usd_micro=parse_units(stored.get("unresolved_usd", "1000"), USD_DECIMALS),
    )


def _tier(stored: Mapping[str, Any]) -> Tier:
    minimum = parse_units(stored["minimum_usd"], USD_DECIMALS)
    return Tier(stored["name"], stored["from_epoch"], parse_decimal(stored["multiplier"]), minimum)


def _reward(stored: Mapping[str, Any]) -> Reward:
    total, per_epoch, share = stored["total_units"], stored["per_epoch_units"], stored["usd_share"]
    return Reward(
        token=stored["token"],
        total_units=None if total is None else int(total),
        per_epoch_units=None if per_epoch is None else tuple(int(units) for units in per_epoch),
        usd_share=None if share is None else UsdShare(share["of"], parse_decimal(share["fraction"])),
    )


def _token(symbol: str, stored: Mapping[str, Any]) -> Token:
    address = stored["address"]
    return Token(
        symbol=symbol,
        chain=stored["chain"],
        address=None if address is None else Address(address),
        decimals=stored["decimals"],
        price_decimals=stored["price_decimals"],
        max_age=stored["max_age_seconds"],
    )


def _pool(stored: Mapping[str, Any]) -> PoolRule:
    return PoolRule(
        pool=PoolKey(stored["chain"], Address(stored["address"])),
        tokens=tuple(stored["tokens"]),
        weight=parse_decimal(stored["weight"]),
        from_day=_day(stored["from"]),
        until_day=_day(stored["until"]),
        value=stored.get("value", "holdings"),
        max_deviation=None if stored.get("max_deviation") is None else parse_decimal(stored["max_deviation"]),
    )


def _look_through(stored: Mapping[str, Any]) -> LookThroughRule:
    shares = stored["shares"]
    return LookThroughRule(
        chain=stored["chain"],
        address=Address(stored["address"]),
        kind=stored["kind"],
        shares=None if shares is None else Address(shares),
    )


def _points(stored: Mapping[str, Any]) -> PointsRule:
    return PointsRule(
        name=stored["name"],
        per_usd_per_round=_rates(stored["per_usd_per_round"]),
        per_usd_day=_rates(stored["per_usd_day"]),
        require_no_unstake=stored["require_no_unstake"],
        count=stored["count"],
    )


def _rates(stored: Sequence[Mapping[str, Any]]) -> dict[PoolKey, Fraction]:
    return {PoolKey(each["chain"], Address(each["pool"])): parse_decimal(each["rate"]) for each in stored}


def _exclusion(stored: Mapping[str, Any]) -> Exclusion:
    return Exclusion(Address(stored["address"]), stored["reason"], _day(stored["from"]), _day(stored["until"]))


def _day_text(day: int | None) -> str | None:
    return None if day is None else day_text(day)


def _day(text: str | None) -> int | None:
    return None if text is None else parse_day(text)
