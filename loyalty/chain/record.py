"""Recording: what was read of a chain is written down, so that it can be read again without one."""

import gzip
import hashlib
import io
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from loyalty.chain.recording_format import BlockLine, EndLine, EndOf, LoggedLine, RecordingFacts
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid
from loyalty.core.logs import RawLog
from loyalty.core.queries import Conversation, Result

_encode = msgspec.json.Encoder().encode
_COMPRESSION = 9


class RecordingWriter:
    """Writes a recording beside its place and moves it there when it is whole: a reader never sees half a one.

    The same blocks give the same bytes, whenever and wherever they are written. As a context manager it closes on
    success and leaves nothing behind on failure.
    """

    def __init__(self, path: Path, facts: RecordingFacts) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._file = self._partial.open("wb")
        self._zip = gzip.GzipFile("", "wb", _COMPRESSION, self._file, mtime=0)
        self._digest = hashlib.sha256()
        self._last: Header | None = None
        self._blocks = self._logs = 0
        self._write(_encode(facts.first_line()))

    @classmethod
    def open(cls, path: Path, facts: RecordingFacts) -> "RecordingWriter":
        """Begins the recording that `close` will put at `path`."""
        return cls(path, facts)

    def add_block(self, header: Header, logs: Sequence[RawLog] = ()) -> None:
        """The next block with its logs, in the order of their index. Raises Invalid for a block that is not later."""
        if self._last is not None and (header.number <= self._last.number or header.time < self._last.time):
            raise Invalid(f"block {header.number} cannot be recorded after block {self._last.number}: it is not later")
        lines = [_logged(header, log) for log in logs]
        if any(line.log_index <= before.log_index for before, line in pairwise(lines)):
            raise Invalid(f"the logs of block {header.number} are not in the order of their index")
        self._write(
            _encode(BlockLine(header.number, header.hash, header.parent_hash or None, header.time, tuple(lines)))
        )
        self._last = header
        self._blocks += 1
        self._logs += len(lines)

    def close(self) -> None:
        """The recording is whole: it is put in its place."""
        self._zip.write(_encode(EndLine(EndOf(self._blocks, self._logs, self._digest.hexdigest()))) + b"\n")
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self._path)
        _sync_folder(self._path.parent)

    def abandon(self) -> None:
        """Nothing is kept."""
        self._zip.fileobj = io.BytesIO()  # so that closing it writes nothing more to the file
        self._zip.close()
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _write(self, line: bytes) -> None:
        self._digest.update(line + b"\n")
        self._zip.write(line + b"\n")


def overheard(conversation: Conversation[Result], heard: list[RawLog]) -> Conversation[Result]:
    """The same conversation, with every log that it is sent kept in `heard` too (repetitions included)."""
    try:
        queries = next(conversation)
        while True:
            logs = yield queries
            heard.extend(logs)
            queries = conversation.send(logs)
    except StopIteration as stop:
        result: Result = stop.value
        return result


def _logged(header: Header, log: RawLog) -> LoggedLine:
    if (log.block, log.block_hash) != (header.number, header.hash):
        raise Invalid(f"a log of block {log.block} ({log.block_hash}) is not of block {header.number} ({header.hash})")
    topics = tuple("0x" + topic.hex() for topic in log.topics)
    return LoggedLine(log.log_index, log.address, topics, "0x" + log.data.hex(), "0x" + log.transaction_hash.hex())


def _sync_folder(folder: Path) -> None:
    """A rename lasts through a power failure only once its folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
