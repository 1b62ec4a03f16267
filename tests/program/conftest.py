"""Programs in a few words: rules with defaults, providers by letter, holdings as dollars a day."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.times import parse_day
from loyalty.program.budget import epoch_budgets
from loyalty.program.cells import Cell
from loyalty.program.rules import Epoch, Exclusion, PoolKey, PoolRule, Reward, Rules, Tier, Token, UsdShare
from loyalty.program.settlement import EpochResult, evaluate_epoch
from loyalty.program.tiers import qualifying_after

DAY = 86_400
START_DAY = 19_975  # 2024-09-09
MICRO = 10**6
ARBITRUM = 42161
ALICE, BOB, CAROL, DAVE = (Address("0x" + letter * 40) for letter in "abcd")
POOL, SECOND_POOL = (PoolKey(ARBITRUM, Address("0x" + digit * 40)) for digit in "12")
DEFAULT_TIERS = (
    Tier("Tier 1", 1, Fraction(1), 0),
    Tier("Tier 2", 5, Fraction("1.2"), 0),
    Tier("Tier 3", 13, Fraction("1.5"), 0),
    Tier("Tier 4", 21, Fraction(2), 0),
)


class Words:
    """What the tests of the rules say things with."""

    alice, bob, carol, dave = ALICE, BOB, CAROL, DAVE
    pool, second_pool = POOL, SECOND_POOL
    start_day = START_DAY
    tiers = DEFAULT_TIERS

    def rules(self, **changes: Any) -> Rules:
        """30 weeks from 2024-09-09, two pools, 50,000 ARB of 18 decimals, the default tiers."""
        return replace(_rules(), **changes)

    def total(self, token: str, units: int) -> Reward:
        return Reward(token, units, None, None)

    def per_epoch(self, token: str, *units: int) -> Reward:
        return Reward(token, None, units, None)

    def share(self, token: str, of: str, fraction: str) -> Reward:
        return Reward(token, None, None, UsdShare(of, Fraction(fraction)))

    def tier(self, from_epoch: int, multiplier: str, minimum_usd: int = 0) -> Tier:
        return Tier(f"from {from_epoch}", from_epoch, Fraction(multiplier), minimum_usd * MICRO)

    def token(self, symbol: str, decimals: int = 18, price_decimals: int = 8, address: Address | None = None) -> Token:
        return Token(symbol, ARBITRUM if address else 0, address, decimals, price_decimals, 7200)

    def exclude(self, provider: Address, from_day: str | None = None, until_day: str | None = None) -> Exclusion:
        return Exclusion(provider, "program treasury", _day(from_day), _day(until_day))

    def pool_rule(
        self, pool: PoolKey = POOL, weight: str = "1", from_day: str | None = None, until_day: str | None = None
    ) -> PoolRule:
        return PoolRule(pool, ("WBTC", "tBTC"), Fraction(weight), _day(from_day), _day(until_day))

    def cell(
        self, provider: Address, day: int | str, usd: int, in_range: int | None = None, pool: PoolKey = POOL
    ) -> Cell:
        """A day's average of `usd` whole dollars; all of it in range unless said otherwise."""
        number = parse_day(day) if isinstance(day, str) else day
        inside = usd if in_range is None else in_range
        return Cell(pool.chain, pool.address, provider, number, usd * MICRO, inside * MICRO)

    def held(self, epoch: Epoch, usd: Mapping[Address, int], pool: PoolKey = POOL) -> list[Cell]:
        """The same dollars on every day of the epoch."""
        return [self.cell(who, day, dollars, pool=pool) for who, dollars in usd.items() for day in range(*epoch.days)]

    def evaluate(
        self, rules: Rules, number: int, cells: list[Cell], before: Mapping[Address, int] | None = None
    ) -> Any:
        """One epoch with nothing carried in."""
        budgets = epoch_budgets(rules, number, {}, {})
        return evaluate_epoch(rules, rules.epoch(number), cells, before or {}, budgets)

    def play(self, rules: Rules, usd_by_epoch: list[dict[Address, int]]) -> list[EpochResult]:
        """The program's epochs in order, each with what it was carried in and the progress so far."""
        results: list[EpochResult] = []
        before: dict[Address, int] = {}
        carried: dict[str, int] = {}
        for number, usd in enumerate(usd_by_epoch, 1):
            epoch = rules.epoch(number)
            budgets = epoch_budgets(rules, number, {}, carried)
            result = evaluate_epoch(rules, epoch, self.held(epoch, usd), before, budgets)
            before, carried = qualifying_after(rules, before, result.participations), result.carried_out
            results.append(result)
        return results


@pytest.fixture(scope="session")
def program() -> Words:
    return Words()


def _rules() -> Rules:
    words = Words()
    symbols = (("WBTC", 8), ("tBTC", 18), ("ARB", 18), ("T", 18), ("USDC", 6))
    return Rules(
        name="tBTC liquidity on Arbitrum",
        start=START_DAY * DAY,
        epochs=30,
        epoch_seconds=7 * DAY,
        count="full",
        minimum_usd_micro=0,
        on_lapse="reset",
        settle_after=DAY,
        tiers=DEFAULT_TIERS,
        rewards=(words.total("ARB", 50_000 * 10**18),),
        tokens={symbol: words.token(symbol, decimals) for symbol, decimals in symbols},
        pools=(words.pool_rule(POOL), words.pool_rule(SECOND_POOL)),
        exclusions=(),
    )


def _day(text: str | None) -> int | None:
    return None if text is None else parse_day(text)
