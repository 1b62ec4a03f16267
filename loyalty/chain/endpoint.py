"""An endpoint: one place that answers for a chain, a server or a recording, and the ways in which it can fail."""

from collections.abc import Callable, Sequence
from typing import Protocol

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery

Observe = Callable[[str, str, float, str], None]
"""Called once a request with the endpoint's name, the method, its seconds and its outcome: ok, failed, limit."""


def observe_nothing(endpoint_name: str, method: str, seconds: float, outcome: str) -> None:
    """For who keeps no metrics."""


class EndpointFailed(Unavailable):
    """This endpoint did not answer, or answered what cannot be believed; another one, or it itself later, may.

    `reason` is told without the endpoint's name. `retry_after` is the seconds for which the endpoint asked to be left
    alone; None where it did not ask.
    """

    def __init__(self, name: str, reason: str, retry_after: float | None = None) -> None:
        super().__init__(f"{name}: {reason}")
        self.reason = reason
        self.retry_after = retry_after


class CannotAnswer(EndpointFailed):
    """This endpoint will not answer this question later either; for others it is as good as ever."""


class NoneCanAnswer(Unavailable):
    """All endpoints said that they cannot answer this question: patience does not help."""


class Reverted(Invalid):
    """The contract refused the call."""


class TimedOut(EndpointFailed):
    """No answer within the time that is allowed: the question may have been too big, or the endpoint is down."""


class SpanTooLarge(EndpointFailed):
    """The endpoint answers logs only over fewer blocks, or what it answered could have been cut at a limit."""


class Endpoint(Protocol):
    """What `Chain` asks of either kind. All methods raise EndpointFailed where the answer is not to be had here."""

    @property
    def name(self) -> str:
        """Chain and place in the list ("arbitrum endpoint 1"): an endpoint's URL holds its key and is never shown."""
        ...

    @property
    def first_blocks(self) -> int:
        """Over how many blocks logs are asked at first."""
        ...

    async def chain_id(self) -> int: ...

    async def head(self) -> Header: ...

    async def finalized(self) -> Header | None:
        """The newest block that cannot be reorged any more; None where the endpoint has no such tag."""
        ...

    async def header_at_or_after(self, number: int) -> Header:
        """A server: exactly that block. A recording: the first one recorded at or after it, its head at most."""
        ...

    async def header_at_or_before(self, number: int) -> Header:
        """A server: exactly that block. A recording: the last one recorded at or before it."""
        ...

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        """Of exactly these blocks, in this order."""
        ...

    async def logs(self, query: LogQuery) -> list[RawLog]:
        """All logs of the query, in order, without repetitions. `time` is 0 where the endpoint does not tell it.

        Raises SpanTooLarge where a limit is told or the answer could have been cut.
        """
        ...

    async def call(self, to: Address, payload: bytes, block: int | None) -> bytes:
        """What the contract answers at the end of a block, or at the head; raises Reverted where it refuses.

        CannotAnswer where the block's state is not kept any more.
        """
        ...

    async def code_at(self, address: Address, block: int | None) -> bytes:
        """The contract's code at a block, or at the head; CannotAnswer where the block's state is not kept any more."""
        ...

    async def close(self) -> None: ...
