"""Opening a database: what is refused and how it is told; readers beside a writer."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from loyalty.core.errors import Conflict, Inconsistent, Invalid, NotFound, Unavailable
from loyalty.state import State, StateTransaction, holds, open_state

COUNT = text("SELECT count(*) FROM holds")


def count(state: State) -> int:
    with state.read() as connection:
        return int(connection.execute(COUNT).scalar_one())


def place(state: State, reason: str) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, reason, 1)


def test_a_new_file_is_made_in_wal_mode_with_foreign_keys_and_room_for_incremental_vacuum(tmp_path: Path) -> None:
    with open_state(tmp_path / "new.db") as state, StateTransaction(state) as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "foreign_keys", "auto_vacuum", "synchronous")
        }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "auto_vacuum": 2, "synchronous": 1}


def test_the_path_may_be_a_url(tmp_path: Path) -> None:
    with open_state(f"sqlite:///{tmp_path}/by-url.db") as state:
        assert state.path == tmp_path / "by-url.db"
    assert (tmp_path / "by-url.db").is_file()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"folder .*missing does not exist\. Create it"):
        open_state(tmp_path / "missing" / "loyalty.db")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can create a file")
def test_a_folder_that_takes_no_file_is_told() -> None:
    with pytest.raises(Unavailable, match="cannot be opened: check the permissions"):
        open_state("/proc/loyalty.db")


@pytest.mark.parametrize("path", [":memory:", "", "."])
def test_what_is_not_the_path_of_a_file_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="expected the path of a file"):
        open_state(path)


def test_a_missing_file_is_not_created_unless_wanted(tmp_path: Path) -> None:
    for kind in ({"create": False}, {"read_only": True}):
        with pytest.raises(NotFound, match="does not exist"):
            open_state(tmp_path / "absent.db", **kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "loyalty.db"
    path.write_text("time,usd\n" * 1000)
    with pytest.raises(Invalid, match="is not a database"):
        open_state(path, read_only=read_only)
    assert path.read_text() == "time,usd\n" * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_database_is_told(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096 * 2 : 4096 * 60] = b"\xff" * (4096 * 58)
    database.write_bytes(content)
    with pytest.raises(Inconsistent, match=r"is damaged\. Run `loyalty db check`"), open_state(database) as state:
        count(state)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://user:hunter2@host/name", "a mysql database is not supported"),
        ("nonsense://", "nonsense database is not supported"),
        ("://", "neither a path nor a database URL"),
    ],
)
def test_a_url_of_another_engine_is_refused_without_telling_its_password(url: str, told: str) -> None:
    with pytest.raises(Invalid, match=told) as failure:
        open_state(url)
    assert "hunter2" not in str(failure.value)


def test_a_postgresql_that_does_not_answer_is_told_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(Unavailable, match="PostgreSQL database name does not answer") as failure:
        open_state("postgresql://user:hunter2@127.0.0.1:1/name")
    assert "hunter2" not in str(failure.value)
    assert "127.0.0.1" not in str(failure.value)


def test_a_reader_cannot_write(state: State) -> None:
    with state.read() as connection, pytest.raises(Conflict, match="cannot be written"):
        holds.place(connection, "by a reader", 1)
    assert count(state) == 0


def test_a_database_opened_for_reading_cannot_write(database: Path) -> None:
    with open_state(database, read_only=True) as state:
        assert count(state) == 0
        with pytest.raises(Conflict, match="opened for reading only"), StateTransaction(state):
            pass


def test_a_reader_sees_one_state_throughout_while_another_thread_commits(state: State) -> None:
    place(state, "before")
    with state.read() as connection:
        before = connection.execute(COUNT).scalar_one()
        writer = threading.Thread(target=place, args=(state, "meanwhile"))
        writer.start()
        writer.join()
        assert connection.execute(COUNT).scalar_one() == before == 1
    assert count(state) == 2


def test_a_reader_sees_one_state_throughout_while_another_process_commits(state: State, database: Path) -> None:
    script = (
        "import sys; from loyalty.state import StateTransaction, holds, open_state\n"
        "with open_state(sys.argv[1]) as state, StateTransaction(state) as connection:\n"
        "    holds.place(connection, 'from outside', 1)\n"
    )
    with state.read() as connection:
        assert connection.execute(COUNT).scalar_one() == 0
        subprocess.run([sys.executable, "-c", script, str(database)], check=True, timeout=60)
        assert connection.execute(COUNT).scalar_one() == 0
    assert count(state) == 1


def test_a_reader_is_not_held_up_by_an_open_transaction(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "not committed", 1)
        assert count(state) == 0
    assert count(state) == 1


def test_the_data_version_changes_with_every_commit_and_only_then(state: State, database: Path) -> None:
    first = state.data_version()
    assert state.data_version() == first
    place(state, "own")
    second = state.data_version()
    assert second != first
    with open_state(database) as other:
        place(other, "another's")
    assert state.data_version() != second
    third = state.data_version()
    with suppress(ZeroDivisionError), StateTransaction(state) as connection:
        holds.place(connection, "taken back", 1)
        raise ZeroDivisionError
    assert state.data_version() == third


def test_many_threads_read_at_once(state: State) -> None:
    place(state, "one")
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(count(state))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 30


def test_two_processes_may_create_the_same_file_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from loyalty.state import open_state; from loyalty.state.migrate import upgrade, version\n"
        "with open_state(sys.argv[1]) as state:\n"
        "    upgrade(state)\n"
        "    assert version(state) is not None\n"
    )
    path = str(tmp_path / "both.db")
    both = [subprocess.Popen([sys.executable, "-c", script, path]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]


def test_opening_a_database_of_the_right_version_does_not_load_alembic(database: Path) -> None:
    script = (
        "import sys, time; from loyalty.state import open_state\n"
        "from loyalty.state.migrate import check_version, upgrade\n"
        "begun = time.perf_counter()\n"
        "with open_state(sys.argv[1]) as state:\n"
        "    check_version(state); assert not upgrade(state)\n"
        "print('alembic' in sys.modules, time.perf_counter() - begun < 5)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(database)], check=True, capture_output=True, timeout=60)
    assert done.stdout.split() == [b"False", b"True"]
