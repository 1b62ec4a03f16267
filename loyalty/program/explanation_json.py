"""An explanation as JSON-ready values, in the API's words: amounts are decimal strings, units integers in strings.

An exact number without a finite decimal writing is a fraction in a string, such as "1250/3".
"""

from fractions import Fraction
from typing import Any

from loyalty.core.address import checksum
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units, format_units_fixed
from loyalty.core.times import day_text, time_text
from loyalty.program.explanation import (
    DayLine,
    Explanation,
    LiquiditySpan,
    PoolLine,
    PositionLine,
    PriceLine,
    RewardLine,
    Standing,
    TierStep,
    WorthLine,
)
from loyalty.program.rules import Exclusion, PoolKey


def as_dict(explanation: Explanation) -> dict[str, object]:
    """The whole explanation, nested as it was computed."""
    epoch = explanation.epoch
    return {
        "epoch": epoch.number,
        "start": time_text(epoch.start),
        "end": time_text(epoch.end),
        "address": checksum(explanation.provider),
        "count": explanation.count,
        "rewards": [_reward(line) for line in explanation.rewards],
        "weight": format_decimal(explanation.weight),
        "total_weight": format_decimal(explanation.total_weight),
        "standing": _standing(explanation.standing),
        "pools": [_pool_line(line) for line in explanation.pools],
        "days": [_day(line) for line in explanation.days],
        "exclusions": [_exclusion(exclusion) for exclusion in explanation.exclusions],
    }


def _reward(line: RewardLine) -> dict[str, Any]:
    return {
        "token": line.token.symbol,
        "amount": format_units(line.units, line.token.decimals),
        "amount_units": str(line.units),
        "budget_units": str(line.own_units),
        "carried_in_units": str(line.carried_in_units),
        "floor_units": str(line.floor_units),
        "remainder_units": str(line.remainder_units),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "usd_days": format_units_fixed(standing.usd_micro_days, USD_DECIMALS),
        "average_usd": str(standing.average_usd_micro / 10**USD_DECIMALS),
        "minimum_usd": format_units(standing.minimum_usd_micro, USD_DECIMALS),
        "qualifies": standing.participation_epoch is not None,
        "qualifying_before": standing.qualifying_before,
        "participation_epoch": standing.participation_epoch,
        "tier": standing.tier,
        "multiplier": format_decimal(standing.multiplier),
        "tiers": [_tier_step(step) for step in standing.steps],
    }


def _tier_step(step: TierStep) -> dict[str, Any]:
    return {
        "tier": step.name,
        "from_epoch": step.from_epoch,
        "minimum_usd": format_units(step.minimum_usd_micro, USD_DECIMALS),
        "multiplier": format_decimal(step.multiplier),
        "begun": step.begun,
        "reaches_minimum": step.reaches_minimum,
        "reached": step.reached,
    }


def _pool(pool: PoolKey) -> dict[str, Any]:
    return {"chain": pool.chain, "pool": checksum(pool.address)}


def _pool_line(line: PoolLine) -> dict[str, Any]:
    return {
        **_pool(line.pool),
        "usd_days": format_units_fixed(line.usd_micro_days, USD_DECIMALS),
        "pool_weight": format_decimal(line.pool_weight),
    }


def _day(line: DayLine) -> dict[str, Any]:
    detail = line.detail
    return {
        "date": day_text(line.day),
        **_pool(line.pool),
        "usd_days": format_units_fixed(line.usd_micro_days, USD_DECIMALS),
        "usd_days_in_range": format_units_fixed(line.usd_micro_days_in_range, USD_DECIMALS),
        "counted": line.not_counted is None,
        "reason": line.not_counted,
        "prices": None if detail is None else [_price(price) for price in detail.prices],
        "share_worth": None if detail is None else [_worth(line) for line in detail.share_worth],
        "positions": None if detail is None else [_position(position) for position in detail.positions],
    }


def _price(line: PriceLine) -> dict[str, Any]:
    return {
        "token": line.token,
        "valid_time": time_text(line.valid_time),
        "usd": format_units(line.price, line.price_decimals),
        "source": line.source,
        "reason": line.reason,
    }


def _worth(line: WorthLine) -> dict[str, Any]:
    return {
        "told": line.told,
        "share_decimals": line.share_decimals,
        "valid_time": time_text(line.valid_time),
        "value": format_units(line.value, line.decimals),
        "unit": line.unit,
        "chain": line.chain,
        "block": line.block,
        "log_index": line.log_index,
    }


def _position(line: PositionLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "lower_tick": line.lower,
        "upper_tick": line.upper,
        "usd_days": _dollar_days(line.usd_micro_days),
        "usd_days_in_range": _dollar_days(line.usd_micro_days_in_range),
        "in_range_seconds": line.in_range_seconds,
        "liquidity": [_liquidity(span) for span in line.spans],
    }


def _dollar_days(usd_micro_days: Fraction) -> str:
    return str(usd_micro_days / 10**USD_DECIMALS)


def _liquidity(span: LiquiditySpan) -> dict[str, Any]:
    log = span.opened_by
    return {
        "from": time_text(span.span.start),
        "until": time_text(span.span.end),
        "liquidity": str(span.liquidity),
        "block": log.block if log else None,
        "log_index": log.log_index if log else None,
    }


def _exclusion(exclusion: Exclusion) -> dict[str, Any]:
    return {
        "reason": exclusion.reason,
        "from": None if exclusion.from_day is None else day_text(exclusion.from_day),
        "until": None if exclusion.until_day is None else day_text(exclusion.until_day),
    }
