"""Chain prices: the sources that read what the index stored of feeds and pools, as far as it is final."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from loyalty.accrual.day import TokenScale
from loyalty.config import ChainlinkPrice, PoolPrice, Program
from loyalty.core.address import Address
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.jobs.followers import chainlink, pool_price
from loyalty.prices.chainlink import ChainlinkSource, FeedHistory
from loyalty.prices.pool_twap import PoolHistory, PoolTwapSource, QuoteToken
from loyalty.prices.refusal import Refuse
from loyalty.program.rules import Token
from loyalty.protocols.chainlink.phases import counting
from loyalty.state import blocks, chains, feeds, followed_contracts, pool_ticks, prices, tokens
from loyalty.state.engine import State
from loyalty.state.followed_contracts import FollowedContract


@dataclass(frozen=True, slots=True)
class ChainPrices:
    """Makes sources of a program's feeds and pools. `quotes`: by token and pool, what the pool is quoted in."""

    state: State
    program: Program
    quotes: Mapping[tuple[str, Address], str]
    refuse: Refuse

    def feed(self, token: Token, setting: ChainlinkPrice) -> ChainlinkSource | None:
        """None while the feed is not followed yet: its chain has not answered."""
        contract = self._contract(token, chainlink.KIND, setting.proxy)
        if contract is None:
            return None
        decimals = int(json.loads(contract.detail or "{}")["decimals"])
        read = self._feed_reader(contract)
        return ChainlinkSource(read, decimals, token.price_decimals, token.symbol, setting.heartbeat, self.refuse)

    def pool(self, token: Token, setting: PoolPrice) -> PoolTwapSource | None:
        """None while the pool is not followed yet: its chain has not answered."""
        contract = self._contract(token, pool_price.KIND, setting.pool)
        if contract is None:
            return None
        quote = self.program.rules.tokens[self.quotes[token.symbol, setting.pool]]
        return PoolTwapSource(
            self._pool_reader(contract),
            QuoteToken(self._points_reader(quote), _scale(quote), quote.max_age),
            _scale(token),
            token.symbol,
            is_token0=json.loads(contract.detail or "{}")["token0"] == token.address,
            rewarded=any((pool.chain_id, pool.address) == (token.chain, setting.pool) for pool in self.program.pools),
            allow_rewarded=setting.allow_rewarded,
            window=setting.window,
            refuse=self.refuse,
        )

    def known_until(self, token: Token, setting: ChainlinkPrice | PoolPrice) -> int:
        """Up to when everything is known that the source can say: nobody is asked for later hours before."""
        kind, address = (
            (chainlink.KIND, setting.proxy) if isinstance(setting, ChainlinkPrice) else (pool_price.KIND, setting.pool)
        )
        contract = self._contract(token, kind, address)
        if contract is None:
            return 0
        with self.state.read() as connection:
            return final_time(connection, contract)

    def _contract(self, token: Token, kind: str, address: Address) -> FollowedContract | None:
        with self.state.read() as connection:
            return followed_contracts.find(connection, token.chain, kind, address)

    def _feed_reader(self, contract: FollowedContract) -> Callable[[Span], FeedHistory]:
        def read(span: Span) -> FeedHistory:
            with self.state.read() as connection:
                phases = feeds.phases(connection, contract.id)
                found = counting(phases, feeds.answers(connection, contract.chain_id, phases, span))
                within = [answer for answer in found if span.contains(answer.updated_at)]
                return FeedHistory(within, final_time(connection, contract))

        return read

    def _pool_reader(self, contract: FollowedContract) -> Callable[[Span], PoolHistory]:
        def read(span: Span) -> PoolHistory:
            with self.state.read() as connection:
                found = pool_ticks.prices(connection, contract.id, span)
                return PoolHistory(found, final_time(connection, contract))

        return read

    def _points_reader(self, quote: Token) -> Callable[[Span], list[PricePoint]]:
        def read(span: Span) -> list[PricePoint]:
            with self.state.read() as connection:
                return prices.points(connection, tokens.ids(connection)[quote.symbol], span)

        return read


def final_time(connection: Connection, contract: FollowedContract) -> int:
    """The time of the last final block that is indexed for the contract; 0 where there is none."""
    chain = chains.get(connection, contract.chain_id)
    found = followed_contracts.find(connection, contract.chain_id, contract.kind, contract.address)
    if chain.finalized_block is None or chain.finalized_time is None or found is None:
        return 0
    if found.next_block > chain.finalized_block:
        return chain.finalized_time
    last = blocks.at_or_before(connection, contract.chain_id, found.next_block - 1)
    return 0 if last is None or found.next_block == found.start_block else last.time


def _scale(token: Token) -> TokenScale:
    return TokenScale(token.decimals, token.price_decimals)
