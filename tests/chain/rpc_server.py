"""A real HTTP server on loopback that answers JSON-RPC for made-up chains, and misbehaves on command."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from loyalty.core.checkpoint import Header
from tests.chain.world import World, told_header, told_log

KEY = "k3y-0f-the-0perator-9f8e7d"


class Reply(NamedTuple):
    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class RpcError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


Fault = Callable[["Site", list[dict[str, Any]], Reply], Reply]
"""Makes of the honest reply to these questions what is sent instead."""


@dataclass
class Site:
    """One endpoint: a chain, what it is willing to answer, and the faults of its next replies (None: an honest one)."""

    world: World
    chain_id: int = 42161
    finalized: int | None = None
    contracts: dict[str, int] = field(default_factory=dict)
    states_from: int = 0
    with_times: bool = True
    most_blocks: int | None = None
    most_logs: int | None = None
    cuts_at: int | None = None
    most_batch: int | None = None
    limit_error: tuple[int, str] = (-32005, "query returned more than 10000 results")
    faults: deque[Fault | None] = field(default_factory=deque)
    always: Fault | None = None
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def reply(self, body: bytes) -> Reply:
        question = json.loads(body)
        questions = question if isinstance(question, list) else [question]
        self.asked += [(one["method"], one["params"]) for one in questions]
        honest = Reply(json.dumps(self._answer(question)).encode())
        fault = self.faults.popleft() if self.faults else self.always
        return fault(self, questions, honest) if fault else honest

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.asked)

    def _answer(self, question: Any) -> Any:
        if not isinstance(question, list):
            return self._one(question)
        if self.most_batch is not None and len(question) > self.most_batch:
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "batch limit exceeded"}}
        return [self._one(one) for one in question]

    def _one(self, question: dict[str, Any]) -> dict[str, Any]:
        told = {"jsonrpc": "2.0", "id": question["id"]}
        try:
            return {**told, "result": getattr(self, question["method"])(*question["params"])}
        except RpcError as error:
            return {**told, "error": {"code": error.code, "message": error.message}}

    def eth_chainId(self) -> str:
        return hex(self.chain_id)

    def eth_getBlockByNumber(self, tag: str, _: bool) -> dict[str, Any] | None:
        if tag == "latest":
            return told_header(self.world.head)
        if tag == "finalized":
            if self.finalized is None:
                raise RpcError(-32602, "invalid argument 0: hex string without 0x prefix")
            return told_header(self._header(self.finalized))
        number = int(tag, 16)
        return told_header(self._header(number)) if number <= self.world.head.number else None

    def eth_getLogs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        if self.most_blocks is not None and last - first + 1 > self.most_blocks:
            raise RpcError(*self.limit_error)
        found = [
            told_log(log, self.with_times)
            for log in self.world.logs
            if first <= log.block <= last and self._wanted(log.address, log.topics, wanted)
        ]
        if self.most_logs is not None and len(found) > self.most_logs and first != last:
            raise RpcError(*self.limit_error)
        return found if self.cuts_at is None or first == last else found[: self.cuts_at]

    def eth_call(self, call: dict[str, str], tag: str) -> str:
        self._keeps(tag)
        if call["data"] == "0xdead":
            raise RpcError(3, "execution reverted: no")
        return "0x" + call["to"][2:].lower() + call["data"][2:]

    def eth_getCode(self, address: str, tag: str) -> str:
        self._keeps(tag)
        created = self.contracts.get(address)
        return "0x6001" if created is not None and (tag == "latest" or int(tag, 16) >= created) else "0x"

    def _keeps(self, tag: str) -> None:
        if tag != "latest" and int(tag, 16) > self.world.head.number:
            raise RpcError(-32000, "header not found")
        if tag != "latest" and int(tag, 16) < self.states_from:
            raise RpcError(-32000, "missing trie node 1234 (path ) state is not available")

    def _header(self, number: int) -> Header:
        return self.world.headers[number]

    @staticmethod
    def _wanted(address: str, topics: tuple[bytes, ...], wanted: dict[str, Any]) -> bool:
        if address not in wanted["address"]:
            return False
        told = ["0x" + topic.hex() for topic in topics]
        return all(
            place < len(told) and (words is None or told[place] in words)
            for place, words in enumerate(wanted.get("topics", []))
        )


class RpcServer:
    """Serves any number of sites, each under a path with the operator's key in it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.sites: dict[str, Site] = {}

    def add(self, site: Site) -> Site:
        path = f"/v2/{KEY}/{len(self.sites)}"
        site.url = f"{self._url}{path}?token={KEY}"
        self.sites[path] = site
        return site


@contextmanager
def serve() -> Iterator[RpcServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    rpc = RpcServer(f"http://127.0.0.1:{server.server_address[1]}")
    server.sites = rpc.sites  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield rpc
    finally:
        for site in rpc.sites.values():
            site.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionResetError:
            self.close_connection = True  # the client closed while we waited for its next question

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        site: Site = self.server.sites[self.path.partition("?")[0]]  # type: ignore[attr-defined]
        reply = site.reply(body)
        try:
            self.send_response_only(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, as it should after a hang

    def log_message(self, *_: object) -> None:
        """Says nothing."""
