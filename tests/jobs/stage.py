"""A program in a few words: a real database in which pools, prices and facts lie as a timeline tells.

    0d 00:00  mint   alice  100
    0d 12:00  burn   alice  50
    1d 06:00  price  B  2.5
    2d 01:00  seen

Times count from the program's start, which is a UTC midnight. A block a second: block 1,000,000 is the start. `mint`
and `burn` are in dollars at prices of one dollar, full range (`below`: all in token B, out of range), in the pool `one`
or the pool named. `seen` moves every pool's cursor, the head and the final block there; `head` only the head.

A full range ends at tick 887,272 and not at infinity, so 100 dollars of liquidity are worth a hair less: over a day its
cell is the last integer below 100,000,000 micro-dollar-days (`cell`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from loyalty.core.address import Address
from loyalty.core.amounts import parse_units
from loyalty.core.checkpoint import Header
from loyalty.core.facts import LiquidityChange, PricePoint, Swap
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.accrue import Accrued, Accruer
from loyalty.jobs.price import store_points
from loyalty.jobs.settle import Evaluated, settle
from loyalty.program.rules import Exclusion, PoolKey, PoolRule, Reward, Rules, Tier, Token, UsdShare
from loyalty.program.rules_text import rules_json
from loyalty.state import (
    State,
    StateTransaction,
    blocks,
    chains,
    cursors,
    days,
    epochs,
    facts,
    pools,
    program_config,
    tokens,
)
from loyalty.state.program_config import ConfigVersion

CHAIN = 7
START_DAY = 20_000
START = START_DAY * DAY_SECONDS
START_BLOCK = 1_000_000
ONE, TWO = (Address("0x" + digit * 40) for digit in "12")
POOLS = {"one": ONE, "two": TWO}
PEOPLE = {name: Address("0x" + name[0] * 40) for name in ("alice", "bob", "carol", "dave")}
WIDE, BELOW = (-887_272, 887_272), (-887_272, 0)
NOW = 2_000_000_000
"""The wall clock, which must enter nothing."""


def at(text: str) -> int:
    """Unix seconds of "1d 06:30" after the program's start."""
    day, _, clock = text.partition("d")
    hours, minutes, *seconds = (int(part) for part in clock.strip().split(":"))
    return START + int(day) * DAY_SECONDS + hours * 3_600 + minutes * 60 + (seconds[0] if seconds else 0)


def block_of(time: int) -> int:
    return START_BLOCK + time - START


def header(number: int, fork: str = "a") -> Header:
    return Header(number, f"0x{fork * 4}{number:060x}", "", number - START_BLOCK + START)


def cell(usd: int, seconds: int = DAY_SECONDS) -> int:
    """The last integer below usd x seconds / 86,400 in micro-dollar-days."""
    return -(-usd * 10**6 * seconds // DAY_SECONDS) - 1


def token(symbol: str, decimals: int = 18, max_age: int = 7_200) -> Token:
    return Token(symbol, 0, None, decimals, 8, max_age)


def default_rules() -> Rules:
    """Three epochs of two days; 300 indivisible units of R; two pools of A and B; a multiplier of 2 from epoch 2 on."""
    return Rules(
        name="A river",
        start=START,
        epochs=3,
        epoch_seconds=2 * DAY_SECONDS,
        count="full",
        minimum_usd_micro=0,
        on_lapse="reset",
        settle_after=3_600,
        tiers=(Tier("New", 1, Fraction(1), 0), Tier("Old", 2, Fraction(2), 0)),
        rewards=(Reward("R", 300, None, None),),
        tokens={each.symbol: each for each in (token("A"), token("B"), token("R", 0), token("S", 0))},
        pools=tuple(PoolRule(PoolKey(CHAIN, pool), ("A", "B"), Fraction(1), None, None) for pool in (ONE, TWO)),
        exclusions=(),
    )


def share(symbol: str, of: str, fraction: str) -> Reward:
    return Reward(symbol, None, None, UsdShare(of, Fraction(fraction)))


def exclusion(name: str, from_day: int | None = None, until_day: int | None = None) -> Exclusion:
    """Days count from the program's start."""
    first = None if from_day is None else START_DAY + from_day
    return Exclusion(PEOPLE[name], "treasury", first, None if until_day is None else START_DAY + until_day)


@dataclass
class Stage:
    """The database and the rules in force from now on; every job as a plain call."""

    state: State
    rules: Rules = field(default_factory=default_rules)
    fork: str = "a"
    _log_index: int = 0
    _live: dict[Address, dict[tuple[Address, tuple[int, int]], int]] = field(default_factory=dict)

    def set_up(self, *, fixed: str = "AB", **changes: Any) -> "Stage":
        """The program stored, both pools begun a day before its start at a price of 1; `fixed` tokens cost $1."""
        self.rules = replace(self.rules, **changes)
        with StateTransaction(self.state) as connection:
            rules = self.rules
            program_config.bind(connection, rules.name, rules.start, rules.epoch_seconds, [CHAIN])
            chains.ensure(connection, CHAIN, "river")
            chains.set_position_managers(connection, CHAIN, [])
            ids = {symbol: tokens.ensure(connection, each) for symbol, each in rules.tokens.items()}
            first = block_of(START - DAY_SECONDS)
            for rule in rules.pools:
                self._live[rule.pool.address] = {}
                token0, token1 = (ids[symbol] for symbol in rule.tokens)
                pools.ensure(connection, CHAIN, rule.pool.address, "uniswap_v3", token0, token1, first, 500, 10)
        self.new_rules()
        for symbol in fixed:
            self.price(symbol, 0, "1", "fixed")
        for rule in self.rules.pools:
            self._swap(START - DAY_SECONDS, rule.pool.address, 1 << 96, 0, None)
        return self

    def new_rules(self, **changes: Any) -> None:
        """A version of the rules from the first unsettled epoch on."""
        self.rules = replace(self.rules, **changes)
        with StateTransaction(self.state) as connection:
            latest = program_config.latest(connection)
            rules, settled = self.rules, epochs.settled_count(connection)
            version = 1 if latest is None else latest.version + 1
            row = ConfigVersion(
                version, rules.name, rules.start, rules.epoch_seconds, (CHAIN,), rules_json(rules), settled + 1, NOW
            )
            program_config.add(connection, row)

    def play(self, timeline: str) -> "Stage":
        """Do what the lines say, in order."""
        verbs: dict[str, Callable[..., object]] = {
            "mint": self._mint,
            "burn": self._burn,
            "price": lambda time, symbol, usd: self.price(symbol, time, usd),
            "seen": self.seen,
            "head": self.head,
        }
        for line in filter(None, map(str.strip, timeline.splitlines())):
            day, clock, verb, *words = line.split()
            verbs[verb](at(f"{day} {clock}"), *words)
        return self

    def price(self, symbol: str, time: int, usd: str, source: str = "coingecko") -> tuple[int, int]:
        each = self.rules.tokens[symbol]
        point = PricePoint(time, parse_units(usd, each.price_decimals), source, NOW)
        return store_points(self.state, self.rules, each, [point])

    def hourly(self, symbol: str, first: str, last: str, usd: str = "1") -> None:
        """A point at each full hour from `first` to `last`, both included."""
        each = self.rules.tokens[symbol]
        units = parse_units(usd, each.price_decimals)
        times = range(at(first), at(last) + 1, 3_600)
        store_points(self.state, self.rules, each, [PricePoint(time, units, "coingecko", NOW) for time in times])

    def seen(self, time: int) -> None:
        """Everything below and at that second is indexed and final."""
        self.head(time)
        with StateTransaction(self.state) as connection:
            tip = header(block_of(time), self.fork)
            chains.set_tips(connection, CHAIN, tip, tip)

    def head(self, time: int) -> None:
        """Everything below and at that second is indexed; what is final stays."""
        tip = header(block_of(time), self.fork)
        with StateTransaction(self.state) as connection:
            blocks.add(connection, CHAIN, [(tip, 0)])
            chains.set_tips(connection, CHAIN, tip, None)
            for cursor in cursors.all_on(connection, CHAIN):
                cursors.advance(connection, cursor, tip.number + 1)

    def accrue(self, **options: Any) -> Accrued:
        return Accruer(self.state, self.rules, frozenset(), **options).run()

    def settle(self, until: int | None = None, grid_tokens: frozenset[str] = frozenset()) -> list[Evaluated]:
        return settle(self.state, NOW, until, grid_tokens)

    # What it has come to ----------------------------------------------------------------------------------------------

    def statuses(self, pool: str = "one") -> dict[int, str]:
        """The pool's days, counted from the program's start."""
        with self.state.read() as connection:
            row = pools.find(connection, CHAIN, POOLS[pool])
            assert row is not None
            return {day - START_DAY: each.status for day, each in days.states(connection, row.id).items()}

    def cells(self) -> dict[tuple[str, str, int], tuple[int, int]]:
        """(pool, person, day): micro-dollar-days, in range."""
        places = {address: name for name, address in POOLS.items()}
        names = {address: name for name, address in PEOPLE.items()}
        with self.state.read() as connection:
            rows = days.cells(connection, Span(0, 1 << 40))
        return {(places[row.pool], names[row.provider], row.day - START_DAY): (row[4], row[5]) for row in rows}

    def rewards(self, number: int, symbol: str = "R") -> dict[str, int]:
        names = {address: name for name, address in PEOPLE.items()}
        with self.state.read() as connection:
            rows = epochs.rewards(connection, number)
        return {names[row.provider]: row.units for row in rows if row.token == symbol}

    def ledger(self, number: int, symbol: str = "R") -> epochs.BudgetRow:
        with self.state.read() as connection:
            return next(row for row in epochs.budgets(connection, number) if row.token == symbol)

    def epoch(self, number: int) -> epochs.EpochRow:
        with self.state.read() as connection:
            row = epochs.get(connection, number)
        assert row is not None, f"epoch {number} is not evaluated"
        return row

    def evaluated(self) -> list[int]:
        with self.state.read() as connection:
            return [row.number for row in epochs.all_epochs(connection)]

    def dump(self) -> dict[str, list[Any]]:
        """Every derived row that anything is paid by."""
        tables = ("pool_days", "daily_balances", "epochs", "epoch_budgets", "participations", "rewards")
        with self.state.read() as connection:
            return {
                table: sorted(tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").all())
                for table in tables
            }

    # Facts ------------------------------------------------------------------------------------------------------------

    def _mint(self, time: int, who: str, usd: str, *words: str) -> None:
        self._change(time, who, Fraction(usd), words)

    def _burn(self, time: int, who: str, usd: str, *words: str) -> None:
        self._change(time, who, -Fraction(usd), words)

    def _change(self, time: int, who: str, usd: Fraction, words: tuple[str, ...]) -> None:
        pool = next((POOLS[word] for word in words if word in POOLS), ONE)
        ticks = BELOW if "below" in words else WIDE
        liquidity = int(usd * 10**18 / (1 if ticks == BELOW else 2))
        live = self._live[pool]
        live[PEOPLE[who], ticks] = live.get((PEOPLE[who], ticks), 0) + liquidity
        change = LiquidityChange(
            pool, block_of(time), self._next(), time, PEOPLE[who], *ticks, liquidity, 0, 0, None, b"\1" * 32
        )
        self._insert(time, [], [change])

    def _swap(self, time: int, pool: Address, sqrt_price_x96: int, tick: int, liquidity: int | None) -> None:
        swap = Swap(pool, block_of(time), self._next(), time, sqrt_price_x96, tick, liquidity, 0, 0, b"\2" * 32)
        self._insert(time, [swap], [])

    def _next(self) -> int:
        self._log_index += 1
        return self._log_index

    def _insert(self, time: int, swaps: list[Swap], changes: list[LiquidityChange]) -> None:
        with StateTransaction(self.state) as connection:
            ids = {row.address: row.id for row in pools.all_pools(connection)}
            count = facts.insert(connection, CHAIN, ids, swaps, changes, [])
            blocks.add(connection, CHAIN, [(header(block_of(time), self.fork), count)])
