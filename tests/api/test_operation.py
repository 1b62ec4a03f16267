"""Health, metrics, headers: what proxies, Prometheus and browsers look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.api import create_app
from loyalty.config import Settings
from loyalty.state import StateTransaction, job_runs, open_state
from loyalty.state.migrate import upgrade
from tests.api.client import Client
from tests.reports.small_program import BOB, NOW, build


@pytest.fixture
def early(tmp_path: Path) -> Iterator[Client]:
    """The API before the worker has made the database."""
    with Client(create_app(Settings(database=str(tmp_path / "later.db")), now=lambda: NOW)) as client:
        yield client


def test_a_moving_worker_and_a_database_are_ready(client: Client) -> None:
    for path in ("/readyz", "/api/v1/health"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": []})
        assert answer.headers["cache-control"] == "no-store"


def test_a_silent_worker_is_not_ready(settings: Settings) -> None:
    with Client(create_app(settings, now=lambda: NOW + 181)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "the worker has not moved for 181 seconds" in answer.json()["reasons"][0]


def test_without_a_database_the_process_lives_and_is_not_ready(early: Client) -> None:
    assert early.get("/healthz").json() == {"status": "alive"}
    answer = early.get("/readyz")
    assert answer.status_code == 503
    assert "does not exist" in answer.json()["reasons"][0]
    assert "later.db" not in answer.text
    program = early.get("/api/v1/program")
    assert (program.status_code, program.headers["retry-after"]) == (503, "5")
    assert program.headers["content-type"] == "application/problem+json"
    assert "later.db" not in program.text
    assert early.get("/metrics").status_code == 200


def test_the_database_may_come_after_the_api(early: Client, tmp_path: Path) -> None:
    assert early.get("/api/v1/program").status_code == 503
    build(tmp_path / "later.db")
    assert early.json("program")["name"] == "Small <program>"


def test_a_database_without_a_program_is_told_as_one(early: Client, tmp_path: Path) -> None:
    with open_state(tmp_path / "later.db") as state:
        upgrade(state)
    assert early.get("/readyz").json()["reasons"] == [
        "the database has no program yet: start the worker (`loyalty run`)"
    ]
    assert early.get("/api/v1/program").status_code == 503


def test_a_database_of_another_release_is_refused(early: Client, tmp_path: Path) -> None:
    build(tmp_path / "later.db")
    with open_state(tmp_path / "later.db") as state, state.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    answer = early.get("/readyz")
    assert answer.status_code == 503
    assert "schema version 9999" in answer.json()["reasons"][0]


def test_metrics_count_by_route_and_tell_the_workers_state(client: Client) -> None:
    for path in (f"/api/v1/providers/{BOB}", f"/api/v1/providers/{BOB}", "/made/up/path"):
        client.get(path)
    text = client.get("/metrics").text
    assert 'route="/api/v1/providers/{address}",status="200"' in text
    assert 'route="(none)",status="404"' in text
    assert "made/up" not in text
    assert BOB not in text
    assert 'loyalty_indexed_block{chain="small"} 86.0' in text
    assert 'loyalty_blocks_behind{chain="small"} 0.0' in text
    assert 'loyalty_backfill_blocks_left{chain="small"} 0.0' in text
    assert "loyalty_settled_epochs 3.0" in text
    assert 'loyalty_job_consecutive_failures{job="accrue"} 0.0' in text


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for path in ("/", "/api/v1/program", "/api/v1/epochs/99", "/nothing", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"


def test_only_the_configured_origins_may_read_from_a_browser(client: Client, settings: Settings) -> None:
    ours = client.get("/api/v1/program", headers={"Origin": "https://app.example.org"})
    assert ours.headers["access-control-allow-origin"] == "https://app.example.org"
    other = client.get("/api/v1/program", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    with Client(create_app(settings.model_copy(update={"cors_origins": ()}))) as closed:
        answer = closed.get("/api/v1/program", headers={"Origin": "https://app.example.org"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_browser_may_ask_before_it_sends_a_key(client: Client) -> None:
    headers = {
        "Origin": "https://app.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "X-Admin-Key",
    }
    assert client.ask("OPTIONS", "/api/v1/admin/commands", headers=headers).status_code == 200


def test_a_jobs_error_does_not_tell_where_files_lie(client: Client, database: Path) -> None:
    error = f"database {database}: the disk is full; the folder /var/lib/loyalty/backups cannot be written"
    with open_state(database) as state, StateTransaction(state) as connection:
        job_runs.started(connection, "back_up", NOW, 1)
        job_runs.failed(connection, "back_up", NOW, error)
    told = {job["job"]: job["last_error"] for job in client.json("status")["jobs"]}
    assert told["back_up"] == "the database: the disk is full; the folder … cannot be written"
