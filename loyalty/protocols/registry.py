"""The protocols whose pools can be indexed, by the name that a program file uses."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from loyalty.core.address import Address
from loyalty.core.facts import Swap
from loyalty.core.queries import Conversation, LogQuery
from loyalty.core.spans import Span
from loyalty.protocols.uniswap_v3 import adapter as uniswap_v3
from loyalty.protocols.uniswap_v3.adapter import SpanFacts
from loyalty.protocols.uniswap_v3.ledger import Ledger


class Adapter(Protocol):
    """How a protocol's logs become facts: a module with these functions (their meaning: uniswap_v3/adapter.py)."""

    def first_query(self, pools: Sequence[Address], span: Span, with_swaps: bool) -> LogQuery: ...

    def read_span(
        self,
        pools: Sequence[Address],
        managers: Mapping[Address, int],
        ledger: Ledger,
        span: Span,
        *,
        with_swaps: bool,
    ) -> Conversation[SpanFacts]: ...

    def read_last_price(self, pool: Address, before_block: int, start_block: int) -> Conversation[Swap | None]: ...


PROTOCOLS: Final[Mapping[str, Adapter]] = {"uniswap_v3": uniswap_v3}
