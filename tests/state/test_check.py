import re
import sqlite3
from contextlib import closing

import pytest

from loyalty.core.errors import Conflict, NotFound, Unavailable
from loyalty.state import StateTransaction, open_state
from loyalty.state.check import check, optimize, vacuum
from loyalty.state.lock import WorkerLock
from loyalty.state.migrate import upgrade

NOW = 1_776_686_400
PAGE = 4_096


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "loyalty.db"
    with open_state(path) as state:
        upgrade(state)
        add_providers(state, 2_000)
    return path


def add_providers(state, count):
    with StateTransaction(state) as connection:
        rows = [(f"0x{number:040x}",) for number in range(count)]
        connection.exec_driver_sql("INSERT INTO providers (address) VALUES (?)", rows)


def execute(database, statement):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        rows = connection.execute(statement).fetchall()
        connection.commit()
        return rows


def overwrite(database, offset, content):
    with database.open("r+b") as file:
        file.seek(offset)
        file.write(content)


# check --------------------------------------------------------------------------------------------------------------


def test_a_sound_database_has_no_faults(database):
    assert check(database) == []


def test_a_sound_database_has_none_while_it_is_written(database):
    with open_state(database) as state, StateTransaction(state) as connection:
        connection.exec_driver_sql("DELETE FROM providers")
        assert check(database) == []


def test_damaged_pages_are_told_with_what_to_do(database):
    (root,) = execute(database, "SELECT rootpage FROM sqlite_master WHERE name = 'providers'")[0]
    overwrite(database, (root - 1) * PAGE, b"\xde\xad\xbe\xef" * 64)
    faults = check(database)
    assert faults
    assert all("restore the newest backup (`loyalty db restore`)" in fault for fault in faults)


def test_a_value_that_an_index_does_not_know_is_found(database):
    content = database.read_bytes()
    address = b"0x" + b"%040x" % 1_234
    overwrite(database, content.index(address), b"0y")
    assert any("damaged" in fault and "missing from index" in fault for fault in check(database))


def test_a_broken_header_is_told(database):
    overwrite(database, 0, b"Spreadsheet file")
    (fault,) = check(database)
    assert fault.startswith("cannot be read (file is not a database)")
    assert "loyalty db restore" in fault


def test_a_file_cut_short_is_told(database):
    with database.open("r+b") as file:
        file.truncate(10 * PAGE)
    assert check(database)


def test_rows_that_point_at_nothing_are_told(database):
    execute(database, "INSERT INTO provider_balances VALUES (1, 77, 0, 0, 0, 0)")
    execute(database, "INSERT INTO commands VALUES (1, 'price', '{}', 'cli', 0, NULL, NULL, NULL)")
    (fault,) = check(database)
    assert fault.startswith("a row of provider_balances points at a row that pools does not have; ")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "9999, this release needs .* install the newer release"),
        ("UPDATE alembic_version SET version_num = '0000'", "0000, this release needs .* run `loyalty db upgrade`"),
        ("DELETE FROM alembic_version", "version none, this release needs .* run `loyalty db upgrade`"),
        ("DROP TABLE alembic_version", "has no schema version: .* run `loyalty db upgrade`"),
    ],
)
def test_another_schema_version_is_told(database, statement, message):
    execute(database, statement)
    (fault,) = check(database)
    assert re.search(message, fault)


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path):
    with pytest.raises(NotFound, match=r"missing\.db does not exist"):
        check(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()


# optimize and vacuum ------------------------------------------------------------------------------------------------


def empty(database):
    with open_state(database) as state, StateTransaction(state) as connection:
        connection.exec_driver_sql("DELETE FROM providers")


def test_optimize_gives_free_pages_back_and_knows_the_tables(database):
    empty(database)
    with open_state(database) as state:
        assert optimize(state) > 20
        assert optimize(state) == 0
    assert execute(database, "PRAGMA freelist_count") == [(0,)]
    assert execute(database, "SELECT count(*) > 0 FROM sqlite_stat1") == [(1,)]
    assert check(database) == []


def test_optimize_runs_while_a_reader_reads(database):
    empty(database)
    with open_state(database) as state, state.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM providers").scalar_one() == 0
        assert optimize(state) > 20


def test_a_vacuum_packs_the_file(database):
    empty(database)
    before = database.stat().st_size
    vacuumed = vacuum(database, now=NOW)
    assert vacuumed.bytes_before == before
    assert vacuumed.bytes_after == database.stat().st_size < before - 20 * PAGE
    assert check(database) == []


def test_a_vacuum_looks_at_the_free_space_first(database):
    size = database.stat().st_size
    with pytest.raises(Unavailable, match=f"a full vacuum needs {2 * size:,} bytes free in its folder, there are"):
        vacuum(database, now=NOW, free_bytes=lambda folder: 2 * size - 1)
    assert database.stat().st_size == size
    assert vacuum(database, now=NOW, free_bytes=lambda folder: 2 * size).bytes_before == size


def test_a_vacuum_does_not_run_beside_a_worker(database):
    with WorkerLock(database, NOW), pytest.raises(Conflict, match="in use by worker"):
        vacuum(database, now=NOW)


def test_there_is_nothing_to_vacuum_without_a_database(tmp_path):
    with pytest.raises(NotFound, match="nothing to vacuum"):
        vacuum(tmp_path / "missing.db", now=NOW)
