"""Budgets: what there is to divide in an epoch, in whole units of each reward token."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from loyalty.core.errors import Inconsistent, Invalid, Unavailable
from loyalty.core.times import time_text
from loyalty.program.rules import Reward, Rules, Token, UsdShare


class Budget(NamedTuple):
    """A reward token's budget in an epoch: the epoch's own units, and those carried in from epochs without weight."""

    token: str
    own_units: int
    carried_in_units: int

    @property
    def units(self) -> int:
        return self.own_units + self.carried_in_units


def own_budget(reward: Reward, number: int, epochs: int) -> int:
    """The units that epoch `number` of `epochs` gets of a token with a `total` or a list `per_epoch`.

    A total is spread as floor(n x total / N) - floor((n - 1) x total / N): the epochs add up to it exactly.
    Raises Invalid for a token whose budget is a USD share: that one needs prices.
    """
    if not 1 <= number <= epochs:
        raise Invalid(f"epoch {number} is not one of the program's epochs 1 to {epochs}")
    if reward.total_units is not None:
        return number * reward.total_units // epochs - (number - 1) * reward.total_units // epochs
    if reward.per_epoch_units is not None:
        if len(reward.per_epoch_units) != epochs:
            count = len(reward.per_epoch_units)
            raise Invalid(f"rewards[{reward.token}].per_epoch has {count} entries, the program has {epochs} epochs")
        return reward.per_epoch_units[number - 1]
    raise Invalid(f"the budget of {reward.token} is a USD share: it has no units without prices")


class Priced(NamedTuple):
    """A token and its price at an epoch's end: USD per whole token, an integer at the token's `price_decimals`."""

    token: Token
    price: int


def share_budget(of_units: int, of: Priced, fraction: Fraction, share: Priced) -> int:
    """floor(budget x P_of x fraction / P_share), in units of the share's token; exact, rounded down once.

    Amounts and prices of the two tokens may have different scales.
    """
    for priced in (of, share):
        if priced.price <= 0:
            raise Inconsistent(f"the price of {priced.token.symbol} is {priced.price}: a price is above zero")
    value = of_units * of.price * fraction.numerator * _scale(share.token)
    return value // (share.price * fraction.denominator * _scale(of.token))


def _scale(token: Token) -> int:
    """Of an amount times a price: units x price / scale is USD."""
    scale: int = 10 ** (token.decimals + token.price_decimals)
    return scale


def tokens_priced_at_end(rules: Rules) -> list[str]:
    """The symbols whose price at an epoch's end its budgets need: both tokens of every USD share, sorted."""
    symbols = {symbol for r in rules.rewards if r.usd_share for symbol in (r.token, r.usd_share.of)}
    return sorted(symbols)


def epoch_budgets(
    rules: Rules, number: int, prices_at_end: Mapping[str, int], carried_in: Mapping[str, int]
) -> tuple[Budget, ...]:
    """One budget per reward token, in the order of the rules.

    `prices_at_end` by symbol, at each token's `price_decimals`, for `tokens_priced_at_end`; a missing one raises
    Unavailable. `carried_in` by symbol: what the epoch before carried out; a missing token has nothing.
    """
    return tuple(
        Budget(reward.token, _own_units(rules, reward, number, prices_at_end), carried_in.get(reward.token, 0))
        for reward in rules.rewards
    )


def _own_units(rules: Rules, reward: Reward, number: int, prices_at_end: Mapping[str, int]) -> int:
    if reward.usd_share is None:
        return own_budget(reward, number, rules.epochs)
    base = own_budget(_base(rules, reward.token, reward.usd_share), number, rules.epochs)
    of = _priced(rules, number, reward.usd_share.of, prices_at_end)
    share = _priced(rules, number, reward.token, prices_at_end)
    return share_budget(base, of, reward.usd_share.fraction, share)


def _base(rules: Rules, token: str, usd_share: UsdShare) -> Reward:
    for reward in rules.rewards:
        if reward.token == usd_share.of:
            return reward
    raise Invalid(f"rewards[{token}].usd_share.of is {usd_share.of}, which is no reward token of the program")


def _priced(rules: Rules, number: int, symbol: str, prices_at_end: Mapping[str, int]) -> Priced:
    if symbol not in prices_at_end:
        end = time_text(rules.epoch(number).end)
        raise Unavailable(
            f"the budget of epoch {number} needs the price of {symbol} at {end}, and none is valid then: "
            f"wait for its source, or set one with `loyalty price set {symbol}`"
        )
    return Priced(rules.tokens[symbol], prices_at_end[symbol])
