"""Changes: what an edit of the program file changes, and which edits would touch a settled epoch.

Rules without dates (`count`, `minimum_usd`, `on_lapse`, `settle_after`, tiers, pool weights, the fraction of a USD
share, look-through, points, how a Curve pool is valued) are versioned: the new ones hold from the first unsettled epoch
on. What is dated (pools, exclusions) and what adds up to a total (budgets) must say the same of every settled epoch as
before.
"""

from collections.abc import Iterator
from typing import NamedTuple

from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units
from loyalty.core.errors import Conflict
from loyalty.core.times import day_text, duration_text, time_text
from loyalty.program.rules import Reward, Rules
from loyalty.program.settled import check_settled


class Change(NamedTuple):
    """One key whose value differs; None where it is missing. It holds from `effective_from_epoch` on."""

    key: str
    before: str | None
    after: str | None
    effective_from_epoch: int


def check_change(old: Rules, new: Rules, settled: int) -> list[Change]:
    """The changes from `old` to `new` when epochs 1 to `settled` are settled, sorted by key; empty when none.

    The order of pools, exclusions, rewards and tokens in the file changes nothing. Raises Conflict, naming the key and
    the epoch, for another program and for an edit that would touch a settled epoch.
    """
    _check_same_program(old, new)
    check_settled(old, new, settled)
    before, after = dict(_values(old)), dict(_values(new))
    return [
        Change(key, before.get(key), after.get(key), settled + 1)
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _check_same_program(old: Rules, new: Rules) -> None:
    for key, before, after in (
        ("program.name", repr(old.name), repr(new.name)),
        ("program.start", time_text(old.start), time_text(new.start)),
        ("program.epoch", duration_text(old.epoch_seconds), duration_text(new.epoch_seconds)),
    ):
        if before != after:
            raise Conflict(
                f"{key} is {after}, the database belongs to a program where it is {before}: "
                "that is a different program; give it a database of its own, or change the key back"
            )


def _values(rules: Rules) -> Iterator[tuple[str, str]]:
    """Every key of the rules with its value as a person reads it; lists are keyed by what names their entries."""
    yield "program.epochs", str(rules.epochs)
    yield "program.count", rules.count
    yield "program.minimum_usd", format_units(rules.minimum_usd_micro, USD_DECIMALS)
    yield "program.unresolved_usd", format_units(rules.unresolved_usd_micro, USD_DECIMALS)
    yield "program.on_lapse", rules.on_lapse
    yield "program.settle_after", duration_text(rules.settle_after)
    yield from _reward_values(rules)
    yield from _tier_values(rules)
    yield from _token_values(rules)
    yield from _pool_values(rules)
    yield from _exclusion_values(rules)
    yield from _look_through_values(rules)
    yield from _points_values(rules)


def _reward_values(rules: Rules) -> Iterator[tuple[str, str]]:
    for reward in rules.rewards:
        yield f"rewards[{reward.token}]", _budget_text(rules, reward)


def _budget_text(rules: Rules, reward: Reward) -> str:
    decimals = rules.tokens[reward.token].decimals
    if reward.total_units is not None:
        return f"total {format_units(reward.total_units, decimals)}"
    if reward.per_epoch_units is not None:
        return "per_epoch " + ", ".join(format_units(units, decimals) for units in reward.per_epoch_units)
    assert reward.usd_share is not None  # exactly one of the three is given
    return f"usd_share {format_decimal(reward.usd_share.fraction)} of {reward.usd_share.of}"


def _tier_values(rules: Rules) -> Iterator[tuple[str, str]]:
    for tier in rules.tiers:
        key = f"tiers[{tier.name}]"
        yield f"{key}.from_epoch", str(tier.from_epoch)
        yield f"{key}.multiplier", format_decimal(tier.multiplier)
        yield f"{key}.minimum_usd", format_units(tier.minimum_usd_micro, USD_DECIMALS)


def _token_values(rules: Rules) -> Iterator[tuple[str, str]]:
    for token in rules.tokens.values():
        key = f"tokens[{token.symbol}]"
        yield f"{key}.chain", str(token.chain)
        yield f"{key}.address", token.address or "-"
        yield f"{key}.decimals", str(token.decimals)
        yield f"{key}.price_decimals", str(token.price_decimals)
        yield f"{key}.max_age", duration_text(token.max_age)


def _pool_values(rules: Rules) -> Iterator[tuple[str, str]]:
    for rule in rules.pools:
        key = f"pools[{rule.pool.chain}/{rule.pool.address}]"
        yield f"{key}.tokens", " ".join(rule.tokens)
        yield f"{key}.weight", format_decimal(rule.weight)
        yield f"{key}.from", _day(rule.from_day)
        yield f"{key}.until", _day(rule.until_day)
        if rule.value != "holdings":
            yield f"{key}.value", rule.value
        if rule.max_deviation is not None:
            yield f"{key}.max_deviation", format_decimal(rule.max_deviation)


def _exclusion_values(rules: Rules) -> Iterator[tuple[str, str]]:
    """One address may be excluded several times: the dates belong to the key, the reasons are the value."""
    reasons: dict[str, list[str]] = {}
    for exclusion in rules.exclusions:
        days = f"{_day(exclusion.from_day)} to {_day(exclusion.until_day)}"
        reasons.setdefault(f"exclusions[{exclusion.address} {days}]", []).append(exclusion.reason)
    for key, given in reasons.items():
        yield key, "; ".join(sorted(given))


def _look_through_values(rules: Rules) -> Iterator[tuple[str, str]]:
    """The place in the list is part of the value: the order decides through which contract shares are passed on."""
    for number, rule in enumerate(rules.look_through):
        yield f"look_through[{rule.chain}/{rule.address}]", f"{number}: {rule.shares or rule.kind}"


def _points_values(rules: Rules) -> Iterator[tuple[str, str]]:
    for rule in rules.points:
        key = f"points[{rule.name}]"
        yield f"{key}.require_no_unstake", str(rule.require_no_unstake).lower()
        yield f"{key}.count", rule.count
        for name, rates in (("per_usd_per_round", rule.per_usd_per_round), ("per_usd_day", rule.per_usd_day)):
            for pool, rate in rates.items():
                yield f"{key}.{name}[{pool.chain}/{pool.address}]", format_decimal(rate)


def _day(day: int | None) -> str:
    return "-" if day is None else day_text(day)
