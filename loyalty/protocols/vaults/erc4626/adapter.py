"""The conversation about ERC-4626 vaults: one question a span, all Transfers of shares, and events to check by."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.facts import AssetExchange, TokenTransfer
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.erc20 import TRANSFER, ShareLedger, decode_transfer, moves
from loyalty.protocols.vaults.decoding import decode_log
from loyalty.protocols.vaults.erc4626 import topics
from loyalty.protocols.vaults.erc4626.events import decode_deposit, decode_withdraw

_EVENTS: Mapping[bytes, Callable[[RawLog], TokenTransfer | AssetExchange]] = {
    TRANSFER: decode_transfer,
    topics.DEPOSIT: decode_deposit,
    topics.WITHDRAW: decode_withdraw,
}


class SpanFacts(NamedTuple):
    """The facts of a span, each list in (block, log index) order."""

    transfers: list[TokenTransfer]
    exchanges: list[AssetExchange]
    logs_read: int


def first_query(vaults: Sequence[Address], span: Span) -> LogQuery:
    """All that `read_span` asks; it hangs on nothing, so it can be asked for later spans in advance."""
    return LogQuery(tuple(vaults), (tuple(_EVENTS),), span)


def read_span(ledgers: Mapping[Address, ShareLedger], span: Span) -> Conversation[SpanFacts]:
    """The facts of the vaults over the blocks of `span`; their Transfers are folded into `ledgers` (by vault).

    Each ledger stands at span.start; when this raises they are of no further use.
    """
    if not span or not ledgers:
        return SpanFacts([], [], 0)
    logs = yield [first_query(tuple(ledgers), span)]
    facts = [decode_log(_EVENTS, log) for log in logs]
    transfers = [fact for fact in facts if isinstance(fact, TokenTransfer) and moves(fact)]
    for transfer in transfers:
        ledgers[transfer.token].apply(transfer)
    return SpanFacts(transfers, [fact for fact in facts if isinstance(fact, AssetExchange)], len(logs))
