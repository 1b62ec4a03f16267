"""Raw logs as `eth_getLogs` answers them, decoded to bytes once and believed."""

from typing import NamedTuple

from loyalty.core.address import Address


class RawLog(NamedTuple):
    """One log. `topics` are 32-byte words, `data` the ABI-encoded rest, `time` unix seconds of its block."""

    block: int
    log_index: int
    time: int
    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    transaction_hash: bytes
    block_hash: str
