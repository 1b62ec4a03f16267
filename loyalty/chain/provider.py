"""web3.py's HTTP provider, with the raw bytes handed over and the URL told to nobody."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
from web3 import AsyncHTTPProvider
from web3.types import RPCEndpoint, RPCResponse

from loyalty.chain.endpoint import EndpointFailed, Observe, Reverted, SpanTooLarge, TimedOut
from loyalty.chain.rpc_words import meaning
from loyalty.chain.scrubber import Scrubber
from loyalty.chain.wire import Malformed, WireError, decode_answer, decode_answers, decode_plain

_CONNECT_SECONDS = 10.0
_BUSY_STATUS = 429
_TOO_LARGE_STATUS = 413
_encode = msgspec.json.Encoder().encode


class RpcRefused(EndpointFailed):
    """The server answered an error of JSON-RPC that asks neither to wait nor for a smaller question."""

    def __init__(self, name: str, code: int, message: str) -> None:
        super().__init__(name, f"error {code}: {message}")
        self.rpc_code = code
        self.message = message


class RawProvider(AsyncHTTPProvider):
    """Posts JSON-RPC and gives raw answers, to us and to web3.py. Every failure is an error of loyalty.chain.endpoint.

    It keeps its connections, one pool per event loop, and neither logs nor shows its URL, as web3.py's own does.
    """

    def __init__(self, name: str, url: str, timeout_seconds: float, observe: Observe) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self._name = name
        self._url = url
        self._scrubber = Scrubber(url)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS)
        self._observe = observe
        self._ids = itertools.count(1)
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    def __str__(self) -> str:
        return self._name

    __repr__ = __str__

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """web3.py's way in: the same question, with the result as plain JSON."""
        result = await self.ask(method, params)
        return {"jsonrpc": "2.0", "id": 0, "result": self.decoded(decode_plain, result)}

    async def ask(self, method: str, params: Sequence[Any]) -> msgspec.Raw:
        """The undecoded result of one question; raises EndpointFailed, SpanTooLarge or Reverted."""
        number = next(self._ids)
        with self._observed(method):
            answer = self.decoded(decode_answer, await self._post(_encode(_question(number, method, params))))
            if answer.error is not None:
                raise self.refusal(answer.error)
            if answer.id != number:
                raise EndpointFailed(self._name, "it answered another question than was asked")
            result: msgspec.Raw = answer.result
            return result

    async def ask_batch(self, method: str, params: Sequence[Sequence[Any]]) -> list[msgspec.Raw]:
        """The undecoded results in the order of the questions; one that fails or is missing fails the batch."""
        numbers = [next(self._ids) for _ in params]
        body = _encode([_question(number, method, one) for number, one in zip(numbers, params, strict=True)])
        with self._observed(method):
            answers = self.decoded(decode_answers, await self._post(body))
            for answer in answers:
                if answer.error is not None:
                    raise self.refusal(answer.error)
            results = {answer.id: answer.result for answer in answers if isinstance(answer.id, int)}
            if missing := len(numbers) - len(results.keys() & set(numbers)):
                raise EndpointFailed(self._name, f"{missing} of {len(numbers)} answers of a batch are missing")
            return [results[number] for number in numbers]

    def decoded(self, decode: Any, encoded: Any) -> Any:
        """What `decode` makes of it; Malformed becomes a failure of this endpoint."""
        try:
            return decode(encoded)
        except Malformed as error:
            reason = self._scrubber.scrub(str(error))
        raise EndpointFailed(self._name, reason)

    def refusal(self, error: WireError) -> EndpointFailed | Reverted:
        """The error that a server's words mean."""
        code = error.code if isinstance(error.code, int) else 0
        message = self._scrubber.scrub(str(error.message or "no message"))
        match meaning(code, message):
            case "limit":
                return SpanTooLarge(self._name, f"a limit was met: {message}")
            case "reverted":
                return Reverted(f"{self._name}: the contract refused the call: {message}")
            case "busy":
                return EndpointFailed(self._name, f"it is busy: {message}")
            case _:
                return RpcRefused(self._name, code, message)

    async def disconnect(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    @contextmanager
    def _observed(self, method: str) -> Iterator[None]:
        started, outcome = time.perf_counter(), "failed"
        try:
            yield
            outcome = "ok"
        except SpanTooLarge:
            outcome = "limit"
            raise
        except Reverted:
            outcome = "ok"
            raise
        finally:
            self._observe(self._name, method, time.perf_counter() - started, outcome)

    async def _post(self, body: bytes) -> bytes:
        session = await self._session()
        failure: EndpointFailed
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as response:
                content = await response.read()
                if response.status == 200:
                    return content
                return self._refused(response, content)
        except TimeoutError:
            failure = TimedOut(self._name, f"no answer within {self._timeout.total} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = EndpointFailed(self._name, f"the connection failed ({type(error).__name__})")
        raise failure  # here and not in the except clause: the cause's text has the URL in it

    def _refused(self, response: aiohttp.ClientResponse, content: bytes) -> bytes:
        """The content, where it says in JSON-RPC what the status says by a number; else the failure is raised."""
        if response.status == _BUSY_STATUS:
            raise EndpointFailed(self._name, "it asks for fewer requests (HTTP 429)", _retry_after(response))
        if response.status == _TOO_LARGE_STATUS:
            raise SpanTooLarge(self._name, "the question or its answer is too large (HTTP 413)")
        if response.status < 500 and _has_error(content):
            return content
        reason = "refuses the key" if response.status in (401, 403) else "failed"
        raise EndpointFailed(self._name, f"it {reason} (HTTP {response.status})", _retry_after(response))

    async def _session(self) -> aiohttp.ClientSession:
        """The running loop's connections. Those of loops that have ended are dropped."""
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            for ended in [other for other in self._sessions if other.is_closed()]:
                await self._sessions.pop(ended).close()
            headers = {"Content-Type": "application/json", "User-Agent": "loyalty"}
            self._sessions[loop] = aiohttp.ClientSession(headers=headers, timeout=self._timeout)
        return self._sessions[loop]


def _question(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _has_error(content: bytes) -> bool:
    try:
        return any(answer.error is not None for answer in decode_answers(content))
    except Malformed:
        return False


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """The seconds of a Retry-After header; a date in it is counted from the server's own Date. None without."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(response.headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None
