"""Answers are kept until something is committed, and told by their ETag: who has one already gets 304."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loyalty.core.errors import LoyaltyError

KEPT_MOST = 512
KEPT_BYTES_MOST = 256 * 1024
Version = tuple[int, int]
Key = tuple[str, bytes]


class Kept(NamedTuple):
    """A whole answer. The ETag is weak, for gzip changes the bytes; it hashes the answer, so that every process of
    the API gives the same."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    etag: bytes
    route: object


def etag_of(body: bytes) -> str:
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def has_it(headers: Headers, etag: str) -> bool:
    """Whether the client's If-None-Match names this answer."""
    named = [part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(",")]
    return "*" in named or etag.removeprefix("W/") in named


class AnswerCache:
    """ASGI: what a GET under `prefix` answered, for one version of the database. Errors are never kept."""

    def __init__(self, app: ASGIApp, version: Callable[[], Version], prefix: str, apart: tuple[str, ...]) -> None:
        self._app = app
        self._version = version
        self._prefix = prefix
        self._apart = apart
        self._kept: dict[Key, Kept] = {}
        self._kept_version: Version | None = None
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not self._may_keep(scope["path"]):
            await self._app(scope, receive, send)
            return
        version = await run_in_threadpool(self._now)  # asked before the answer is read: it can be older, never newer
        if version is None:
            await self._app(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"])
        async with self._asking(key):  # many wait for the same answer after a commit: one computes it
            kept = self._look(version, key) or await self._ask(scope, receive, send)
            if kept is None:
                return
            self._keep(version, key, kept)
        scope["route"] = kept.route  # for the metrics, which count by route
        await _answer(kept, Headers(scope=scope), send)

    def _asking(self, key: Key) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def _may_keep(self, path: str) -> bool:
        return path.startswith(self._prefix) and not path.startswith(self._apart)

    def _now(self) -> Version | None:
        try:
            return self._version()
        except LoyaltyError:
            return None  # the answer itself will say what is wrong

    def _look(self, version: Version, key: Key) -> Kept | None:
        if version != self._kept_version:
            self._kept.clear()
            self._kept_version = version
        return self._kept.get(key)

    def _keep(self, version: Version, key: Key, kept: Kept) -> None:
        if version == self._kept_version and len(kept.body) <= KEPT_BYTES_MOST:
            if len(self._kept) >= KEPT_MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = kept

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> Kept | None:
        """The application's answer, whole; None where it is no 200 and was passed on as it came."""
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                if message["status"] == 200:
                    return
            if start["status"] != 200:
                await send(message)
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        if start.get("status") != 200:
            return None
        body = b"".join(parts)
        headers = tuple((name, value) for name, value in start["headers"] if name.lower() != b"content-length")
        return Kept(headers, body, etag_of(body).encode(), scope.get("route"))


async def _answer(kept: Kept, asked: Headers, send: Send) -> None:
    own = [(b"etag", kept.etag), (b"cache-control", b"no-cache")]
    if has_it(asked, kept.etag.decode()):
        await send({"type": "http.response.start", "status": 304, "headers": own})
        await send({"type": "http.response.body", "body": b""})
        return
    length = [(b"content-length", str(len(kept.body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": [*kept.headers, *own, *length]})
    await send({"type": "http.response.body", "body": kept.body})
