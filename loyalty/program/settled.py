"""Settled epochs stand: what an edit of the rules must leave as it is. A settled epoch changes only by a correction."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loyalty.core.amounts import format_units
from loyalty.core.errors import Conflict
from loyalty.core.spans import Span
from loyalty.core.times import day_text
from loyalty.program.budget import own_budget
from loyalty.program.in_force import excluded_days, pool_days
from loyalty.program.rules import Epoch, PoolRule, Reward, Rules, Token


class Touch(NamedTuple):
    """An edit's trace in a settled epoch: what `key` said of it, and what it would say. `advice` is what to do."""

    key: str
    epoch: int
    before: str
    after: str
    advice: str


def check_settled(old: Rules, new: Rules, settled: int) -> None:
    """Raises Conflict, naming key and epoch, when `new` says something else of an epoch from 1 to `settled`."""
    for touch in touches(old, new, settled):
        raise Conflict(
            f"{touch.key}: epoch {touch.epoch} is settled with {touch.before}, the edit would make it {touch.after}. "
            f"{touch.advice}, or make an explicit correction"
        )


def touches(old: Rules, new: Rules, settled: int) -> Iterator[Touch]:
    """Every trace of the edit in a settled epoch, in the order of epochs."""
    if settled < 1:
        return
    yield from _length(old, new, settled)
    yield from _scales(old, new)
    for number in range(1, min(settled, old.epochs, new.epochs) + 1):
        yield from _budgets(old, new, number)
        yield from _pools(old, new, old.epoch(number))
        yield from _exclusions(old, new, old.epoch(number))


def _length(old: Rules, new: Rules, settled: int) -> Iterator[Touch]:
    """The number of epochs may move, but not to or across the last settled one: the end decides what is unallocated."""
    if old.epochs == new.epochs:
        return
    if new.epochs <= settled or old.epochs <= settled:
        before, after = f"{old.epochs} epochs", f"{new.epochs} epochs"
        yield Touch("program.epochs", settled, before, after, "Keep an end that no settled epoch has reached")


def _scales(old: Rules, new: Rules) -> Iterator[Touch]:
    """Amounts and prices of settled epochs are integers at the tokens' scales."""
    used = {symbol for pool in old.pools for symbol in pool.tokens} | {reward.token for reward in old.rewards}
    for symbol in sorted(used & new.tokens.keys()):
        before, after = _scale_text(old.tokens[symbol]), _scale_text(new.tokens[symbol])
        if before != after:
            yield Touch(f"tokens[{symbol}]", 1, before, after, "Give the other token a symbol of its own")


def _scale_text(token: Token) -> str:
    place = f"{token.address} on chain {token.chain}" if token.address else "no address"
    return f"{place}, decimals {token.decimals}, price_decimals {token.price_decimals}"


def _budgets(old: Rules, new: Rules, number: int) -> Iterator[Touch]:
    before_of = {reward.token: reward for reward in old.rewards}
    after_of = {reward.token: reward for reward in new.rewards}
    for symbol in sorted({*before_of, *after_of}):
        before = _budget(old, before_of.get(symbol), number)
        after = _budget(new, after_of.get(symbol), number)
        added_share = symbol not in before_of and after is None
        if before != after and not added_share:
            old_text, new_text = _budget_text(old, symbol, before), _budget_text(new, symbol, after)
            yield Touch(f"rewards[{symbol}]", number, old_text, new_text, _budget_advice(before))


def _budget(rules: Rules, reward: Reward | None, number: int) -> int | None:
    """The epoch's own units; 0 without the reward, None for a USD share, whose units were computed once, at the end."""
    if reward is None:
        return 0
    return None if reward.usd_share else own_budget(reward, number, rules.epochs)


def _budget_advice(before: int | None) -> str:
    if before is None:
        return "Keep the USD share (its fraction may change for epochs to come)"
    return "Write `per_epoch` with the settled epochs' budgets as they are"


def _budget_text(rules: Rules, symbol: str, units: int | None) -> str:
    if units is None:
        return "a USD share"
    return f"a budget of {format_units(units, rules.tokens[symbol].decimals)}" if units else "no budget"


def _pools(old: Rules, new: Rules, epoch: Epoch) -> Iterator[Touch]:
    advice = "Keep the pool and its tokens, and let `from` and `until` lie outside the settled epochs"
    before, after = _pool_texts(old, epoch), _pool_texts(new, epoch)
    for key in sorted({*before, *after}):
        old_text, new_text = before.get(key, "no day of the pool"), after.get(key, "no day of the pool")
        if old_text != new_text:
            yield Touch(key, epoch.number, old_text, new_text, advice)


def _pool_texts(rules: Rules, epoch: Epoch) -> dict[str, str]:
    days = pool_days(rules, epoch)
    return {
        f"pools[{rule.pool.chain}/{rule.pool.address}]": _pool_text(rule, days[rule.pool])
        for rule in rules.pools
        if rule.pool in days
    }


def _pool_text(rule: PoolRule, days: Span) -> str:
    """Its tokens in alphabetical order: their order in the file says nothing."""
    return f"the days from {day_text(days.start)} until {day_text(days.end)} in {' and '.join(sorted(rule.tokens))}"


def _exclusions(old: Rules, new: Rules, epoch: Epoch) -> Iterator[Touch]:
    advice = "Let the exclusion begin and end outside the settled epochs"
    before, after = excluded_days(old, epoch), excluded_days(new, epoch)
    for address in sorted({*before, *after}):
        old_days, new_days = before.get(address, frozenset()), after.get(address, frozenset())
        if old_days != new_days:
            old_text, new_text = _days_text(old_days), _days_text(new_days)
            yield Touch(f"exclusions[{address}]", epoch.number, old_text, new_text, advice)


def _days_text(days: Iterable[int]) -> str:
    return ", ".join(day_text(day) for day in sorted(days)) or "no day excluded"
