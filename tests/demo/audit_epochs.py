"""The second opinion from cells on: tiers, budgets, rewards and digests, by docs/rules.md and docs/digest.md."""

import hashlib
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

from tests.demo.audit import (
    DAY,
    MICRO,
    Cells,
    Chain,
    Token,
    duration,
    pool_cells,
    read_logs,
    read_token,
    stretches,
    whole,
)

DEFAULT_TIERS = [(1, "1"), (5, "1.2"), (13, "1.5"), (21, "2")]


class Days(NamedTuple):
    """The days from `first` up to, not including, `end`; None is open."""

    first: int | None
    end: int | None

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, int)
        return (self.first is None or self.first <= day) and (self.end is None or day < self.end)

    def within(self, start: int, end: int) -> tuple[int, int]:
        """The seconds of these days from `start` to `end`."""
        first = start if self.first is None else max(start, self.first * DAY)
        return first, end if self.end is None else min(end, self.end * DAY)

    def meets(self, days: range) -> bool:
        return any(day in self for day in days)

    def __str__(self) -> str:
        return " ".join("-" if day is None else day_text(day) for day in self)


class Tier(NamedTuple):
    name: str
    from_epoch: int
    multiplier: Fraction
    minimum: int


class Share(NamedTuple):
    of: str
    fraction: Fraction


class PoolRule(NamedTuple):
    weight: Fraction
    days: Days


class Rules(NamedTuple):
    """What the program file says, defaults filled in."""

    name: str
    start: int
    epochs: int
    epoch: int
    counts: str
    minimum: int
    on_lapse: str
    tiers: list[Tier]
    pools: dict[str, PoolRule]
    exclusions: set[tuple[str, Days]]
    amounts: dict[str, list[int]]  # per epoch
    shares: dict[str, Share]

    @property
    def end(self) -> int:
        return self.start + self.epochs * self.epoch


class Budget(NamedTuple):
    own: int
    carried_in: int
    paid: int
    carried_out: int
    unallocated: int


class Standing(NamedTuple):
    """A provider in an epoch that qualifies for it."""

    micro_days: int
    participation_epoch: int
    tier: str | None
    multiplier: Fraction
    weight: Fraction  # dollar-days x pool weights x multiplier


class Epoch(NamedTuple):
    number: int
    micro_days: int  # of everybody who is not excluded
    standings: dict[str, Standing]
    budgets: dict[str, Budget]
    rewards: dict[tuple[str, str], int]  # (token, provider): units above zero
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_rules(file: Mapping[str, Any], decimals: Mapping[str, int]) -> Rules:
    program = file["program"]
    given = [reward for reward in file["rewards"] if "usd_share" not in reward]
    return Rules(
        program["name"],
        int(program["start"].timestamp()),
        program.get("epochs", 30),
        duration(program.get("epoch", "7d")),
        program.get("count", "full"),
        whole(program.get("minimum_usd", "0"), 6),
        program.get("on_lapse", "reset"),
        read_tiers(file.get("tiers", [{"from_epoch": n, "multiplier": m} for n, m in DEFAULT_TIERS])),
        {
            pool["address"].lower(): PoolRule(Fraction(pool.get("weight", "1")), read_days(pool))
            for pool in file["pools"]
        },
        {(excluded["address"].lower(), read_days(excluded)) for excluded in file.get("exclusions", [])},
        {r["token"]: read_amounts(r, program.get("epochs", 30), decimals[r["token"]]) for r in given},
        {
            r["token"]: Share(r["usd_share"]["of"], Fraction(r["usd_share"]["fraction"]))
            for r in file["rewards"]
            if "usd_share" in r
        },
    )


def read_amounts(table: Mapping[str, Any], epochs: int, decimals: int) -> list[int]:
    if "per_epoch" in table:
        return [whole(amount, decimals) for amount in table["per_epoch"]]
    total = whole(table["total"], decimals)
    return [n * total // epochs - (n - 1) * total // epochs for n in range(1, epochs + 1)]


def read_tiers(tables: Iterable[Mapping[str, Any]]) -> list[Tier]:
    return [
        Tier(
            t.get("name", f"Tier {n}"), t["from_epoch"], Fraction(t["multiplier"]), whole(t.get("minimum_usd", "0"), 6)
        )
        for n, t in enumerate(tables, 1)
    ]


def read_days(table: Mapping[str, Any]) -> Days:
    bounds = [table.get("from"), table.get("until")]
    return Days(*[None if bound is None else (bound - date(1970, 1, 1)).days for bound in bounds])


class Audit(NamedTuple):
    cells: Cells
    epochs: list[Epoch]
    swaps_checked: int


def audited(program: Path, recording: Path) -> Audit:
    """Everything that a program on one recorded chain came to, from its first day to its last."""
    file = tomllib.loads(program.read_text())
    (chain,) = file["chains"]
    tokens = {t["symbol"]: read_token(t, chain["id"], program.parent) for t in file["tokens"]}
    rules = read_rules(file, {symbol: token.decimals for symbol, token in tokens.items()})
    managers = [manager["address"].lower() for manager in chain["position_managers"]]
    story = Chain(read_logs(recording), rules.pools, managers, rules.end)
    cells: Cells = {}
    for pool in file["pools"]:
        address = pool["address"].lower()
        token0, token1 = sorted((tokens[symbol] for symbol in pool["tokens"]), key=lambda token: token.address)
        span = rules.pools[address].days.within(rules.start, rules.end)
        steps = stretches(story.prices[address], token0, token1, *span)
        cells |= pool_cells([h for h in story.holdings if h.range.pool == address], steps, token0, token1)
    used = {symbol for pool in file["pools"] for symbol in pool["tokens"]}
    return Audit(cells, list(settle(rules, cells, tokens, used)), story.swaps_checked)


# ---- One epoch after another -----------------------------------------------------------------------------------------


def settle(rules: Rules, cells: Cells, tokens: Mapping[str, Token], pool_tokens: Iterable[str]) -> Iterator[Epoch]:
    """All epochs in order: the count of participations and what is carried go from one to the next."""
    listed = listed_tokens(rules, tokens, pool_tokens)
    qualified: dict[str, int] = {}
    carried = dict.fromkeys([*rules.amounts, *rules.shares], 0)
    for number in range(1, rules.epochs + 1):
        start = rules.start + (number - 1) * rules.epoch
        days = range(start // DAY, (start + rules.epoch) // DAY)
        own_cells = {c: both for c, both in cells.items() if c.day in days}
        counted = {
            c: both
            for c, both in own_cells.items()
            if not any(c.provider == address and c.day in when for address, when in rules.exclusions)
        }
        standings = stand(rules, counted, len(days), qualified)
        took_part = {provider: standing.participation_epoch for provider, standing in standings.items()}
        qualified = took_part if rules.on_lapse == "reset" else qualified | took_part
        weights = {provider: standing.weight for provider, standing in standings.items()}
        budgets: dict[str, Budget] = {}
        rewards: dict[tuple[str, str], int] = {}
        for token, own in own_budgets(rules, number, start + rules.epoch, tokens).items():
            to_pay = own + carried[token] if weights else 0
            rest = own + carried[token] - to_pay
            last = number == rules.epochs
            budgets[token] = Budget(own, carried[token], to_pay, 0 if last else rest, rest if last else 0)
            carried[token] = rest
            rewards |= {(token, provider): units for provider, units in divide(to_pay, weights).items() if units}
        lines = digest_lines(rules, number, days, own_cells, listed, tokens, standings, budgets, rewards)
        micro_days = sum(both[rules.counts == "in_range"] for both in counted.values())
        yield Epoch(number, micro_days, standings, budgets, rewards, "".join(f"{line}\n" for line in lines))


def stand(rules: Rules, cells: Cells, days: int, qualified: Mapping[str, int]) -> dict[str, Standing]:
    micro: dict[str, int] = defaultdict(int)
    weighted: dict[str, Fraction] = defaultdict(Fraction)
    for (pool, provider, _), both in cells.items():
        micro[provider] += both[rules.counts == "in_range"]
        weighted[provider] += both[rules.counts == "in_range"] * rules.pools[pool].weight / MICRO
    standings = {}
    for provider, held in micro.items():
        average = Fraction(held, days)
        if average > 0 and average >= rules.minimum:
            part = qualified.get(provider, 0) + 1
            reached = [t for t in rules.tiers if t.from_epoch <= part and average >= t.minimum]
            tier, multiplier = (reached[-1].name, reached[-1].multiplier) if reached else (None, Fraction(1))
            standings[provider] = Standing(held, part, tier, multiplier, weighted[provider] * multiplier)
    return standings


def own_budgets(rules: Rules, number: int, end: int, tokens: Mapping[str, Token]) -> dict[str, int]:
    own = {token: amounts[number - 1] for token, amounts in rules.amounts.items()}
    for token, (of, fraction) in rules.shares.items():
        own[token] = floor(own[of] * tokens[of].usd(end) * fraction / tokens[token].usd(end))
    return own


def divide(units: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """By weight in whole units; the rest one each to the largest remainders, then to the lower address."""
    total = sum(weights.values())
    exact = {provider: units * weight / total for provider, weight in weights.items()}
    parts = {provider: floor(part) for provider, part in exact.items()}
    left = units - sum(parts.values()) if weights else 0
    for provider in sorted(exact, key=lambda p: (parts[p] - exact[p], p))[:left]:
        parts[provider] += 1
    return parts


# ---- The digest ------------------------------------------------------------------------------------------------------


def listed_tokens(rules: Rules, tokens: Mapping[str, Token], pool_tokens: Iterable[str]) -> list[Token]:
    symbols = {*pool_tokens, *rules.shares, *(share.of for share in rules.shares.values())}
    return [tokens[symbol] for symbol in sorted(symbols)]


def digest_lines(
    rules: Rules,
    number: int,
    days: range,
    cells: Cells,
    listed: list[Token],
    tokens: Mapping[str, Token],
    standings: Mapping[str, Standing],
    budgets: Mapping[str, Budget],
    rewards: Mapping[tuple[str, str], int],
) -> Iterator[str]:
    start, end = days.start * DAY, days.stop * DAY
    chain = listed[0].chain
    yield "loyalty-digest 1"
    yield f"program {json.dumps(rules.name, ensure_ascii=False)} {rules.start} {rules.epochs} {rules.epoch}"
    yield f"epoch {number} {start} {end}"
    yield f"rule count {rules.counts}"
    yield f"rule minimum_usd {rules.minimum}"
    yield f"rule on_lapse {rules.on_lapse}"
    yield from bytewise(f"rule tier {t.from_epoch} {plain(t.multiplier)} {t.minimum}" for t in rules.tiers)
    yield from bytewise(
        f"pool {chain} {pool} {plain(weight)} {when}"
        for pool, (weight, when) in rules.pools.items()
        if when.meets(days)
    )
    yield from bytewise(f"exclusion {address} {when}" for address, when in rules.exclusions if when.meets(days))
    yield from bytewise(f"budget {tokens[t].address} {b.own} {b.carried_in}" for t, b in budgets.items())
    yield from bytewise(
        f"price {t.chain} {t.address} {p.valid} {p.price} {t.price_decimals} {p.source}"
        for t in listed
        for p in t.points
        if p.valid <= end and p.until > start
    )
    yield from bytewise(
        f"cell {chain} {c.pool} {c.provider} {day_text(c.day)} {full} {inside}" for c, (full, inside) in cells.items()
    )
    yield from bytewise(f"tier {p} {s.participation_epoch} {plain(s.multiplier)}" for p, s in standings.items())
    yield from bytewise(f"reward {tokens[token].address} {p} {units}" for (token, p), units in rewards.items())


def bytewise(lines: Iterable[str]) -> list[str]:
    return sorted(lines, key=str.encode)


def day_text(day: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()


def plain(number: Fraction) -> str:
    """A decimal without exponent or trailing zeros."""
    places = next(n for n in range(100) if (number * 10**n).denominator == 1)
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
