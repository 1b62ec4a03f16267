"""The contract ABI as logs use it: topics and data are rows of 32-byte words, integers big-endian, signed ones in
two's complement over the whole word (Solidity's ABI specification, "Formal Specification of the Encoding").

Readers raise Inconsistent for a word that its type cannot hold; `where` is the text that names the log.
"""

from loyalty.core.address import Address, address_of_word
from loyalty.core.errors import Inconsistent
from loyalty.core.logs import RawLog

WORD = 32
_ADDRESS_PADDING = bytes(12)


def words(log: RawLog, event: str, topics: int, data_words: int) -> list[bytes]:
    """The words of a log's data. A log with other than `topics` topics or `data_words` words is Inconsistent."""
    if (
        len(log.topics) != topics
        or len(log.data) != data_words * WORD
        or any(len(topic) != WORD for topic in log.topics)
    ):
        raise malformed(log, event, f"{len(log.topics)} topics and {len(log.data)} bytes of data")
    return [log.data[start : start + WORD] for start in range(0, len(log.data), WORD)]


def unsigned(word: bytes, bits: int, where: str) -> int:
    """The integer of a `uint<bits>`."""
    value = int.from_bytes(word)
    if value >> bits:
        raise Inconsistent(f"{where}: {value} does not fit uint{bits}")
    return value


def signed(word: bytes, bits: int, where: str) -> int:
    """The integer of an `int<bits>`."""
    value = int.from_bytes(word, signed=True)
    if not -1 << (bits - 1) <= value < 1 << (bits - 1):
        raise Inconsistent(f"{where}: {value} does not fit int{bits}")
    return value


def address(word: bytes, where: str) -> Address:
    """The address of an `address` word, whose upper twelve bytes are zero."""
    if not word.startswith(_ADDRESS_PADDING):
        raise Inconsistent(f"{where}: 0x{word.hex()} is not an address")
    return address_of_word(word)


def unsigned_word(value: int) -> bytes:
    """`value` as a word: what a topic list of `eth_getLogs` holds for an indexed `uint256`."""
    return value.to_bytes(WORD)


def place(log: RawLog, event: str) -> str:
    """How an error names a log: its event, contract, block and index."""
    return f"{event} of {log.address}, block {log.block}, log {log.log_index}"


def malformed(log: RawLog, event: str, found: str) -> Inconsistent:
    """The error for a log whose shape is not the event's."""
    return Inconsistent(
        f"{place(log, event)}: {found}, which is not the event's shape. The address is not of this protocol, "
        "or the endpoint's answer is damaged: check the address, or ask another endpoint"
    )
