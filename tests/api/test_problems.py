"""Every error is an RFC 9457 problem that says what was wrong and what to do."""

import pytest

from loyalty.api import create_app
from loyalty.config import Settings
from tests.api.client import Client
from tests.reports.small_program import BOB


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/nothing", 404, "/nothing is not a path of this API"),
        ("/api/v1/epochs/9", 404, "epoch 9 does not exist: the program has epochs 1 to 4"),
        ("/api/v1/epochs/0", 422, "number: Input should be greater than or equal to 1"),
        ("/api/v1/epochs/x", 422, "number: Input should be a valid integer"),
        ("/api/v1/providers/0x12", 422, "'0x12' is not an address"),
        ("/api/v1/providers?limit=0", 422, "limit: Input should be greater than or equal to 1"),
        ("/api/v1/providers?limit=501", 422, "limit: Input should be less than or equal to 500"),
        ("/api/v1/providers?sort=name", 422, "sort 'name' is not known"),
        ("/api/v1/providers?after=zzz", 422, "`after` is not a token of this list"),
        ("/api/v1/providers?tier=Gold", 404, "there is no tier 'Gold'"),
        ("/api/v1/providers?tiers=Gold", 422, "'tiers' is not a query parameter of /api/v1/providers: it has after"),
        ("/api/v1/program?limit=1", 422, "'limit' is not a query parameter of /api/v1/program: it has none"),
        ("/api/v1/providers?limit=1&limit=2", 422, "'limit' is given 2 times"),
        (f"/api/v1/providers/{BOB}/daily?from=2026-13-01", 422, "'2026-13-01' is not a day"),
        (f"/api/v1/providers/{BOB}/daily?from=2020-01-01&to=2026-01-01", 422, "1 to 1000 days"),
        (f"/api/v1/providers/{BOB}/explain", 422, "epoch: Field required"),
        (f"/api/v1/providers/{BOB}/explain?epoch=99", 404, "epoch 99 does not exist"),
        ("/api/v1/pools/base/0x2222222222222222222222222222222222222222", 404, "no chain 'base'"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(client: Client, path: str, status: int, told: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert told in body["detail"]
    assert body["status"] == status
    assert body["instance"] == path.partition("?")[0]
    assert {"type", "title", "status", "detail", "instance"} <= body.keys()


def test_another_method_names_those_that_are_possible(client: Client) -> None:
    answer = client.ask("DELETE", "/api/v1/program")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_a_500_that_gives_nothing_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def clock() -> int:
        raise RuntimeError("a secret inside")

    with Client(create_app(settings, now=clock)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "a secret inside" in caplog.text


def test_too_long_a_query_and_too_large_a_body_are_refused(client: Client, admin: dict[str, str]) -> None:
    assert client.get(f"/api/v1/providers?after={'x' * 5000}").status_code == 414
    large = client.ask("POST", "/api/v1/admin/commands", content=b"x" * 70_000, headers=admin)
    assert large.status_code == 413
    assert large.headers["content-type"] == "application/problem+json"


def test_a_large_body_that_does_not_say_so_is_refused_too(client: Client, admin: dict[str, str]) -> None:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(70):
            yield b"x" * 1_000

    assert client.ask("POST", "/api/v1/admin/commands", content=pieces(), headers=admin).status_code == 413
