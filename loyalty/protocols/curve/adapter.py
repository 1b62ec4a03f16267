"""The conversation about Curve pools: which logs to ask for, and the transfers that follow. No network here.

Everything to ask is known in advance: the LP tokens' Transfers, the coins' in and out of the pools, the gauges' own
logs, and the pools' liquidity events, which are no facts but check the fold at each of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import TokenTransfer
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.abi import WORD, place
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.events import LIQUIDITY_TOPICS, Generation, LiquidityEvent, decode_liquidity
from loyalty.protocols.curve.gauges import GAUGE_TOPICS, gauge_logs, read_gauge
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool, check_pools
from loyalty.protocols.curve.supply import check_supply
from loyalty.protocols.erc20 import TRANSFER, decode_transfer, moves

POOL_TOPICS = (*LIQUIDITY_TOPICS, topics.CRYPTO_NG_DONATION)
_OUT_TOPICS = (TRANSFER, topics.COIN_WITHDRAWAL)


class CurveSpan(NamedTuple):
    """The facts of a span in (block, log index) order, one for each log whatever it tells of.

    `generations` is what is known of each pool's family after it, to be stored; `logs_read` counts each log once.
    """

    transfers: list[TokenTransfer]
    generations: Mapping[Address, Generation]
    logs_read: int


def queries(pools: Sequence[CurvePool], span: Span) -> list[LogQuery]:
    """What `read_span` asks. It hangs on nothing, so it can be asked for later spans in advance."""
    check_pools(pools)
    asked = [
        LogQuery(tuple(pool.pool for pool in pools), (POOL_TOPICS,), span),
        LogQuery(tuple(pool.lp_token for pool in pools), ((TRANSFER,),), span),
    ]
    gauges = tuple(gauge for pool in pools for gauge in pool.gauges)
    if gauges:
        asked.append(LogQuery(gauges, (GAUGE_TOPICS,), span))
    return asked + [query for asked_coins in _coins_of(pools).items() for query in _coin_queries(*asked_coins, span)]


def _coins_of(pools: Sequence[CurvePool]) -> Mapping[tuple[Address, ...], list[Address]]:
    """The coins of each set of pools that hold just the same: asked for together."""
    holders: dict[Address, list[Address]] = defaultdict(list)
    for pool in pools:
        for coin in pool.coins:
            holders[coin].append(pool.pool)
    coins: dict[tuple[Address, ...], list[Address]] = defaultdict(list)
    for coin, held_by in holders.items():
        coins[tuple(held_by)].append(coin)
    return coins


def _coin_queries(pools: tuple[Address, ...], coins: Sequence[Address], span: Span) -> Iterator[LogQuery]:
    held_by = tuple(_word(pool) for pool in pools)
    yield LogQuery(tuple(coins), (_OUT_TOPICS, held_by), span)
    yield LogQuery(tuple(coins), ((TRANSFER,), (), held_by), span)


def _word(address: Address) -> bytes:
    return bytes.fromhex(address[2:]).rjust(WORD, b"\0")


def read_span(ledger: CurveLedger, span: Span) -> Conversation[CurveSpan]:
    """The facts of the ledger's pools over the blocks of `span`, folded into `ledger` with all its checks.

    `ledger` stands at span.start; when this raises it is of no further use. Raises Inconsistent when logs contradict
    each other, Invalid for a pool that cannot be followed.
    """
    if not span or not ledger.pools:
        return CurveSpan([], dict(ledger.generations), 0)
    logs = yield queries(ledger.pools, span)
    told = _Told(logs)
    shares = [fact for pool in ledger.pools for fact in _share_facts(pool, ledger, told)]
    coins = [fact for pool in ledger.pools for coin in pool.coins for fact in _coin_facts(pool, coin, ledger, told)]
    facts = _once([*shares, *coins])
    for fact in facts:
        ledger.apply(fact)
    return CurveSpan(facts, dict(ledger.generations), told.count)


class _Told:
    """The logs of a span by who logged them, each once."""

    def __init__(self, logs: Sequence[RawLog]) -> None:
        self._by_address: dict[Address, list[RawLog]] = defaultdict(list)
        seen: dict[Checkpoint, RawLog] = {}
        for log in logs:
            if seen.setdefault(Checkpoint(log.block, log.log_index), log) != log:
                raise Inconsistent(
                    f"block {log.block}, log {log.log_index}: two answers differ: the chain changed in between, or an "
                    "endpoint is wrong. Nothing of this span is kept; it is asked again at the next step"
                )
        for log in seen.values():
            self._by_address[log.address].append(log)
        self.count = len(seen)

    def of(self, address: Address) -> list[RawLog]:
        return self._by_address.get(address, [])

    def transfers(self, token: Address) -> list[TokenTransfer]:
        return [decode_transfer(log) for log in self.of(token) if log.topics and log.topics[0] == TRANSFER]


def _share_facts(pool: CurvePool, ledger: CurveLedger, told: _Told) -> Iterable[TokenTransfer]:
    """The transfers of the pool's LP token and of its gauges' tokens."""
    events = _liquidity_events(pool, ledger, told)
    transfers = told.transfers(pool.lp_token)
    _check_known(pool, ledger, transfers)
    yield from check_supply(pool, ledger.shares(pool.lp_token).supply, transfers, events)
    for gauge in pool.gauges:
        yield from read_gauge(gauge_logs(told.of(gauge)))


def _liquidity_events(pool: CurvePool, ledger: CurveLedger, told: _Told) -> list[LiquidityEvent]:
    """The pool's events; its family is learned from the first that tells it, and any other is Inconsistent."""
    events: list[LiquidityEvent] = []
    for log in told.of(pool.pool):
        if not log.topics or log.topics[0] not in POOL_TOPICS:
            continue
        if log.topics[0] == topics.CRYPTO_NG_DONATION:
            raise _donation(log)
        event = decode_liquidity(log, ledger.generations.get(pool.pool))
        known = ledger.generations.setdefault(pool.pool, event.generation) if event.generation else None
        if event.generation != known:
            raise Inconsistent(
                f"{place(log, event.event)}: an event of the family {event.generation}, while the pool's earlier ones "
                f"are of {known}: no contract of Curve's logs both. Check the pool's address"
            )
        events.append(event)
    return events


def _donation(log: RawLog) -> Invalid:
    return Invalid(
        f"{place(log, 'Donation')}: this pool's LP supply grows without Transfers, so shares do not follow from logs: "
        "such a pool is not supported. Leave it out of the program"
    )


def _check_known(pool: CurvePool, ledger: CurveLedger, transfers: Sequence[TokenTransfer]) -> None:
    """LP tokens that come without any event known here are those of a pool unknown here."""
    minted = next((transfer for transfer in transfers if transfer.sender == ZERO_ADDRESS and transfer.units), None)
    if minted is not None and pool.pool not in ledger.generations:
        families = ", ".join(Generation)
        raise Invalid(
            f"pool {pool.pool} of an unknown generation: block {minted.block}, log {minted.log_index} mints its LP "
            f"token {pool.lp_token}, and the pool has logged no liquidity event of {families}. Check protocol, address "
            "and start_block of the pool"
        )


def _coin_facts(pool: CurvePool, coin: Address, ledger: CurveLedger, told: _Told) -> Iterable[TokenTransfer]:
    """The coin's transfers in and out of this pool. Invalid where the pool unwraps it into the native coin."""
    for log in told.of(coin):
        if log.topics and log.topics[0] == topics.COIN_WITHDRAWAL and log.topics[1:2] == (_word(pool.pool),):
            raise _unwraps(pool, coin, log)
        if not log.topics or log.topics[0] != TRANSFER:
            continue
        transfer = decode_transfer(log)
        if pool.pool not in (transfer.sender, transfer.recipient) or not moves(transfer):
            continue
        burned = transfer.sender == pool.pool and transfer.recipient == ZERO_ADDRESS
        if burned and ledger.generations.get(pool.pool) == Generation.CRYPTO:
            raise _unwraps(pool, coin, log)
        yield transfer


def _unwraps(pool: CurvePool, coin: Address, log: RawLog) -> Invalid:
    return Invalid(
        f"pool {pool.pool}, block {log.block}, log {log.log_index}: the pool turns its coin {coin} into the chain's "
        "native coin, which moves without logs, so its holdings do not follow from logs. Use "
        'value = "virtual_price", or leave the pool out'
    )


def _once(facts: Iterable[TokenTransfer]) -> list[TokenTransfer]:
    """One fact a log, in order. A pool's LP token can be another pool's coin: the first, of its own pool, holds."""
    by_log: dict[Checkpoint, TokenTransfer] = {}
    for fact in facts:
        by_log.setdefault(Checkpoint(fact.block, fact.log_index), fact)
    return [by_log[log] for log in sorted(by_log)]
