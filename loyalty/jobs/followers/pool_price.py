"""Pools that price a token in the index: every price of theirs, and the last one before they were followed."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.facts import Swap
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.uniswap_v3.adapter import read_last_price, read_prices
from loyalty.state import pool_ticks
from loyalty.state.engine import State

KIND = "pool_price"


class PoolPriceFollower:
    """Keeps no ledger: a price is the pool's own word."""

    def __init__(self, state: State, chain: Chain) -> None:
        self.state = state
        self.chain = chain

    def forget(self) -> None:
        """Nothing is kept."""

    async def begin(self, plan: Plan) -> "PoolPriceTurn":
        before: list[Swap] = []
        for pool in plan.cursors:
            if pool.start_block == plan.start and pool.start_block > 0:
                reading = await self.chain.read(read_last_price(pool.address, plan.start, 0), end=plan.start)
                before += [reading.result] if reading.result is not None else []
        return PoolPriceTurn(self, plan, before)


class PoolPriceTurn:
    """`before` are the last prices from before the first span of pools that begin with it."""

    def __init__(self, follower: PoolPriceFollower, plan: Plan, before: Sequence[Swap]) -> None:
        self._follower = follower
        self._plan = plan
        self._before = before
        self._found: Mapping[str, list[Swap]] = {}

    def read(self, span: Span) -> Conversation[int]:
        swaps = yield from read_prices([pool.address for pool in self._plan.cursors], span)
        self._found = {
            pool.address: [swap for swap in (*self._before, *swaps) if swap.pool == pool.address]
            for pool in self._plan.cursors
        }
        return len(swaps)

    def check(self) -> None:
        """Nothing more: each price stands for itself."""

    def store(self, connection: Connection) -> Counter[int]:
        counts: Counter[int] = Counter()
        for pool in self._plan.cursors:
            new = pool_ticks.insert(connection, self._follower.chain.id, pool.id, self._found[pool.address])
            counts.update(swap.block for swap in new)
        return counts

    def keep(self) -> None:
        """Nothing: what is stored is all."""
