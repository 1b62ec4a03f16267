"""The ledger: who has how much liquidity where, as a fold over the facts of any number of pools."""

from collections.abc import Collection

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    Fact,
    LiquidityChange,
    PoolPrice,
    PositionChange,
    PositionKey,
    PositionToken,
    Swap,
)
from loyalty.protocols.uniswap_v3.pool_ledger import PoolLedger, RangeKey


class Ledger:
    """Folds facts in (block, log index) order of each pool; `managers` are the chain's position managers.

    It can be built from liquidity changes and transfers alone (positions need no prices), with `set_price` for what the
    swaps would have said. A fact that contradicts what came before is Inconsistent, and the ledger is then of no
    further use: work on a `copy()` where the step can fail.
    """

    def __init__(self, managers: Collection[Address]) -> None:
        self.managers = frozenset(managers)
        self._pools: dict[Address, PoolLedger] = {}
        self._pool_of_token: dict[PositionToken, Address] = {}

    def copy(self) -> "Ledger":
        """A ledger that says the same and goes its own way. Costs one shallow copy of the positions."""
        twin = Ledger(self.managers)
        twin._pools = {pool: book.copy() for pool, book in self._pools.items()}
        twin._pool_of_token = self._pool_of_token.copy()
        return twin

    def apply(self, fact: Fact) -> list[PositionChange]:
        """Fold one fact; what it changed for providers.

        A new token's liquidity becomes its owner's with the Transfer right after the Mint. Liquidity of a manager
        without a token is nobody's and changes nothing. A swap changes no position.
        """
        book = self._book(fact.pool)
        if isinstance(fact, Swap):
            book.swap(fact)
            return []
        if isinstance(fact, LiquidityChange):
            self._bind(fact)
            return book.change(fact)
        return book.transfer(fact)

    def set_price(self, pool: Address, price: PoolPrice) -> None:
        """The pool's price, where its swaps are not folded."""
        self._book(pool).set_price(price)

    def price(self, pool: Address) -> PoolPrice | None:
        """The pool's last price; None before its Initialize."""
        book = self._pools.get(pool)
        return book.price if book else None

    def in_range_liquidity(self, pool: Address) -> int | None:
        """The sum of all ranges around the tick, nobody's included; None without a price."""
        book = self._pools.get(pool)
        return book.in_range_liquidity if book else None

    def positions(self, pool: Address) -> dict[PositionKey, int]:
        """Liquidity of each provider's position, those above zero. What a manager holds without a token is in none."""
        book = self._pools.get(pool)
        return book.positions() if book else {}

    def ranges(self, pool: Address) -> dict[RangeKey, int]:
        """Liquidity of each range as the pool itself knows it, managers' ranges and nobody's liquidity included."""
        book = self._pools.get(pool)
        return book.ranges() if book else {}

    def tokens(self, pool: Address | None = None) -> list[PositionToken]:
        """The tokens bound to the pool, or to any; emptied ones too, burned ones not. In the order of their minting."""
        if pool is None:
            return [token for book in self._pools.values() for token in book.tokens()]
        return self._pools[pool].tokens() if pool in self._pools else []

    def pool_of(self, token: PositionToken) -> Address | None:
        """The pool that the token is, or was until burned, bound to."""
        return self._pool_of_token.get(token)

    def _book(self, pool: Address) -> PoolLedger:
        book = self._pools.get(pool)
        if book is None:
            book = self._pools[pool] = PoolLedger(pool, self.managers)
        return book

    def _bind(self, change: LiquidityChange) -> None:
        """A token belongs to one pool for ever."""
        if change.token is None:
            return
        bound = self._pool_of_token.setdefault(change.token, change.pool)
        if bound != change.pool:
            raise Inconsistent(
                f"pool {change.pool}, block {change.block}, log {change.log_index}: token {change.token.token_id} of "
                f"{change.token.manager} is bound to pool {bound}"
            )
