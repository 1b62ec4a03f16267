"""The door: what every request passes. Sizes are limited, headers are set, times are measured, nothing leaks."""

import logging
import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loyalty import metrics
from loyalty.api.problems import problem, unexpected

BODY_BYTES_MOST = 64 * 1024
ASKED_BYTES_MOST = 4 * 1024
PREFIX = "/api/v1"
NO_ROUTE = "(none)"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
_log = logging.getLogger(__name__)


class Door:
    """ASGI, the outermost: measures by route template, and turns what nobody foresaw into a 500 without detail.

    HEAD is answered as GET, without the body: proxies look at health so.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        is_head = scope["method"] == "HEAD"
        inside: Scope = {**scope, "method": "GET"} if is_head else scope

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(inside, receive, sent)
        except Exception:
            _log.exception("request failed path=%s kind=unexpected", scope["path"])
            if status:
                raise  # half an answer is out: the connection must break
            await unexpected(scope["path"])(scope, receive, sent)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            metrics.observe_request(route_of(inside), method, status or 500, time.perf_counter() - began)


def route_of(scope: Scope) -> str:
    """The route's template, such as /api/v1/epochs/{number}: never what a client wrote."""
    path = getattr(scope.get("route"), "path", None)
    if not isinstance(path, str):
        return NO_ROUTE
    inside = scope["path"].startswith(f"{PREFIX}/") and not path.startswith(PREFIX)
    return PREFIX + path if inside else path  # a router's own routes do not know where it was hung


class SizeLimit:
    """ASGI: a path, a query or a body that is larger than any of ours is refused before it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["path"]) + len(scope["query_string"]) > ASKED_BYTES_MOST:
            detail = f"path and query are longer than {ASKED_BYTES_MOST} bytes"
            await problem(HTTPStatus.REQUEST_URI_TOO_LONG, detail, scope["path"][:100])(scope, receive, send)
            return
        try:
            body = await _body(Headers(scope=scope), receive)
        except ClientDisconnect:
            return
        if body is None:
            detail = f"the body is larger than {BODY_BYTES_MOST} bytes"
            await problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, scope["path"])(scope, receive, send)
            return
        await self._app(scope, _Replayed(body, receive), send)


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The body, all of it; None where it is too large, whether it says so or not. Raises ClientDisconnect."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_BYTES_MOST:
        return None
    if length == "0" and "transfer-encoding" not in headers:
        return b""
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect  # what came of the body is not the body
        parts += message.get("body", b"")
        if len(parts) > BODY_BYTES_MOST:
            return None
        if not message.get("more_body", False):
            return bytes(parts)


class _Replayed:
    """`receive` with the body that was read already; afterwards the client's own messages."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
