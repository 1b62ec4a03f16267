"""Price sources: the program file's settings become sources that rest, merge and tell what they refuse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx

from loyalty.config import (
    ChainlinkPrice,
    CoinGeckoPrice,
    DefiLlamaPrice,
    FilePrice,
    FixedPrice,
    PoolPrice,
    PriceSetting,
    Program,
    TokenSettings,
)
from loyalty.core.facts import PricePoint
from loyalty.jobs.contracts import price_contracts
from loyalty.jobs.price import Held
from loyalty.jobs.pricing.chain_prices import ChainPrices
from loyalty.prices.backoff import Backoff, RestingSource, no_backoff
from loyalty.prices.coingecko import CoinGeckoSource
from loyalty.prices.coingecko_api import SECONDS_BETWEEN_CALLS, CoinGeckoKey
from loyalty.prices.defillama import DefiLlamaSource
from loyalty.prices.defillama_api import SECONDS_BETWEEN_CALLS as DEFILLAMA_SECONDS
from loyalty.prices.deviation import DeviationLimit
from loyalty.prices.file import FileSource
from loyalty.prices.fixed import FixedSource
from loyalty.prices.merged import Merged, MergedSource
from loyalty.prices.pace import Pace
from loyalty.prices.refusal import Refusal, log_refusal
from loyalty.prices.source import PriceSource
from loyalty.program.rules import Token
from loyalty.state import StateTransaction, price_backoffs, price_refusals, tokens
from loyalty.state.engine import State
from loyalty.state.price_backoffs import StoredBackoff
from loyalty.state.price_refusals import StoredRefusal

_PPM = 1_000_000


class Asking(NamedTuple):
    """With what servers are asked: the client, CoinGecko's key, how to pause, and where questions are merged."""

    client: httpx.Client
    key: CoinGeckoKey | None
    pause: Callable[[float], None]
    merged: Merged[list[PricePoint]]


@dataclass
class PriceSources:
    """Each token's sources for one run of the job. `refusals` and the back-offs are what `remember` stores of it."""

    by_token: dict[str, list[PriceSource]] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    resting: list[RestingSource] = field(default_factory=list)


def price_sources(state: State, program: Program, asking: Asking) -> PriceSources:
    """Each token's sources in the order of the program file; tokens that are priced by others come after those."""
    return _Builder(state, program, asking).build()


class _Builder:
    """All that ask one server keep one pace together."""

    def __init__(self, state: State, program: Program, asking: Asking) -> None:
        self.program = program
        self.asking = asking
        self.found = PriceSources()
        with state.read() as connection:
            quotes = price_contracts.quotes(connection, program)
            symbols = {number: symbol for symbol, number in tokens.ids(connection).items()}
            self.backoffs = {
                (symbols[each.token_id], each.source): Backoff(
                    each.source, symbols[each.token_id], each.until_time, each.failures
                )
                for each in price_backoffs.all_backoffs(connection)
            }
        self.chain_prices = ChainPrices(state, program, quotes, self.found.refusals.append)
        self.llama_pace = Pace(DEFILLAMA_SECONDS, sleep=asking.pause)
        self.plan = asking.key.plan if asking.key else "public"
        self.pace = Pace(SECONDS_BETWEEN_CALLS[self.plan], sleep=asking.pause)
        self.quoted_in = {symbol: quote for (symbol, _), quote in quotes.items()}

    def build(self) -> PriceSources:
        for each in sorted(self.program.tokens, key=self._depth):
            listed = [(setting, self._source(each.token, setting)) for setting in each.sources]
            asked, compared = listed[: len(each.prices)], listed[len(each.prices) :]
            self.found.by_token[each.token.symbol] = [source for _, source in asked if source]
            references = [source for _, source in (*asked, *compared) if source]
            self.found.held[each.token.symbol] = self._held(each, references)
        return self.found

    def _held(self, token: TokenSettings, references: list[PriceSource]) -> Held:
        limit = None
        if token.max_deviation is not None:
            limit = DeviationLimit(int(token.max_deviation * _PPM), references)
        on_chain = [each for each in token.sources if isinstance(each, ChainlinkPrice | PoolPrice)]
        known = [self.chain_prices.known_until(token.token, each) for each in on_chain]
        return Held(limit, min(known, default=None), self.found.refusals.append)

    def _depth(self, token: TokenSettings) -> int:
        """How many other tokens' prices lie between this one's and a market's."""
        symbol, depth = token.token.symbol, 0
        while (quote := self.quoted_in.get(symbol)) is not None:
            symbol, depth = quote, depth + 1
        return depth

    def _source(self, token: Token, setting: PriceSetting) -> PriceSource | None:
        """None for a contract that is not followed yet."""
        match setting:
            case FixedPrice(price=fixed):
                return FixedSource(fixed)
            case FilePrice(path=path):
                return FileSource(path, token.price_decimals, token.symbol)
            case CoinGeckoPrice(coin_id=coin_id):
                source = CoinGeckoSource(
                    coin_id,
                    token.price_decimals,
                    token.symbol,
                    self.asking.client,
                    self.asking.key,
                    self.asking.pause,
                    self.pace,
                    self.found.refusals.append,
                )
                return self._asked(source, token, f"{source.name} {self.plan} {coin_id}")
            case DefiLlamaPrice(coin=coin):
                llama = DefiLlamaSource(
                    coin,
                    token.price_decimals,
                    token.symbol,
                    self.asking.client,
                    self.asking.pause,
                    self.llama_pace,
                    refuse=self.found.refusals.append,
                )
                return self._asked(llama, token, f"{llama.name} {coin}")
            case ChainlinkPrice():
                return self.chain_prices.feed(token, setting)
            case PoolPrice():
                return self.chain_prices.pool(token, setting)

    def _asked(self, source: PriceSource, token: Token, identity: str) -> PriceSource:
        """A server's source: it rests after failures, and one question at a time is asked for the same."""
        backoff = self.backoffs.get((token.symbol, identity), no_backoff(identity, token.symbol))
        resting = RestingSource(source, backoff)
        self.found.resting.append(resting)
        return MergedSource(resting, f"{token.symbol} {identity}", self.asking.merged)


def remember(state: State, sources: PriceSources, now: int) -> list[Refusal]:
    """Stores back-offs and refusals of a run; returns the refusals that are new, each of which is logged once."""
    with state.read() as connection:
        ids = tokens.ids(connection)
        before = {each.source: each for each in price_backoffs.all_backoffs(connection)}
    backoffs = [
        StoredBackoff(ids[each.backoff.token], each.backoff.source, each.backoff.until, each.backoff.failures)
        for each in sources.resting
    ]
    changed = [each for each in backoffs if each.failures or each.source in before]
    if not changed and not sources.refusals:
        return []
    told = [StoredRefusal(ids[r.token], r.valid_time, r.source, r.reason, r.detail, now) for r in sources.refusals]
    with StateTransaction(state, durable=True) as connection:
        price_backoffs.keep(connection, changed)
        stored = price_refusals.note(connection, told)
    new = {(each.token_id, each.valid_time, each.source, each.detail) for each in stored}
    fresh = {r: None for r in sources.refusals if (ids[r.token], r.valid_time, r.source, r.detail) in new}
    for refusal in fresh:
        log_refusal(refusal)
    return list(fresh)
