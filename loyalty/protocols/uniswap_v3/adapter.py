"""The conversation about Uniswap V3: which logs to ask for, and the facts that follow. The caller does the network.

Of the pools everything that changes liquidity or price is asked for; of the position managers, whose logs are those of
all pools of the chain, only the blocks in which one of our pools names them, and the transfers of tokens known to be
ours.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.checkpoint import Checkpoint
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import Fact, LiquidityChange, PositionToken, PositionTransfer, Swap
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.abi import place, unsigned_word
from loyalty.protocols.uniswap_v3 import topics
from loyalty.protocols.uniswap_v3.events import (
    TokenTransfer,
    decode_burn,
    decode_decrease_liquidity,
    decode_increase_liquidity,
    decode_initialize,
    decode_mint,
    decode_swap,
    decode_transfer,
)
from loyalty.protocols.uniswap_v3.ledger import Ledger
from loyalty.protocols.uniswap_v3.matching import ManagerEvent, match_tokens

TOKENS_PER_QUERY = 300
"""Endpoints limit the length of topic lists."""

PRICE_SEARCH_BLOCKS = 5_000
PRICE_SEARCH_GROWTH = 4

_POOL_EVENTS: Mapping[bytes, Callable[[RawLog], Swap | LiquidityChange]] = {
    topics.INITIALIZE: decode_initialize,
    topics.SWAP: decode_swap,
    topics.MINT: decode_mint,
    topics.BURN: decode_burn,
}
_MANAGER_EVENTS: Mapping[bytes, Callable[[RawLog], ManagerEvent]] = {
    topics.INCREASE_LIQUIDITY: decode_increase_liquidity,
    topics.DECREASE_LIQUIDITY: decode_decrease_liquidity,
    topics.TRANSFER: decode_transfer,
}
_BY_POSITION = itemgetter(1, 2)
"""(block, log index) of any fact."""


class SpanFacts(NamedTuple):
    """The facts of a span, each list in (block, log index) order. `logs_read` counts the logs looked at, once each."""

    swaps: list[Swap]
    liquidity_changes: list[LiquidityChange]
    transfers: list[PositionTransfer]
    logs_read: int


def first_query(pools: Sequence[Address], span: Span, with_swaps: bool) -> LogQuery:
    """What `read_span` asks first; it hangs on nothing, so it can be asked for later spans in advance."""
    events = (topics.INITIALIZE, topics.MINT, topics.BURN, *([topics.SWAP] if with_swaps else []))
    return LogQuery(tuple(pools), (events,), span)


def read_span(
    pools: Sequence[Address],
    managers: Mapping[Address, int],
    ledger: Ledger,
    span: Span,
    *,
    with_swaps: bool,
) -> Conversation[SpanFacts]:
    """The facts of `pools` over the blocks of `span`, folded into `ledger` with all its checks.

    `ledger` stands at span.start for these pools; when this raises it is of no further use. Of `managers` (by address)
    the start block is not relied on: they are only asked where a pool names them. Without swaps the price stands still,
    and only liquidity and owners are followed.
    """
    if managers.keys() != ledger.managers:
        raise Invalid("the ledger was built for other position managers: build it again from the stored facts")
    if not span or not pools:
        return SpanFacts([], [], [], 0)
    pool_logs = yield [first_query(pools, span, with_swaps)]
    swaps, changes = _pool_facts(pool_logs)
    tokens = {token: pool for pool in pools for token in ledger.tokens(pool)}
    matched, block_logs = yield from _read_tokens(changes, ledger.managers, tokens)
    for change in matched:
        if change.token is not None:
            tokens.setdefault(change.token, change.pool)  # a token that changes its pool is the ledger's to refuse
    transfers, logs_of_managers = yield from _read_transfers(tokens, span, block_logs)
    facts = SpanFacts(swaps, _with_tokens(changes, matched), transfers, len(pool_logs) + logs_of_managers)
    _fold(facts, ledger)
    return facts


def _read_tokens(
    changes: Sequence[LiquidityChange], managers: Collection[Address], known: Mapping[PositionToken, Address]
) -> Conversation[tuple[list[LiquidityChange], Sequence[RawLog]]]:
    """The changes that managers own, each with its token, and the managers' logs that tell so."""
    of_managers = [change for change in changes if change.owner in managers]
    if not of_managers:
        return [], ()
    logs = yield list(_manager_queries(of_managers))
    return match_tokens(of_managers, _manager_events(logs), known.__contains__), logs


def _read_transfers(
    tokens: Mapping[PositionToken, Address], span: Span, block_logs: Sequence[RawLog]
) -> Conversation[tuple[list[PositionTransfer], int]]:
    """The transfers of `tokens` over the span, and how many logs of managers were looked at, once each."""
    if not tokens:
        return [], len(block_logs)
    logs = yield list(_transfer_queries(tokens, span))
    count = _count_once(block_logs, logs)
    events = _manager_events(block_logs) | _manager_events(logs)
    return list(_transfers(events.values(), tokens)), count


def read_last_price(pool: Address, before_block: int, start_block: int) -> Conversation[Swap | None]:
    """The pool's last Swap or Initialize in the blocks [start_block, before_block); None where there is none.

    Looked for from the end backwards, in spans that grow: a busy pool is found at once, a quiet one in few questions.
    """
    end, blocks = before_block, PRICE_SEARCH_BLOCKS
    while end > start_block:
        span = Span(max(start_block, end - blocks), end)
        logs = yield [LogQuery((pool,), ((topics.SWAP, topics.INITIALIZE),), span)]
        swaps, _ = _pool_facts(logs)
        if swaps:
            return max(swaps, key=_BY_POSITION)
        end, blocks = span.start, blocks * PRICE_SEARCH_GROWTH
    return None


def read_prices(pools: Sequence[Address], span: Span) -> Conversation[list[Swap]]:
    """Every price of `pools` in the blocks of `span`, in order: each Swap and Initialize, whoever holds liquidity."""
    if not span or not pools:
        return []
    logs = yield [LogQuery(tuple(pools), ((topics.SWAP, topics.INITIALIZE),), span)]
    swaps, _ = _pool_facts(logs)
    return swaps


def _pool_facts(logs: Sequence[RawLog]) -> tuple[list[Swap], list[LiquidityChange]]:
    """The pools' facts in the order of the logs, without tokens yet. Burns of zero are none."""
    swaps: list[Swap] = []
    changes: list[LiquidityChange] = []
    for log in logs:
        decode = _POOL_EVENTS.get(log.topics[0]) if log.topics else None
        if decode is None:
            raise _not_asked_for(log)
        fact = decode(log)
        if isinstance(fact, Swap):
            swaps.append(fact)
        elif fact.liquidity_delta or log.topics[0] == topics.MINT:
            changes.append(fact)
    return swaps, changes


def _not_asked_for(log: RawLog) -> Inconsistent:
    return Inconsistent(
        f"{place(log, 'A log')}: it was not asked for. The endpoint does not filter logs as it should: use another one"
    )


def _manager_queries(changes: Sequence[LiquidityChange]) -> Iterator[LogQuery]:
    """The managers' logs of just the blocks of `changes`, blocks that touch joined."""
    managers = tuple(sorted({change.owner for change in changes}))
    for span in _joined(sorted({change.block for change in changes})):
        yield LogQuery(managers, (tuple(_MANAGER_EVENTS),), span)


def _joined(blocks: Iterable[int]) -> Iterator[Span]:
    span: Span | None = None
    for block in blocks:
        if span is not None and block == span.end:
            span = Span(span.start, block + 1)
            continue
        if span is not None:
            yield span
        span = Span(block, block + 1)
    if span is not None:
        yield span


def _manager_events(logs: Sequence[RawLog]) -> dict[Checkpoint, ManagerEvent]:
    events: dict[Checkpoint, ManagerEvent] = {}
    for log in logs:
        decode = _MANAGER_EVENTS.get(log.topics[0]) if log.topics else None
        if decode is None:
            raise _not_asked_for(log)
        events[Checkpoint(log.block, log.log_index)] = decode(log)
    return events


def _transfer_queries(tokens: Iterable[PositionToken], span: Span) -> Iterator[LogQuery]:
    ids: dict[Address, list[int]] = {}
    for token in tokens:
        ids.setdefault(token.manager, []).append(token.token_id)
    for manager, token_ids in sorted(ids.items()):
        for start in range(0, len(token_ids), TOKENS_PER_QUERY):
            words = tuple(unsigned_word(token_id) for token_id in sorted(token_ids)[start : start + TOKENS_PER_QUERY])
            yield LogQuery((manager,), ((topics.TRANSFER,), (), (), words), span)


def _transfers(events: Iterable[ManagerEvent], tokens: Mapping[PositionToken, Address]) -> Iterator[PositionTransfer]:
    ours = (event for event in events if isinstance(event, TokenTransfer) and event.token in tokens)
    for event in sorted(ours, key=_BY_POSITION):
        yield PositionTransfer(
            tokens[event.token],
            event.block,
            event.log_index,
            event.time,
            event.token,
            event.sender,
            event.recipient,
            event.transaction_hash,
        )


def _count_once(*answers: Sequence[RawLog]) -> int:
    """How many logs the answers hold; one that stands in two of them must be the same in both (else Inconsistent)."""
    seen: dict[Checkpoint, RawLog] = {}
    for log in chain(*answers):
        if seen.setdefault(Checkpoint(log.block, log.log_index), log) != log:
            raise Inconsistent(
                f"block {log.block}, log {log.log_index}: two answers differ: the chain changed in between, or an "
                "endpoint is wrong. Nothing of this span is kept; it is asked again at the next step"
            )
    return len(seen)


def _with_tokens(changes: Sequence[LiquidityChange], matched: Sequence[LiquidityChange]) -> list[LiquidityChange]:
    tokens = {_BY_POSITION(change): change for change in matched}
    return [tokens.get(_BY_POSITION(change), change) for change in changes]


def _fold(facts: SpanFacts, ledger: Ledger) -> None:
    folded: list[Fact] = [*facts.swaps, *facts.liquidity_changes, *facts.transfers]
    folded.sort(key=_BY_POSITION)
    for fact in folded:
        ledger.apply(fact)
