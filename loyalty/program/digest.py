"""The digest of an epoch: one SHA-256 over everything that its rewards follow from, and the rewards.

The format is described, with a worked example, in docs/digest.md. Nothing in it depends on how or when something was
fetched: the same logs, prices and rules give the same digest on any machine.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

from loyalty.core.amounts import format_decimal
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.times import day_text
from loyalty.program.cells import Cell, of_providers
from loyalty.program.in_force import exclusions_in_force, pools_in_force
from loyalty.program.rules import Rules, Token
from loyalty.program.settlement import EpochResult

VERSION_LINE = "loyalty-digest 1"
SOURCES = frozenset({"fixed", "file", "coingecko", "defillama", "chainlink", "pool", "operator"})
_PLAIN_SYMBOL = re.compile(r'[^\s"\\\x00-\x1f\x7f]+')

PricesInForce = Mapping[str, Sequence[PricePoint]]
"""By symbol, for each of `priced_tokens`: every point in force at any second of [start, end] of the epoch."""


def epoch_digest(rules: Rules, result: EpochResult, cells: Iterable[Cell], prices: PricesInForce) -> str:
    """The digest in lower-case hexadecimal: SHA-256 over `digest_lines`, in UTF-8, each ending in LF."""
    digest = sha256()
    for section in _sections(rules, result, cells, prices):
        digest.update("".join(f"{line}\n" for line in section).encode())
    return digest.hexdigest()


def digest_lines(rules: Rules, result: EpochResult, cells: Iterable[Cell], prices: PricesInForce) -> list[str]:
    """The lines that the digest is taken over, without their LF.

    `cells` are everybody's, excluded providers included; those of other days and those of zero are left out here.
    Raises Inconsistent when the same cell, price or reward comes twice, or `prices` lacks one of `priced_tokens`.
    """
    return [line for section in _sections(rules, result, cells, prices) for line in section]


def priced_tokens(rules: Rules) -> list[str]:
    """The symbols whose prices a digest lists: the tokens of all the program's pools, both tokens of a USD share."""
    symbols = {symbol for pool in rules.pools for symbol in pool.tokens}
    symbols |= {symbol for r in rules.rewards if r.usd_share for symbol in (r.token, r.usd_share.of)}
    return sorted(symbols)


def _sections(
    rules: Rules, result: EpochResult, cells: Iterable[Cell], prices: PricesInForce
) -> Iterator[Sequence[str]]:
    """The sections in their order, each sorted. UTF-8 sorts as its code points do, so strings may be compared."""
    yield _head(rules, result)
    yield sorted(_rule_lines(rules))
    yield sorted(_pool_lines(rules, result))
    yield sorted(_exclusion_lines(rules, result))
    yield _sorted_once("budget", _budget_lines(rules, result))
    yield _sorted_once("price", _price_lines(rules, prices))
    yield _sorted_once("cell", _cell_lines(rules, result, cells))
    yield _sorted_once("tier", _tier_lines(result))
    yield _sorted_once("reward", _reward_lines(rules, result))


def _head(rules: Rules, result: EpochResult) -> list[str]:
    number, start, end = result.epoch
    return [
        VERSION_LINE,
        f"program {_name(rules.name)} {rules.start} {rules.epochs} {rules.epoch_seconds}",
        f"epoch {number} {start} {end}",
    ]


def _rule_lines(rules: Rules) -> Iterator[str]:
    yield f"rule count {rules.count}"
    yield f"rule minimum_usd {rules.minimum_usd_micro}"
    yield f"rule on_lapse {rules.on_lapse}"
    for tier in rules.tiers:
        yield f"rule tier {tier.from_epoch} {format_decimal(tier.multiplier)} {tier.minimum_usd_micro}"


def _pool_lines(rules: Rules, result: EpochResult) -> Iterator[str]:
    for rule in pools_in_force(rules, result.epoch):
        days = f"{_day(rule.from_day)} {_day(rule.until_day)}"
        yield f"pool {rule.pool.chain} {rule.pool.address} {format_decimal(rule.weight)} {days}"


def _exclusion_lines(rules: Rules, result: EpochResult) -> set[str]:
    """A set: an address excluded twice over the same days, for two reasons, is excluded once."""
    return {
        f"exclusion {exclusion.address} {_day(exclusion.from_day)} {_day(exclusion.until_day)}"
        for exclusion in exclusions_in_force(rules, result.epoch)
    }


def _budget_lines(rules: Rules, result: EpochResult) -> Iterator[str]:
    _check_reward_names(rules)
    for ledger in result.ledgers:
        yield f"budget {_token(rules.tokens[ledger.token])} {ledger.own_units} {ledger.carried_in_units}"


def _check_reward_names(rules: Rules) -> None:
    """Budget and reward lines name no chain, so two reward tokens cannot have the same address."""
    named: dict[str, str] = {}
    for reward in rules.rewards:
        key = _token(rules.tokens[reward.token])
        if key in named:
            raise Invalid(f"rewards {named[key]} and {reward.token} are both {key}: the digest cannot tell them apart")
        named[key] = reward.token


def _price_lines(rules: Rules, prices: PricesInForce) -> Iterator[str]:
    for symbol in priced_tokens(rules):
        if symbol not in prices:
            raise Inconsistent(f"the prices of {symbol} are missing from the digest's input")
        token = rules.tokens[symbol]
        for point in prices[symbol]:
            if point.source not in SOURCES:
                raise Inconsistent(f"a price of {symbol} has the source {point.source!r}, which the digest cannot name")
            value = f"{point.valid_time} {point.price} {token.price_decimals} {point.source}"
            yield f"price {_chain(token)} {_token(token)} {value}"


def _cell_lines(rules: Rules, result: EpochResult, cells: Iterable[Cell]) -> Iterator[str]:
    text_of = {day: day_text(day) for day in range(*result.epoch.days)}
    for chain, pool, provider, day, usd_micro_days, in_range in of_providers(rules, result.epoch, cells):
        if usd_micro_days > 0:
            yield f"cell {chain} {pool} {provider} {text_of[day]} {usd_micro_days} {in_range}"


def _tier_lines(result: EpochResult) -> Iterator[str]:
    for participation in result.participations:
        provider, multiplier = participation.provider, format_decimal(participation.multiplier)
        yield f"tier {provider} {participation.participation_epoch} {multiplier}"


def _reward_lines(rules: Rules, result: EpochResult) -> Iterator[str]:
    for symbol, units_of in result.rewards.items():
        token = _token(rules.tokens[symbol])
        yield from (f"reward {token} {provider} {units}" for provider, units in units_of.items() if units)


def _sorted_once(section: str, lines: Iterable[str]) -> list[str]:
    ordered = sorted(lines)
    for earlier, later in pairwise(ordered):
        if earlier == later:
            raise Inconsistent(f"the digest's input has a {section} twice: {later}")
    return ordered


def _token(token: Token) -> str:
    """Its address or, without one, its symbol: plain, or a JSON string where it would not be one plain word."""
    return token.key if _PLAIN_SYMBOL.fullmatch(token.key) else _name(token.key)


def _chain(token: Token) -> int:
    return token.chain if token.address else 0


def _name(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _day(day: int | None) -> str:
    return "-" if day is None else day_text(day)
