"""Answers are kept until something is committed; who has one already is told so."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loyalty.api import create_app
from loyalty.config import Settings
from loyalty.state import StateTransaction, holds, open_state
from tests.api.client import Client
from tests.reports.small_program import NOW, build


@pytest.fixture
def other(settings: Settings) -> Iterator[Client]:
    """A second process of the API, as far as caching goes."""
    with Client(create_app(settings, now=lambda: NOW)) as client:
        yield client


def place_hold(database: Path, reason: str = "checking") -> None:
    with open_state(database) as state, StateTransaction(state) as connection:
        holds.place(connection, reason, NOW)


def test_an_unchanged_answer_is_304(client: Client) -> None:
    first = client.get("/api/v1/status")
    again = client.get("/api/v1/status", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_commit_by_anybody_is_seen_at_once(client: Client, database: Path) -> None:
    first = client.get("/api/v1/status")
    place_hold(database)
    again = client.get("/api/v1/status", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert [each["reason"] for each in again.json()["holds"]] == ["checking"]
    assert again.headers["etag"] != first.headers["etag"]


def test_an_answer_that_a_commit_did_not_change_stays_304(client: Client, database: Path) -> None:
    first = client.get("/api/v1/epochs/2")
    place_hold(database)
    again = client.get("/api/v1/epochs/2", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_every_process_gives_the_same_etag(client: Client, other: Client) -> None:
    first = client.get("/api/v1/program")
    assert other.get("/api/v1/program").headers["etag"] == first.headers["etag"]


def test_kept_answers_are_told_apart_by_their_query(client: Client) -> None:
    assert len(client.json("providers?limit=1")["items"]) == 1
    assert len(client.json("providers?limit=2")["items"]) == 2
    assert len(client.json("providers?limit=1")["items"]) == 1


def test_a_kept_answer_is_the_answer(client: Client) -> None:
    first, again = client.get("/api/v1/providers"), client.get("/api/v1/providers")
    assert again.json() == first.json()
    assert again.headers["content-type"] == "application/json"


def test_errors_are_not_kept(client: Client) -> None:
    answer = client.get("/api/v1/epochs/9")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_large_answers_are_compressed(client: Client) -> None:
    for _ in range(2):  # from the database, then as kept
        answer = client.get("/api/v1/epochs", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert len(answer.json()["items"]) == 4


def test_a_restored_file_is_read_without_a_restart(client: Client, database: Path, tmp_path: Path) -> None:
    place_hold(database, "before")
    assert len(client.json("status")["holds"]) == 1
    fresh = build(tmp_path / "restored.db")
    with closing(sqlite3.connect(fresh)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fresh.replace(database)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    assert client.json("status")["holds"] == []
