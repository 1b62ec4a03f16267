"""A second opinion: every number of a program derived again from a recording's logs, the prices and the program file.

It imports nothing of `loyalty` and follows the documents alone: docs/accrual.md for dollar-time, docs/rules.md for what
follows from it, docs/digest.md for the text of an epoch, the published contracts for the logs. It is written for the
eye: positions times stretches, one after the other, where the program takes one pass over the swaps.

It covers what the demo has: Uniswap V3 on one chain, prices fixed or from files, budgets as a total or as a USD share.
This file goes from logs to cells; `audit_epochs.py` from cells to rewards and digests.
"""

import csv
import gzip
import hashlib
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

DAY = 86_400
MICRO = 10**6
ZERO = "0x" + "0" * 40
INITIALIZE = "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95"
SWAP = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
MINT = "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde"
BURN = "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c"
INCREASE = "0x3067048beee31b25b2f1681f88dac838c8bba36af25bfb2b7cf7473a5847e35f"
DECREASE = "0x26f6a048ee9138f2c0ce266f322cb99228e8d619ae2bff30c67f8dcf9d2377b4"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

# ---- The chain: logs in order ----------------------------------------------------------------------------------------


class Log(NamedTuple):
    time: int
    block: int
    log_index: int
    address: str
    topics: list[str]
    words: list[int]


def read_logs(recording: Path) -> list[Log]:
    """The recording's logs by block and log index. Its last line holds a checksum of all the others."""
    *lines, last = gzip.decompress(recording.read_bytes()).splitlines(keepends=True)
    assert json.loads(last)["end"]["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()
    return [
        Log(block["t"], block["n"], index, address.lower(), topics, words_of(data))
        for block in map(json.loads, lines[1:])
        for index, address, topics, data, _ in block["l"]
    ]


def words_of(data: str) -> list[int]:
    return [int(data[at : at + 64], 16) for at in range(2, len(data), 64)]


def signed(word: int) -> int:
    """A 256-bit word as two's complement; a narrower signed type is extended to the whole word."""
    return word - 2**256 if word >> 255 else word


def address_of(topic: str) -> str:
    return "0x" + topic[-40:].lower()


# ---- Who owned which liquidity, when ---------------------------------------------------------------------------------


class Range(NamedTuple):
    pool: str
    lower: int
    upper: int


class Holding(NamedTuple):
    """One owner's unchanged liquidity on a range, over [start, end)."""

    range: Range
    owner: str
    liquidity: int
    start: int
    end: int


class Price(NamedTuple):
    """What a pool's Initialize or Swap left behind."""

    time: int
    sqrt_price: int
    tick: int


class Chain:
    """The pools' prices and everybody's holdings, followed log by log until `end`."""

    def __init__(self, logs: Sequence[Log], pools: Iterable[str], managers: Iterable[str], end: int) -> None:
        self.prices: dict[str, list[Price]] = {pool: [] for pool in pools}
        self.holdings: list[Holding] = []
        self.swaps_checked = 0
        self._managers = set(managers)
        self._logs = {(log.block, log.log_index): log for log in logs}
        self._ranges: dict[tuple[str, int], Range] = {}  # of the managers' tokens
        self._open: dict[tuple[object, ...], Holding] = {}  # its end is not known yet
        self._in_pool: dict[str, dict[Range, int]] = {pool: defaultdict(int) for pool in pools}
        for log in sorted(logs, key=lambda log: (log.block, log.log_index)):
            if log.time < end:
                self._follow(log)
        for key in self._open:
            self._close(key, end)

    def _follow(self, log: Log) -> None:
        kind = log.topics[0]
        if log.address in self.prices:
            if kind == INITIALIZE:
                self.prices[log.address].append(Price(log.time, log.words[0], signed(log.words[1])))
            elif kind == SWAP:
                self._swap(log)
            elif kind == MINT:
                self._change(log, +log.words[1])
            elif kind == BURN and log.words[0]:
                self._change(log, -log.words[0])
        elif log.address in self._managers and kind == TRANSFER:
            self._transfer(log)

    def _swap(self, log: Log) -> None:
        _, _, sqrt_price, liquidity, tick_word = log.words
        tick = signed(tick_word)
        self.prices[log.address].append(Price(log.time, sqrt_price, tick))
        ranges = self._in_pool[log.address].items()
        assert liquidity == sum(held for (_, low, high), held in ranges if low <= tick < high), log
        self.swaps_checked += 1

    def _change(self, log: Log, delta: int) -> None:
        """A pool's Mint or Burn. Behind a manager the token follows from the manager's logs right after it."""
        owner = address_of(log.topics[1])
        where = Range(log.address, signed(int(log.topics[2], 16)), signed(int(log.topics[3], 16)))
        self._in_pool[log.address][where] += delta
        assert self._in_pool[log.address][where] >= 0, log
        if not self._in_pool[log.address][where]:
            del self._in_pool[log.address][where]
        if owner not in self._managers:
            self._hold((owner, where), where, owner, delta, log.time)
            return
        token = self._token_of(log, owner, new=delta > 0)
        if token is None:
            return  # in the manager's name, but of no token: nobody's
        new_owner, token_id = token
        key = (owner, token_id)
        assert self._ranges.setdefault(key, where) == where, log
        self._hold(key, where, new_owner or self._open[key].owner, delta, log.time)

    def _token_of(self, log: Log, manager: str, new: bool) -> tuple[str | None, int] | None:
        """The first owner of a token just minted, or None for an older token; and its id."""
        after = self._logs.get((log.block, log.log_index + 1))
        owner = None
        if new and after and after.address == manager and after.topics[0] == TRANSFER:
            assert address_of(after.topics[1]) == ZERO, log
            owner = address_of(after.topics[2])
            token_id = after.topics[3]
            after = self._logs.get((log.block, log.log_index + 2))
            assert after, log
            assert after.topics[1] == token_id, log
        if not after or after.address != manager or after.topics[0] != (INCREASE if new else DECREASE):
            assert new, log
            return None
        assert after.words == log.words[-3:], log  # the same liquidity and amounts
        return owner, int(after.topics[1], 16)

    def _transfer(self, log: Log) -> None:
        key = (log.address, int(log.topics[3], 16))
        if key in self._open and address_of(log.topics[1]) != ZERO:
            self._hold(key, self._open[key].range, address_of(log.topics[2]), 0, log.time)

    def _hold(self, key: tuple[object, ...], where: Range, owner: str, delta: int, time: int) -> None:
        before = self._open[key].liquidity if key in self._open else 0
        self._close(key, time)
        self._open[key] = Holding(where, owner, before + delta, time, -1)
        assert before + delta >= 0, (key, time)

    def _close(self, key: tuple[object, ...], time: int) -> None:
        held = self._open.get(key)
        if held and held.liquidity and held.start < time:
            self.holdings.append(held._replace(end=time))


# ---- USD prices ------------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    valid: int
    until: int  # the first second at which it is not in force any more
    price: int
    source: str


class Token(NamedTuple):
    symbol: str
    chain: int
    address: str
    decimals: int
    price_decimals: int
    points: list[Point]

    def at(self, time: int) -> Point:
        point = self.points[bisect_right(self.points, time, key=lambda point: point.valid) - 1]
        assert point.valid <= time < point.until, f"{self.symbol} has no price at {time}"
        return point

    def usd(self, time: int) -> Fraction:
        """Dollars for the token's smallest unit."""
        return Fraction(self.at(time).price, 10 ** (self.price_decimals + self.decimals))


def read_token(table: Mapping[str, Any], chain: int, folder: Path) -> Token:
    scale = int(table.get("price_decimals", 8))
    own = (table["symbol"], chain, table["address"].lower(), table["decimals"], scale)
    if "fixed" in table["price"]:
        return Token(*own, [Point(0, 2**63, whole(table["price"]["fixed"], scale), "fixed")])
    with (folder / table["price"]["file"]).open() as file:
        rows = sorted((seconds(row["time"]), whole(row["usd"], scale)) for row in csv.DictReader(file))
    valid = [time for time, _ in rows[1:]] + [2**63]
    oldest = duration(table.get("max_age", "2h")) + 1
    return Token(*own, [Point(t, min(t + oldest, after), p, "file") for (t, p), after in zip(rows, valid, strict=True)])


def whole(text: str | int, decimals: int) -> int:
    scaled: Fraction = Fraction(text) * 10**decimals
    assert scaled.denominator == 1, text
    return scaled.numerator


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def duration(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}[text[-1]]


# ---- Dollar-time -----------------------------------------------------------------------------------------------------


@cache
def sqrt_ratio(tick: int) -> int:
    """TickMath.getSqrtRatioAtTick: sqrt(1.0001) ** tick * 2**96, with the contract's roundings.

    The contract multiplies 2**128 / sqrt(1.0001) ** (2**i) over the bits of |tick|; each is rounded to the nearest.
    """
    ratio = 2**128
    for bit in range(20):
        if abs(tick) >> bit & 1:
            ratio = ratio * power_of_two(bit) >> 128
    if tick > 0:
        ratio = (2**256 - 1) // ratio
    return -(-ratio // 2**32)


@cache
def power_of_two(bit: int) -> int:
    with localcontext(prec=120):
        power: Decimal = Decimal("1.0001") ** (2**bit)
        return round(Decimal(2**128) / power.sqrt())


class Stretch(NamedTuple):
    """A time in which neither the pool's price nor a USD price changed."""

    start: int
    end: int
    sqrt_price: int
    tick: int
    usd0: int
    usd1: int


def stretches(prices: Sequence[Price], token0: Token, token1: Token, start: int, end: int) -> Iterator[Stretch]:
    """All of [start, end) in which the pool has a price."""
    times = {price.time for price in prices} | {point.valid for point in (*token0.points, *token1.points)}
    edges = sorted({start, end} | {time for time in times if start < time < end})
    upcoming = sorted(enumerate(prices), key=lambda each: (each[1].time, each[0]), reverse=True)
    pool_price = None
    for a, b in pairwise(edges):
        while upcoming and upcoming[-1][1].time <= a:
            pool_price = upcoming.pop()[1]  # of several in one second the last
        if pool_price:
            usd = [token.at(a) for token in (token0, token1)]
            assert all(point.until >= b for point in usd), f"no price in {a} to {b}"
            yield Stretch(a, b, pool_price.sqrt_price, pool_price.tick, usd[0].price, usd[1].price)


def dollars_of_one(where: Range, a: int, b: int, inside: Iterable[Stretch], unit0: int, unit1: int) -> tuple[int, int]:
    """The integral of one unit of liquidity's dollars over [a, b), all of it and while in range.

    amount0 = I(s) - I(upper) in 2**-160, amount1 = s - lower in 2**-96, the price held within the range.
    """
    low, high = sqrt_ratio(where.lower), sqrt_ratio(where.upper)
    full = in_range = 0
    for start, end, price, tick, usd0, usd1 in inside:
        if start < b and a < end:
            time = min(end, b) - max(start, a)
            held = min(max(price, low), high)
            amount0, amount1 = 2**256 // held - 2**256 // high, held - low
            dollars = (amount0 * usd0 * unit0 + amount1 * usd1 * unit1) * time
            full += dollars
            if where.lower <= tick < where.upper:
                in_range += dollars
    return full, in_range


class Cell(NamedTuple):
    pool: str
    provider: str
    day: int


Cells = dict[Cell, tuple[int, int]]


def pool_cells(holdings: Iterable[Holding], steps: Iterable[Stretch], token0: Token, token1: Token) -> Cells:
    """Micro-dollar-days of one pool, total and in range, rounded down once per provider and day."""
    by_day: dict[int, list[Stretch]] = defaultdict(list)
    for step in steps:
        for day in range(step.start // DAY, (step.end - 1) // DAY + 1):
            cut = step._replace(start=max(step.start, day * DAY), end=min(step.end, (day + 1) * DAY))
            by_day[day].append(cut)
    unit0 = 10 ** (token1.decimals + token1.price_decimals)
    unit1 = 10 ** (token0.decimals + token0.price_decimals) * 2**64
    raw: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
    for where, owner, liquidity, start, end in holdings:
        for day in range(start // DAY, (end - 1) // DAY + 1):
            if day in by_day:
                one = dollars_of_one(where, start, end, by_day[day], unit0, unit1)
                cell = raw[Cell(where.pool, owner, day)]
                cell[0] += one[0] * liquidity
                cell[1] += one[1] * liquidity
    dollar_day = unit0 * 10 ** (token0.decimals + token0.price_decimals) * 2**160 * DAY
    micro = {cell: (full * MICRO // dollar_day, inside * MICRO // dollar_day) for cell, (full, inside) in raw.items()}
    return {cell: both for cell, both in micro.items() if both[0]}
