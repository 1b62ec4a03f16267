"""The wire: JSON-RPC answers as typed structs, and from there the values we believe. No field is taken on trust."""

from typing import Any

import msgspec

from loyalty.core.checkpoint import Header
from loyalty.core.errors import Unavailable


class Malformed(Unavailable):
    """An answer that is not what was asked for; says what is wrong with it."""


class WireError(msgspec.Struct):
    """Vendors differ in what they put where, so nothing is required."""

    code: Any = None
    message: Any = None


class Answer(msgspec.Struct):
    """One answer. A missing result and a null one are alike; `result` waits to be decoded as what was asked for."""

    id: Any = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: WireError | None = None


class WireLog(msgspec.Struct, gc=False, rename="camel"):
    """One log of eth_getLogs. The fields of a pending one are null, and then it is malformed here."""

    address: str
    topics: list[str]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    block_timestamp: str | int | None = None
    removed: bool = False


class WireHeader(msgspec.Struct, rename="camel"):
    """A block as far as we look at it; its transactions are skipped."""

    number: str
    hash: str
    parent_hash: str
    timestamp: str


_answers = msgspec.json.Decoder(Answer | list[Answer])
_wire_logs = msgspec.json.Decoder(list[WireLog] | None)
_wire_header = msgspec.json.Decoder(WireHeader | None)
_from_hex = bytes.fromhex
_plain = msgspec.json.Decoder()


def decode_answer(body: bytes) -> Answer:
    """The one answer in a body; raises Malformed."""
    answer: Answer | list[Answer] = _decode(_answers, body)
    if isinstance(answer, list):
        raise Malformed("a list came where one answer was expected")
    return answer


def decode_answers(body: bytes) -> list[Answer]:
    """The answers of a batch, in the order in which they came. A server without batches answers one error."""
    answer = _decode(_answers, body)
    return answer if isinstance(answer, list) else [answer]


def decode_plain(result: msgspec.Raw) -> Any:
    return _decode(_plain, result)


def decode_octets(result: msgspec.Raw) -> bytes:
    """The bytes of a result such as "0x6080…"; raises Malformed."""
    text = decode_plain(result)
    if not isinstance(text, str):
        raise Malformed("bytes were expected in hexadecimal")
    return octets(text)


def decode_wire_logs(result: msgspec.Raw) -> list[WireLog]:
    """The logs, not yet looked at; a null is Malformed, for it is not an empty list."""
    logs: list[WireLog] | None = _decode(_wire_logs, result)
    if logs is None:
        raise Malformed("null came where a list of logs was expected")
    return logs


def decode_header(result: msgspec.Raw) -> Header | None:
    """The header of a block; None where the server has no such block."""
    wire = _decode(_wire_header, result)
    if wire is None:
        return None
    return Header(quantity(wire.number), block_hash(wire.hash), block_hash(wire.parent_hash), quantity(wire.timestamp))


def quantity(text: str) -> int:
    """The integer that a hexadecimal quantity such as 0x1f says; raises Malformed."""
    try:
        if text[:2] == "0x" and text[2:].isalnum():
            return int(text, 16)
    except ValueError:
        pass
    raise Malformed(f"{text[:40]!r} is not a quantity")


def block_hash(text: str) -> str:
    """The hash in lower case; raises Malformed."""
    return "0x" + word(text).hex()


def word(text: str) -> bytes:
    """The 32 bytes of a hash or topic; raises Malformed."""
    value = octets(text)
    if len(value) != 32:
        raise Malformed(f"{len(value)} bytes came where 32 were expected")
    return value


def octets(text: str) -> bytes:
    """The bytes behind 0x; raises Malformed. The length is compared because fromhex overlooks spaces."""
    try:
        value = _from_hex(text[2:])
    except ValueError:
        raise Malformed(f"{text[:40]!r} is not hexadecimal") from None
    if 2 * len(value) + 2 != len(text) or not text.startswith("0x"):
        raise Malformed(f"{text[:40]!r} is not hexadecimal")
    return value


def _decode(decoder: "msgspec.json.Decoder[Any]", body: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Malformed(f"an answer of another shape: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("an answer that is not JSON, or is cut short") from None
