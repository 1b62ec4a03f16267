"""Requests that were made to break: every answer is a documented status, and nothing internal shows in it."""

import asyncio
import base64
import json
import random
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx
import pytest

from loyalty.api import create_app
from loyalty.config import Settings
from tests.api.client import Client
from tests.reports.small_program import BOB, NOW, POOL

COMMANDS = "/api/v1/admin/commands"
DOCUMENTED = {200, 202, 304, 401, 403, 404, 405, 409, 413, 414, 422}
INTERNAL = ("Traceback", "sqlite", "SELECT", ".py", "loyalty.db", "an-admin-key")
DIGITS = "9" * 5_000
ODD = [
    *("", "0", "-1", "1", "4", "100001", str(2**63), "9" * 90, "1.0", "1e3", "NaN", "Infinity", "null", "true"),
    *("[]", "{}", "'", '"', "%", "\x00", "\n", "\r\nX: y", "é", "漢字", "🙈", "٣", "²", "0x", "0x" + "g" * 40),
    *(BOB, BOB.upper(), f" {BOB}", POOL, "..", ".", "a" * 3_000, "2026-04-21", "0001-01-01", "9999-12-31", "2026-02-3"),
    *("-weight", "+usd", "--usd", "Tier 1", "ARB", "small", "-1", "+1", "0x1", "1_0", "';DROP TABLE rewards--"),
]
LISTS = ("epochs", "epochs/2/rewards", "providers", f"providers/{BOB}/daily", f"providers/{BOB}/rewards", "pools")
PARTS = ("limit", "after", "sort", "tier", "token", "epoch", "from", "to", "made_up")


def token(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def post(client: Client, admin: dict[str, str], body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.ask("POST", COMMANDS, content=content, headers={**admin, "Content-Type": "application/json"})


def harmless(answer: httpx.Response, asked: str) -> None:
    assert answer.status_code in DOCUMENTED, (asked, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", asked
        told = answer.json()["detail"].replace(asked, "")
        assert not [word for word in INTERNAL if word in told], (asked, told)


def hostile_paths(draw: random.Random) -> Iterator[str]:
    def odd() -> str:
        return quote(draw.choice(ODD), safe="")

    paths: list[Callable[[], str]] = [
        *(lambda name=name: name for name in LISTS),
        lambda: f"epochs/{odd()}",
        lambda: f"epochs/{odd()}/rewards",
        lambda: f"providers/{odd()}",
        lambda: f"providers/{odd()}/{draw.choice(('daily', 'rewards', 'positions', 'explain', odd()))}",
        lambda: f"pools/{odd()}/{draw.choice((POOL, odd()))}",
        lambda: odd(),
    ]
    while True:
        asked = "&".join(f"{draw.choice(PARTS)}={odd()}" for _ in range(draw.randrange(4)))
        yield f"/api/v1/{draw.choice(paths)()}" + (f"?{asked}" if asked else "")


def test_no_odd_path_or_parameter_is_an_error_of_ours(client: Client) -> None:
    draw = random.Random(7)
    statuses = set()
    for _, path in zip(range(600), hostile_paths(draw), strict=False):
        method = draw.choice(("GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "ODD"))
        answer = client.ask(method, path)
        statuses.add(answer.status_code)
        if method != "HEAD":
            harmless(answer, path)
        else:
            assert (answer.status_code in DOCUMENTED, answer.content) == (True, b"")
    assert {200, 404, 405, 422} <= statuses


@pytest.mark.parametrize("number", ["1e400000000", "1E9", "0.5", "1/0", "--1", "1_0", " 1", "", 1.5, None, [], "NaN"])
def test_a_forged_page_token_is_refused_at_once(client: Client, number: object) -> None:
    began = time.monotonic()
    answer = client.get(f"/api/v1/epochs?after={token(['epochs', [number]])}")
    assert (answer.status_code, "not a token of this list" in answer.json()["detail"]) == (422, True)
    assert time.monotonic() - began < 5  # a Fraction of 1e400000000 would be computed for minutes


@pytest.mark.parametrize("forged", [[], {}, None, 1, ["epochs"], ["epochs", []], ["epochs", ["1"], ["2"], "x"], "x"])
def test_a_page_token_of_another_shape_does_no_harm(client: Client, forged: object) -> None:
    answer = client.get(f"/api/v1/epochs?after={token(forged)}")
    assert answer.status_code in (200, 422)


PRICE = {"token": "ARB", "from": "2026-04-21", "to": "2026-04-22", "usd": "1", "reason": "x"}
PAID = {"epoch": 2, "token": "ARB", "transaction": "0x" + "1" * 64}


@pytest.mark.parametrize(
    ("kind", "wrong", "told"),
    [
        ("price set", {**PRICE, "usd": DIGITS}, "usd has 5000 characters"),
        ("price set", {**PRICE, "usd": "9" * 400}, "is not a plain decimal"),
        ("price set", {**PRICE, "usd": "٣"}, "is not a plain decimal"),
        ("price set", {**PRICE, "from": DIGITS}, "from has 5000 characters"),
        ("price set", {**PRICE, "from": "9" * 30}, "is not a time"),
        ("price set", {**PRICE, "from": 2**70}, "is not a time"),
        ("price set", {**PRICE, "to": 253_402_300_800}, "is not a time from 1970 through 9999"),
        ("price set", {**PRICE, "from": "0001-01-01T00:00:00Z"}, "is not a time from 1970 through 9999"),
        ("price set", {**PRICE, "reason": "a\ud800"}, "reason has characters that cannot be printed"),
        ("price set", {**PRICE, "reason": "a\nERROR forged"}, "reason has characters that cannot be printed"),
        ("price set", {**PRICE, "token": "A\x00"}, "token has characters that cannot be printed"),
        ("price set", {**PRICE, "reason": "x" * 501}, "reason has 501 characters: at most 500"),
        ("settle", {"until": DIGITS}, "until has 5000 characters"),
        ("settle", {"until": 2**63}, "expected an epoch's number"),
        ("settle", {"until": 0}, "expected an epoch's number"),
        ("settle", {"until": "٣"}, "expected an epoch's number"),
        ("mark paid", {**PAID, "epoch": "²"}, "expected an epoch's number"),
        ("mark paid", {**PAID, "dust_below": "1e5"}, "is not a plain decimal"),
        ("mark paid", {**PAID, "transaction": "\udfff"}, "transaction has characters that cannot be printed"),
        ("hold", {"\ud800": "x"}, "has no argument"),
        ("\ud800", {}, "kind: Input should be a valid string"),
        ("hold", {"reason": True}, "arguments"),
        ("hold", {"reason": ["x"]}, "arguments"),
    ],
)
def test_a_hostile_argument_is_refused_and_nothing_is_left(
    client: Client, admin: dict[str, str], kind: str, wrong: dict[str, object], told: str
) -> None:
    answer = post(client, admin, {"kind": kind, "arguments": wrong})
    harmless(answer, DIGITS)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert client.json("status")["pending_commands"] == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 30_000, b'{"kind":"settle","arguments":{"until":%s}}' % DIGITS.encode(), b"\xff", b"null"],
)
def test_a_body_that_cannot_be_read_is_422(client: Client, admin: dict[str, str], body: bytes) -> None:
    answer = post(client, admin, body)
    harmless(answer, "")
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"not json", b'{"kind":"x","made_up":1}', b"[" * 30_000])
def test_the_key_comes_before_the_body_and_the_query(client: Client, body: bytes) -> None:
    assert post(client, {}, body).status_code == 401
    assert post(client, {"X-Admin-Key": "wrong"}, body).status_code == 403
    assert client.get(f"{COMMANDS}/no-number?made_up=1").status_code == 401
    assert client.ask("POST", f"{COMMANDS}?X-Admin-Key=an-admin-key", json={"kind": "release"}).status_code == 401


@pytest.mark.parametrize("key", [b"\xff\xfe", b"x" * 5_000, b"an-admin-key,an-admin-key", b"AN-ADMIN-KEY", b""])
def test_a_strange_key_is_wrong(client: Client, key: bytes) -> None:
    answer = client.get(f"{COMMANDS}/1", headers={b"X-Admin-Key": key})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/docs", "/openapi.json", "/api/v1/program"])
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    got, head = client.get(path), client.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    kept = ("content-type", "etag", "cache-control", "x-content-type-options")
    assert [head.headers.get(name) for name in kept] == [got.headers.get(name) for name in kept]


def test_head_of_what_does_not_exist_is_404_and_of_a_post_405(client: Client) -> None:
    assert client.ask("HEAD", "/api/v1/epochs/99").status_code == 404
    assert client.ask("HEAD", COMMANDS).status_code == 405


def test_a_slash_too_many_is_no_redirect_to_a_host_that_the_client_names(client: Client) -> None:
    answer = client.get("/api/v1/providers/", headers={"Host": "evil.example"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_a_client_that_leaves_within_its_body_leaves_no_command(client: Client, admin: dict[str, str]) -> None:
    whole = json.dumps({"kind": "hold", "arguments": {"reason": "x"}}).encode()
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": whole, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(message: object) -> None:
        raise AssertionError(f"nobody is there to answer: {message}")

    headers = [(b"x-admin-key", admin["X-Admin-Key"].encode()), (b"content-length", b"5000")]
    scope = {"type": "http", "method": "POST", "path": COMMANDS, "query_string": b"", "headers": headers}
    asyncio.run(client.app(scope, receive, send))
    assert client.json("status")["pending_commands"] == 0


def test_two_hundred_requests_at_once_are_all_answered(settings: Settings) -> None:
    app = create_app(settings, now=lambda: NOW)

    async def ask_all() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://loyalty.test", timeout=60) as asking:
            paths = [f"/api/v1/providers?limit={1 + number % 100}" for number in range(200)]
            return [answer.status_code for answer in await asyncio.gather(*(asking.get(path) for path in paths))]

    try:
        assert asyncio.run(ask_all()) == [200] * 200
    finally:
        app.state.database.close()
