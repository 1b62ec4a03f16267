"""Fixtures: the API over the small program's database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from loyalty.api import create_app
from loyalty.config import Settings
from tests.api.client import Client
from tests.reports.small_program import NOW, build

KEY = "an-admin-key"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small") / "small.db")


@pytest.fixture
def database(built: Path, tmp_path: Path) -> Path:
    """The small program's database file, of the test's own."""
    return Path(shutil.copy(built, tmp_path / "loyalty.db"))


@pytest.fixture
def settings(database: Path) -> Settings:
    return Settings(database=str(database), admin_key=SecretStr(KEY), cors_origins="https://app.example.org")


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with Client(create_app(settings, now=lambda: NOW + 10)) as client:
        yield client


@pytest.fixture
def admin() -> dict[str, str]:
    return {"X-Admin-Key": KEY}
