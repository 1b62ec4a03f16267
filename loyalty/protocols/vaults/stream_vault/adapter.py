"""The conversation about vaults with rounds: one question a span, all events of the vaults, all Transfers of shares."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.facts import RoundRolled, TokenTransfer, VaultEvent
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.erc20 import TRANSFER, ShareLedger, decode_transfer, moves
from loyalty.protocols.vaults.decoding import decode_log
from loyalty.protocols.vaults.stream_vault import topics
from loyalty.protocols.vaults.stream_vault.events import (
    decode_instant_unstake,
    decode_redeem,
    decode_round_rolled,
    decode_stake,
    decode_unstake,
)
from loyalty.protocols.vaults.stream_vault.ledger import RoundStart, VaultFact, VaultLedger

_EVENTS: Mapping[bytes, Callable[[RawLog], VaultFact]] = {
    topics.STAKE: decode_stake,
    topics.UNSTAKE: decode_unstake,
    topics.REDEEM: decode_redeem,
    topics.INSTANT_UNSTAKE: decode_instant_unstake,
    topics.ROUND_ROLLED: decode_round_rolled,
    TRANSFER: decode_transfer,
}


class SpanFacts(NamedTuple):
    """The facts of a span, each list in (block, log index) order. `starts` are the rounds that began in it."""

    events: list[VaultEvent]
    rolls: list[RoundRolled]
    transfers: list[TokenTransfer]
    starts: list[RoundStart]
    logs_read: int


def first_query(vaults: Sequence[Address], span: Span) -> LogQuery:
    """All that `read_span` asks; it hangs on nothing, so it can be asked for later spans in advance."""
    return LogQuery(tuple(vaults), (tuple(_EVENTS),), span)


def read_span(ledgers: Mapping[Address, VaultLedger], span: Span) -> Conversation[SpanFacts]:
    """The facts of the vaults over the blocks of `span`, folded into `ledgers` (by vault) with all their checks.

    Each ledger stands at span.start; when this raises they are of no further use.
    """
    if not span or not ledgers:
        return SpanFacts([], [], [], [], 0)
    logs = yield [first_query(tuple(ledgers), span)]
    decoded = [decode_log(_EVENTS, log) for log in logs]
    facts = [fact for fact in decoded if not isinstance(fact, TokenTransfer) or moves(fact)]
    return SpanFacts(
        [fact for fact in facts if isinstance(fact, VaultEvent)],
        [fact for fact in facts if isinstance(fact, RoundRolled)],
        [fact for fact in facts if isinstance(fact, TokenTransfer)],
        fold(ledgers, facts),
        len(logs),
    )


def fold(ledgers: Mapping[Address, VaultLedger], facts: Sequence[VaultFact]) -> list[RoundStart]:
    """The rounds that begin in `facts`, those of whole blocks in (block, log index) order, folded into `ledgers`."""
    starts: list[RoundStart] = []
    for fact in facts:
        contract = fact.token if isinstance(fact, TokenTransfer) else fact.vault
        start = ledgers[contract].apply(fact)
        if start is not None:
            starts.append(start)
    for ledger in ledgers.values():
        ledger.close_transaction()
    return starts


def transfer_query(tokens: Sequence[Address], span: Span) -> LogQuery:
    """All that `read_transfers` asks."""
    return LogQuery(tuple(tokens), ((TRANSFER,),), span)


def read_transfers(ledgers: Mapping[Address, ShareLedger], span: Span) -> Conversation[list[TokenTransfer]]:
    """The Transfers of bridged shares on a chain without rounds, folded into `ledgers` (by token)."""
    if not span or not ledgers:
        return []
    logs = yield [transfer_query(tuple(ledgers), span)]
    decoded = [decode_transfer(log) for log in logs]
    transfers = [transfer for transfer in decoded if moves(transfer)]
    for transfer in transfers:
        ledgers[transfer.token].apply(transfer)
    return transfers
