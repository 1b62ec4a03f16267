"""Uniswap V3 pools in the index: prices from the program's start on, liquidity and ownership from the pool's."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from sqlalchemy import Connection

from loyalty.chain.chain import Chain
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import PoolPrice, Swap
from loyalty.core.queries import Conversation
from loyalty.core.spans import Span
from loyalty.jobs.followers.kept_ledgers import KeptLedgers
from loyalty.jobs.followers.turn import Plan
from loyalty.protocols.uniswap_v3.adapter import SpanFacts, read_last_price, read_span
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.state import facts
from loyalty.state.engine import State

PROTOCOL = "uniswap_v3"


class UniswapV3Follower:
    """One ledger for the pools that stand at the same block."""

    def __init__(self, state: State, chain: Chain, managers: Mapping[Address, int]) -> None:
        self.state = state
        self.chain = chain
        self.managers = managers
        self.kept: KeptLedgers[Ledger] = KeptLedgers()

    def forget(self) -> None:
        self.kept.forget()

    async def begin(self, plan: Plan) -> "UniswapV3Turn":
        ledger = self.kept.take(plan) or self._rebuild(plan)
        unborn = {pool.address for pool in plan.cursors if ledger.price(pool.address) is None}
        return UniswapV3Turn(self, plan, ledger, unborn, await self._last_prices(plan, ledger))

    async def _last_prices(self, plan: Plan, ledger: Ledger) -> list[Swap]:
        """At the program's start, the last price before it of each pool that is older."""
        if (start_block := plan.start_block) is None or plan.start != start_block:
            return []
        found = []
        for pool in plan.cursors:
            if pool.start_block >= start_block:
                continue
            reading = await self.chain.read(
                read_last_price(pool.address, start_block, pool.start_block), end=start_block
            )
            if (swap := reading.result) is not None:
                ledger.set_price(pool.address, PoolPrice(swap.time, swap.sqrt_price_x96, swap.tick))
                found.append(swap)
        return found

    def _rebuild(self, plan: Plan) -> Ledger:
        """The ledger as the stored facts say: liquidity and ownership folded, and each pool's last price."""
        ledger = Ledger(self.managers)
        with self.state.read() as connection:
            for fact in facts.ledger_facts(connection, plan.ids):
                ledger.apply(fact)
            for pool in plan.cursors:
                if (price := facts.last_price(connection, pool.id)) is not None:
                    ledger.set_price(pool.address, price)
        return ledger


class UniswapV3Turn:
    """`unborn` are the pools without a price before the span, `last_prices` those from before the program's start."""

    def __init__(
        self,
        follower: UniswapV3Follower,
        plan: Plan,
        ledger: Ledger,
        unborn: Set[Address],
        last_prices: Sequence[Swap],
    ) -> None:
        self._follower = follower
        self._plan = plan
        self._ledger = ledger
        self._unborn = unborn
        self._last_prices = last_prices
        self._end = plan.start
        self._found = SpanFacts([], [], [], 0)

    def read(self, span: Span) -> Conversation[int]:
        self._end = span.end
        addresses = [pool.address for pool in self._plan.cursors]
        with_swaps = self._plan.with_swaps
        self._found = yield from read_span(
            addresses, self._follower.managers, self._ledger, span, with_swaps=with_swaps
        )
        return self._found.logs_read

    def check(self) -> None:
        """A pool's first fact is its Initialize, else liquidity from before its start block is missing."""
        found = self._found
        initialized = {swap.pool for swap in found.swaps if swap.liquidity is None}
        touched = {swap.pool for swap in found.swaps} | {change.pool for change in found.liquidity_changes}
        for pool in self._plan.cursors:
            if pool.address in self._unborn & touched - initialized:
                raise Inconsistent(
                    f"pool {checksum(pool.address)} on {self._follower.chain.name} was active before its start_block "
                    f"{pool.start_block}: set start_block to the block in which the pool was created, or an earlier one"
                )

    def store(self, connection: Connection) -> Counter[int]:
        """Also a last price from before the program's start, where it is not stored yet."""
        found, chain_id = self._found, self._follower.chain.id
        pool_ids = {pool.address: pool.id for pool in self._plan.cursors}
        known = [swap for swap in self._last_prices if not facts.has(connection, chain_id, swap.block, swap.log_index)]
        swaps = [*known, *found.swaps]
        facts.insert(connection, chain_id, pool_ids, swaps, found.liquidity_changes, found.transfers)
        return Counter(fact.block for told in (swaps, found.liquidity_changes, found.transfers) for fact in told)

    def keep(self) -> None:
        self._follower.kept.keep(self._plan.ids, self._end, self._ledger)
