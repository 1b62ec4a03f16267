"""Recording files: read whole, checked to the last byte, and kept as compact lines."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from loyalty.chain.recording_format import VERSION, BlockLine, EndLine, RecordingFacts, Version
from loyalty.chain.wire import Malformed, block_hash, octets, word
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid
from loyalty.core.logs import RawLog

_END_PREFIX = b'{"end"'
_ADDRESS_LENGTH = 42
_facts = msgspec.json.Decoder(RecordingFacts)
_version = msgspec.json.Decoder(Version)
_block = msgspec.json.Decoder(BlockLine)
_end = msgspec.json.Decoder(EndLine)


class RecordedBlocks:
    """The blocks of a recording in ascending order: a header each, and its line of logs, decoded when asked for."""

    def __init__(self) -> None:
        self.headers: list[Header] = []
        self._lines: list[bytes] = []
        self.logs = 0

    def add(self, line: bytes) -> None:
        """The next block; raises Malformed or msgspec's errors where it is not one, or not the next."""
        block = _block.decode(line)
        parent = "" if block.p is None else block_hash(block.p)
        header = Header(block.n, block_hash(block.h), parent, block.t)
        self._check_next(header)
        _check_logs(block)
        self.headers.append(header)
        self._lines.append(line if block.l else b"")
        self.logs += len(block.l)

    def logs_of(self, place: int) -> Iterator[RawLog]:
        """The logs of the block at this place in the list."""
        line = self._lines[place]
        if not line:
            return
        header = self.headers[place]
        for log in _block.decode(line).l:
            topics = tuple([bytes.fromhex(topic[2:]) for topic in log.topics])
            yield RawLog(
                header.number,
                log.log_index,
                header.time,
                Address(log.address),
                topics,
                bytes.fromhex(log.data[2:]),
                bytes.fromhex(log.transaction_hash[2:]),
                header.hash,
            )

    def _check_next(self, header: Header) -> None:
        if header.number < 0 or header.time < 0:
            raise Malformed("a block with a negative number or time")
        if not self.headers:
            return
        before = self.headers[-1]
        if header.number <= before.number or header.time < before.time:
            raise Malformed(f"block {header.number} follows block {before.number} but is not later")
        if header.number == before.number + 1 and header.parent_hash not in ("", before.hash):
            raise Malformed(f"block {header.number} is no child of block {before.number}")


def read_recording(path: Path) -> tuple[RecordingFacts, RecordedBlocks]:
    """The recording in a file; raises Invalid that says what is wrong with it."""
    lines = _lines(path)
    facts = _read_facts(path, lines[0])
    if not lines[-1].startswith(_END_PREFIX):
        raise _cut_short(path, "its last line is missing")
    blocks = RecordedBlocks()
    for number, line in enumerate(lines[1:-1], 2):
        try:
            blocks.add(line)
        except (msgspec.MsgspecError, Malformed, UnicodeDecodeError) as error:
            raise _damaged(path, f"line {number}: {error}") from None
    _check_end(path, lines, blocks)
    return facts, blocks


def _lines(path: Path) -> list[bytes]:
    """The lines without their line feeds, at least one."""
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise Invalid(f"the recording {path} does not exist: check the path (from the program file on)") from None
    except EOFError:
        raise _cut_short(path, "the file ends in the middle") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, f"it cannot be unpacked ({error})") from None
    except OSError as error:
        raise Invalid(f"the recording {path} cannot be read: {error.strerror or type(error).__name__}") from None
    if not content.endswith(b"\n"):
        raise _cut_short(path, "its last line is not complete")
    return content[:-1].split(b"\n")


def _read_facts(path: Path, line: bytes) -> RecordingFacts:
    try:
        version = _version.decode(line).loyalty_recording
        facts = _facts.decode(line) if version == VERSION else None
        _check_calls(facts)
    except (msgspec.MsgspecError, Malformed, UnicodeDecodeError) as error:
        raise _damaged(path, f"line 1: {error}") from None
    if facts is None:
        raise Invalid(
            f"the recording {path} has the format version {version}, but only version {VERSION} is known here: "
            "record it again, or use the version of loyalty that made it"
        )
    return facts


def _check_end(path: Path, lines: list[bytes], blocks: RecordedBlocks) -> None:
    try:
        end = _end.decode(lines[-1]).end
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(path, f"last line: {error}") from None
    if (end.blocks, end.logs) != (len(blocks.headers), blocks.logs):
        raise _cut_short(
            path, f"{len(blocks.headers)} blocks and {blocks.logs} logs of {end.blocks} and {end.logs} are there"
        )
    digest = hashlib.sha256()
    for line in lines[:-1]:
        digest.update(line + b"\n")
    if digest.hexdigest() != end.sha256:
        raise _damaged(path, "its checksum is wrong")
    if not blocks.headers:
        raise Invalid(f"the recording {path} holds no block: record it again over a longer span")


def _check_logs(block: BlockLine) -> None:
    """Raises Malformed where a log could not be decoded later, or the order is not that of the indices."""
    index = -1
    for log in block.l:
        if log.log_index <= index:
            raise Malformed(f"log {log.log_index} of block {block.n} is out of order")
        index = log.log_index
        _check_address(log.address)
        for topic in log.topics:
            word(topic)
        word(log.transaction_hash)
        octets(log.data)


def _check_calls(facts: RecordingFacts | None) -> None:
    """Raises Malformed where a call or a contract could not be looked up later."""
    for call in facts.calls if facts else ():
        _check_address(call.to)
        octets(call.payload)
        octets(call.answer or "0x")
    for address in (facts.contracts if facts else None) or ():
        _check_address(address)


def _check_address(text: Any) -> None:
    if len(text) != _ADDRESS_LENGTH or text != text.lower():
        raise Malformed(f"{text!r} is not an address in lower case")
    octets(text)


def _cut_short(path: Path, reason: str) -> Invalid:
    return Invalid(f"the recording {path} is cut short: {reason}. Copy or record it again")


def _damaged(path: Path, reason: str) -> Invalid:
    return Invalid(f"the recording {path} is damaged: {reason}. Copy or record it again")
