"""A log of a vault, read by whichever decoder its topic calls for."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from loyalty.core.errors import Inconsistent
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import place

Decoded = TypeVar("Decoded")


def decode_log(events: Mapping[bytes, Callable[[RawLog], Decoded]], log: RawLog) -> Decoded:
    """What `log` says. `events` has a decoder for each topic that was asked for; any other is Inconsistent."""
    decode = events.get(log.topics[0]) if log.topics else None
    if decode is None:
        raise Inconsistent(
            f"{place(log, 'A log')}: it was not asked for. The endpoint does not filter logs as it should: use another "
            "one"
        )
    return decode(log)
