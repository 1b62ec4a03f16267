"""A simulated chain with Curve pools, gauges and coins: it emits raw logs as the contracts do, in their order, and
keeps the truth about balances, supplies and holdings in the plainest way, to compare with."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.logs import RawLog
from loyalty.core.spans import Span
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.adapter import CurveSpan, read_span
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool
from loyalty.protocols.erc20 import TRANSFER


def word(value: int | str) -> bytes:
    if isinstance(value, str):
        return bytes(12) + bytes.fromhex(value[2:])
    return (value % (1 << 256)).to_bytes(32)


def dynamic(*arrays: Sequence[int], rest: Sequence[int]) -> list[int]:
    """The words of some dynamic arrays followed by single words, as the ABI lays them out."""
    head, tail = [], []
    size = len(arrays) + len(rest)
    for array in arrays:
        head.append(32 * (size + len(tail)))
        tail += [len(array), *array]
    return [*head, *rest, *tail]


class CurveWorld:
    """`at(block)` opens a block and a transaction; each event takes the next log index."""

    def __init__(self) -> None:
        self.logs: list[RawLog] = []
        self.block = self.next_index = self.transactions = 0
        self.balances: dict[Address, Counter[Address]] = defaultdict(Counter)
        self.supply: Counter[Address] = Counter()

    def at(self, block: int) -> "CurveWorld":
        self.block, self.next_index = block, 0
        return self.transaction()

    def transaction(self) -> "CurveWorld":
        self.transactions += 1
        return self

    def emit(self, address: Address, topic: bytes, indexed: Sequence[int | str], values: Sequence[int | str]) -> None:
        words = (topic, *map(word, indexed))
        body = b"".join(map(word, values))
        place = (self.block, self.next_index, 12 * self.block, address)
        self.logs.append(RawLog(*place, words, body, word(self.transactions), f"0x{self.block:064x}"))
        self.next_index += 1

    # Tokens -----------------------------------------------------------------------------------------------------------

    def transfer(self, token: Address, sender: Address, recipient: Address, units: int) -> None:
        """As the token's own transfer: what goes to the zero address exists on."""
        self.balances[token][sender] -= units
        self.balances[token][recipient] += units
        self.emit(token, TRANSFER, [sender, recipient], [units])

    def mint(self, token: Address, holder: Address, units: int) -> None:
        self.supply[token] += units
        self.balances[token][holder] += units
        self.emit(token, TRANSFER, [ZERO_ADDRESS, holder], [units])

    def burn(self, token: Address, holder: Address, units: int) -> None:
        self.supply[token] -= units
        self.balances[token][holder] -= units
        self.emit(token, TRANSFER, [holder, ZERO_ADDRESS], [units])

    def _coins(self, pool: CurvePool, holder: Address, amounts: Sequence[int], into: bool) -> None:
        for coin, units in zip(pool.coins, amounts, strict=True):
            if units:
                self.transfer(coin, *((holder, pool.pool) if into else (pool.pool, holder)), units)

    def exchange(self, pool: CurvePool, who: Address, sold: int, units: int, bought: int, out: int) -> None:
        self.transfer(pool.coins[sold], who, pool.pool, units)
        self.transfer(pool.coins[bought], pool.pool, who, out)
        self.emit(pool.pool, topics.TOKEN_EXCHANGE, [who], [sold, units, bought, out])

    # StableSwap-NG ----------------------------------------------------------------------------------------------------

    def ng_add(self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int) -> None:
        self._coins(pool, who, amounts, into=True)
        self.mint(pool.lp_token, who, units)
        values = dynamic(amounts, [1] * len(amounts), rest=[7, self.supply[pool.lp_token]])
        self.emit(pool.pool, topics.NG_ADD_LIQUIDITY, [who], values)

    def ng_remove(self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int) -> None:
        """The coins leave first, then the LP tokens are burned; the fees are an empty array."""
        self._coins(pool, who, amounts, into=False)
        self.burn(pool.lp_token, who, units)
        values = dynamic(amounts, [], rest=[self.supply[pool.lp_token]])
        self.emit(pool.pool, topics.NG_REMOVE_LIQUIDITY, [who], values)

    def ng_remove_one(self, pool: CurvePool, who: Address, coin: int, amount: int, units: int) -> None:
        self.burn(pool.lp_token, who, units)
        self.transfer(pool.coins[coin], pool.pool, who, amount)
        values = [coin, units, amount, self.supply[pool.lp_token]]
        self.emit(pool.pool, topics.NG_REMOVE_LIQUIDITY_ONE, [who], values)

    def ng_remove_imbalance(self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int) -> None:
        self._coins(pool, who, amounts, into=False)
        self.burn(pool.lp_token, who, units)
        values = dynamic(amounts, [1] * len(amounts), rest=[7, self.supply[pool.lp_token]])
        self.emit(pool.pool, topics.NG_REMOVE_LIQUIDITY_IMBALANCE, [who], values)

    # Older StableSwap -------------------------------------------------------------------------------------------------

    def old_add(
        self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int, counted_twice: bool = False
    ) -> None:
        self._coins(pool, who, amounts, into=True)
        self.mint(pool.lp_token, who, units)
        supply = self.supply[pool.lp_token] + counted_twice * units
        topic = getattr(topics, f"ADD_LIQUIDITY_{len(amounts)}")
        self.emit(pool.pool, topic, [who], [*amounts, *[1] * len(amounts), 7, supply])

    def old_remove(
        self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int, counted_twice: bool = False
    ) -> None:
        self._coins(pool, who, amounts, into=False)
        self.burn(pool.lp_token, who, units)
        supply = self.supply[pool.lp_token] - counted_twice * units
        topic = getattr(topics, f"REMOVE_LIQUIDITY_{len(amounts)}")
        self.emit(pool.pool, topic, [who], [*amounts, *[0] * len(amounts), supply])

    def old_remove_one(self, pool: CurvePool, who: Address, coin: int, amount: int, units: int, says: bool) -> None:
        """`says`: with the supply, in three words; without, in two."""
        self.burn(pool.lp_token, who, units)
        self.transfer(pool.coins[coin], pool.pool, who, amount)
        topic = topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS if says else topics.REMOVE_LIQUIDITY_ONE_TWO_WORDS
        self.emit(pool.pool, topic, [who], [units, amount, *([self.supply[pool.lp_token]] if says else [])])

    # Crypto -----------------------------------------------------------------------------------------------------------

    def crypto_add(self, pool: CurvePool, who: Address, amounts: Sequence[int], units: int) -> None:
        """The first one logs the supply that was before it."""
        first = not self.supply[pool.lp_token]
        self._coins(pool, who, amounts, into=True)
        self.mint(pool.lp_token, who, units)
        topic = getattr(topics, f"CRYPTO_ADD_LIQUIDITY_{len(amounts)}")
        self.emit(pool.pool, topic, [who], [*amounts, 5, 0 if first else self.supply[pool.lp_token]])

    def crypto_remove_one(self, pool: CurvePool, who: Address, coin: int, amount: int, units: int) -> None:
        self.burn(pool.lp_token, who, units)
        self.transfer(pool.coins[coin], pool.pool, who, amount)
        self.emit(pool.pool, topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS, [who], [units, coin, amount])

    # Gauges -----------------------------------------------------------------------------------------------------------

    def stake(self, gauge: Address, lp_token: Address, who: Address, units: int, erc20: bool = True) -> None:
        self.transfer(lp_token, who, gauge, units)
        self.emit(gauge, topics.GAUGE_DEPOSIT, [who], [units])
        self._gauge_token(gauge, ZERO_ADDRESS, who, units, erc20)
        self.supply[gauge] += units
        self.balances[gauge][who] += units

    def unstake(self, gauge: Address, lp_token: Address, who: Address, units: int, erc20: bool = True) -> None:
        self.transfer(lp_token, gauge, who, units)
        self.emit(gauge, topics.GAUGE_WITHDRAW, [who], [units])
        self._gauge_token(gauge, who, ZERO_ADDRESS, units, erc20)
        self.supply[gauge] -= units
        self.balances[gauge][who] -= units

    def _gauge_token(self, gauge: Address, sender: Address, recipient: Address, units: int, erc20: bool) -> None:
        if erc20:
            self.emit(gauge, TRANSFER, [sender, recipient], [units])

    # What is true, and what loyalty reads -----------------------------------------------------------------------------

    def held(self, token: Address) -> dict[Address, int]:
        """Balances above zero. What was sent to the zero address stands at the token's own."""
        found = {holder: units for holder, units in self.balances[token].items() if units > 0}
        if lost := found.pop(ZERO_ADDRESS, 0):
            found[token] = found.get(token, 0) + lost
        return found

    def read(self, driver: type, ledger: CurveLedger, span: Span | None = None) -> CurveSpan:
        return driver(self.logs)(read_span(ledger, Span(0, self.block + 1) if span is None else span))


@pytest.fixture
def world() -> CurveWorld:
    return CurveWorld().at(1)


@pytest.fixture(scope="session")
def new_curve_world() -> type[CurveWorld]:
    return CurveWorld
