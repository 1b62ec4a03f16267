"""No key, password or endpoint URL shows in a log, an error, an answer, a recording or what a command prints."""

import asyncio
import base64
import json
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from loyalty.api import create_app
from loyalty.chain.http_endpoint import HttpEndpoint
from loyalty.config import load_settings
from loyalty.core.address import parse_address
from loyalty.core.errors import LoyaltyError
from loyalty.state import open_state
from tests.api.client import Client
from tests.processes import environment, running, told, wait_until

USER, PASSWORD, PATH, QUERY = "s1-userOF9f8e7d", "s2-p@ss/W0rd9c8b", "s3-pathKEY7a6b5c", "s4-queryKEY4d3e2f"
ADMIN, COINGECKO, DATABASE = "s5-adminKEY1a2b3c", "s6-coingeckoKEY5c4d", "s7-databasePASS6e5f"
SECRETS = (USER, PASSWORD, PATH, QUERY, ADMIN, COINGECKO, DATABASE)
POOL = "0x2222222222222222222222222222222222222222"
SENT = (*SECRETS, f"{USER}:{PASSWORD}")
FORMS = {form for each in SENT for form in (each, quote(each, safe=""), base64.b64encode(each.encode()).decode())}


def endpoint(port: int, scheme: str = "http") -> str:
    return f"{scheme}://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/v2/{PATH}?key={QUERY}"


def leaks(text: str) -> list[str]:
    """The secrets that show in a text, in whichever case or encoding."""
    return [form for form in FORMS if form.lower() in text.lower()]


class _Talkative(BaseHTTPRequestHandler):
    """A server that repeats, in each kind of failure in turn, everything it was sent."""

    protocol_version = "HTTP/1.1"
    turn = 0

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        number = json.loads(question)["id"] if question.startswith("{") else 0
        said = f"no such route http://{self.headers['Host']}{self.path} {self.headers['Authorization']} {PASSWORD}"
        error = {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": said, "data": said}}
        replies = [
            (200, json.dumps(error)),
            (500, said),
            (401, json.dumps(error)),
            (503, said),
            (429, said),
            (302, said),
            (200, said),
            (200, json.dumps({"jsonrpc": "2.0", "id": number, "result": said})),
            (200, json.dumps([error])),
        ]
        status, body = replies[type(self).turn % len(replies)]
        type(self).turn += 1
        self.send_response(status, said)
        self.send_header("Location", f"http://127.0.0.1:1{self.path}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@pytest.fixture
def talkative() -> Iterator[int]:
    """The port of a server that tells everything it knows."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Talkative) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def secret_environment(rpc: str, log_format: str = "text") -> dict[str, str]:
    return {
        "LOYALTY_RPC_DEMO": rpc,
        "LOYALTY_LOG_LEVEL": "debug",
        "LOYALTY_LOG_FORMAT": log_format,
        "LOYALTY_ADMIN_KEY": ADMIN,
        "LOYALTY_COINGECKO_KEY": COINGECKO,
        "PYTHONASYNCIODEBUG": "1",
    }


def run(folder: Path, *arguments: str, **changes: str) -> str:
    """Everything that a command says, however it ends."""
    own = environment(folder, **changes)
    done = subprocess.run(
        [sys.executable, "-m", "loyalty", *arguments], cwd=folder, env=own, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def test_no_failure_of_an_endpoint_tells_a_secret(talkative: int) -> None:
    async def asked() -> list[LoyaltyError]:
        told = HttpEndpoint("demo endpoint 1", endpoint(talkative), timeout_seconds=5)
        failures = []
        for turn in range(32):
            asking = (
                told.head(),
                told.headers([turn, turn + 1]),
                told.chain_id(),
                told.code_at(parse_address(POOL), 1),
            )
            for ask in asking:
                try:
                    await ask
                except LoyaltyError as failure:
                    failures.append(failure)
        await told.close()
        return failures

    failures = asyncio.run(asked())
    assert len({str(failure) for failure in failures}) >= 8
    assert leaks("".join(line for failure in failures for line in traceback.format_exception(failure))) == []


def test_a_worker_without_an_endpoint_waits_for_one_and_tells_no_secret(tmp_path: Path, talkative: int) -> None:
    rpc = ",".join([endpoint(talkative), endpoint(1), endpoint(talkative, "https")])
    with running(tmp_path, "worker", **secret_environment(rpc, "json")) as worker:
        wait_until(lambda: "worker waits" in told(tmp_path), worker, tmp_path)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    text = told(tmp_path)
    assert leaks(text) == []
    assert "traceback" not in text.lower(), text


@pytest.mark.parametrize("arguments", [("config",), ("index", "--until", "head")])
def test_no_command_prints_a_secret(tmp_path: Path, talkative: int, arguments: tuple[str, ...]) -> None:
    said = run(tmp_path, *arguments, **secret_environment(endpoint(talkative)))
    assert said
    assert leaks(said) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"LOYALTY_RPC_DEMO": f"wss://{USER}:{QUERY}@host/{PATH}"},
        {"LOYALTY_RPC_DEMO": f"{USER}:{QUERY}@host/{PATH}"},
        {"LOYALTY_RPC_DEMO": f"http://host:{QUERY}/{PATH}"},
        {"LOYALTY_RPC_DEMO": f"https://host/{PATH} {QUERY}"},
        {"LOYALTY_RPC_DEMO": f"file://{PATH}/{QUERY}"},
        {"LOYALTY_ADMIN_KEY": f"{ADMIN} é"},
        {"LOYALTY_COINGECKO_KEY": f"{COINGECKO} two"},
        {"LOYALTY_DATABASE": f"mysql://{USER}:{DATABASE}@host/name"},
        {"LOYALTY_DATABASE": f"postgresql://{USER}:{DATABASE}@host:port/name"},
        {"LOYALTY_DATABASE": f"postgresql://{USER}:{DATABASE}@127.0.0.1:1/name"},
        {"LOYALTY_DATABASE": f"postgresql://{USER}@127.0.0.1:1/name?password={DATABASE}"},
    ],
)
def test_a_wrong_setting_is_told_without_its_secret(tmp_path: Path, wrong: dict[str, str]) -> None:
    own = {name: value for name, value in environment(tmp_path, **wrong).items() if name.startswith("LOYALTY_")}
    with pytest.raises(LoyaltyError) as refused:
        open_state(load_settings(own, dotenv=None).database)
    assert leaks("".join(traceback.format_exception(refused.value))) == []


def test_the_api_tells_no_secret_whatever_is_asked(tmp_path: Path) -> None:
    changes = secret_environment(endpoint(1)) | {
        "LOYALTY_DATABASE": f"postgresql://{USER}:{DATABASE}@127.0.0.1:1/name",
    }
    own = {name: value for name, value in environment(tmp_path, **changes).items() if name.startswith("LOYALTY_")}
    with Client(create_app(load_settings(own, dotenv=None))) as client:
        for path in ("/readyz", "/healthz", "/metrics", "/docs", "/openapi.json", "/api/v1/program", "/api/v1/status"):
            answer = client.get(path, headers={"X-Admin-Key": ADMIN})
            assert leaks(answer.text + str(answer.headers)) == []
        answer = client.ask("POST", "/api/v1/admin/commands", json={"kind": ADMIN}, headers={"X-Admin-Key": ADMIN})
        assert leaks(answer.text) == []
