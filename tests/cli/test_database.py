"""`loyalty db`: upgraded, looked over, copied, put back."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loyalty.state import open_state
from loyalty.state.lock import WorkerLock
from loyalty.state.migrate import SCHEMA_VERSION

Loyalty = Callable[..., Any]


def backups(folder: Path) -> list[Path]:
    return sorted((folder / "backups").glob("*.db"))


def test_upgrade_makes_a_database_and_then_has_nothing_to_do(loyalty: Loyalty) -> None:
    assert loyalty("db", "upgrade").out == "Upgraded.\n"
    assert loyalty("db", "upgrade").out == "Already at this release's schema.\n"
    assert loyalty("db", "check").out == "No damage found.\n"


def test_a_newer_database_is_refused_by_every_command(on_settled: Loyalty, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "demo.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("index",), ("settle",), ("verify",), ("db", "upgrade")):
        ended = on_settled(*command)
        assert (ended.code, "schema version 9999" in ended.err) == (1, True)


def test_damage_is_told_and_exits_with_1(on_settled: Loyalty, tmp_path: Path) -> None:
    with (tmp_path / "demo.db").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 4)
    ended = on_settled("db", "check")
    assert (ended.code, "loyalty db restore" in ended.out) == (1, True)


def test_a_backup_is_restored_and_the_replaced_file_is_kept_aside(on_settled: Loyalty, tmp_path: Path) -> None:
    made = on_settled("db", "backup")
    (copy,) = backups(tmp_path)
    assert made.out.startswith(f"{copy} sha256 ")
    on_settled("hold", "--reason", "after the backup")
    ended = on_settled("db", "restore", str(copy))
    assert ended.code == 0
    (aside,) = tmp_path.glob("demo.db.before-restore-*")
    assert str(aside) in ended.out
    assert on_settled("release").code == 1  # the hold came after the backup
    assert on_settled("verify").code == 0
    assert "hold" in actions(aside)


def actions(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [action for (action,) in connection.execute("SELECT action FROM audit_log")]


def test_a_backup_of_an_older_schema_is_restored_and_upgraded(
    on_settled: Loyalty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next release's schema is tried with a migration of the test's own, on a copy that this release made."""
    assert on_settled("db", "backup").code == 0
    (copy,) = backups(tmp_path)
    newer_release(tmp_path, monkeypatch)
    assert on_settled("db", "upgrade").out == "Upgraded.\n"
    ended = on_settled("db", "restore", str(copy))
    assert ended.code == 0, ended.err
    with closing(sqlite3.connect(tmp_path / "demo.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]
        assert connection.execute("SELECT count(*) FROM remarks").fetchall() == [(0,)]
    assert on_settled("db", "check").out == "No damage found.\n"
    assert on_settled("verify").code == 0


MIGRATION = """
revision = "0004"
down_revision = "0003"
branch_labels = depends_on = None

from alembic import op


def upgrade() -> None:
    op.execute("CREATE TABLE remarks (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
"""


def newer_release(folder: Path, patched: pytest.MonkeyPatch) -> None:
    """This release with one migration more."""
    from loyalty.state import check, migrate, version

    migrations = folder / "migrations"
    shutil.copytree(migrate.migrations_folder(), migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / "0004_remarks.py").write_text(MIGRATION)
    for module in (check, migrate, version):
        patched.setattr(module, "SCHEMA_VERSION", "0004")
    patched.setattr(migrate, "migrations_folder", lambda: migrations)
    assert SCHEMA_VERSION == "0003", "this release has a newer schema: let the test's migration come after it"


def test_a_database_in_use_is_not_replaced(on_settled: Loyalty, tmp_path: Path) -> None:
    on_settled("db", "backup")
    (copy,) = backups(tmp_path)
    with WorkerLock(tmp_path / "demo.db", 1_777_000_000):
        ended = on_settled("db", "restore", str(copy))
        assert (ended.code, "is in use by worker" in ended.err) == (1, True)
        vacuum = on_settled("db", "optimize", "--vacuum")
        assert (vacuum.code, "is in use by worker" in vacuum.err) == (1, True)
    with open_state(tmp_path / "demo.db") as state, state.read():
        ended = on_settled("db", "restore", str(copy))
        assert (ended.code, "is open in another process" in ended.err) == (1, True)
    assert not list(tmp_path.glob("*.before-restore-*"))


def test_a_backup_that_is_not_whole_is_not_restored(on_settled: Loyalty, tmp_path: Path) -> None:
    on_settled("db", "backup")
    (copy,) = backups(tmp_path)
    copy.write_bytes(copy.read_bytes()[:-4096])
    assert on_settled("db", "restore", str(copy)).code == 1
    assert on_settled("db", "restore", str(tmp_path / "backups" / "demo-20200101T000000Z.db")).code == 1
    assert on_settled("verify").code == 0


def test_optimize_and_vacuum_leave_everything_in_place(on_settled: Loyalty) -> None:
    assert on_settled("db", "optimize").out == "Optimized; 0 free pages given back.\n"
    assert on_settled("db", "optimize", "--vacuum").out.startswith("Vacuumed: ")
    assert on_settled("verify").code == 0


def test_a_database_may_be_named_by_a_url(on_settled: Loyalty, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    assert on_settled("db", "check", LOYALTY_DATABASE=url).out == "No damage found.\n"
    assert on_settled("settle", LOYALTY_DATABASE=url).code == 0


def test_what_is_for_files_says_so_of_a_server(loyalty: Loyalty) -> None:
    ended = loyalty("db", "check", LOYALTY_DATABASE="postgresql://loyalty:hidden-word@db.example/loyalty")
    assert (ended.code, "PostgreSQL has tools of its own" in ended.err, "hidden-word" in ended.err) == (2, True, False)
