import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from loyalty.core.errors import Conflict, Inconsistent, Invalid, LoyaltyError, NotFound, Unavailable
from loyalty.core.times import parse_time
from loyalty.state import StateTransaction, open_state
from loyalty.state.backup import back_up, list_backups, verify_backup
from loyalty.state.lock import WorkerLock
from loyalty.state.migrate import upgrade
from loyalty.state.restore import restore
from loyalty.state.version import SCHEMA_VERSION

NOW = parse_time("2026-04-20T12:00:00Z")


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "loyalty.db"
    with open_state(path) as state:
        upgrade(state)
        add_providers(state, 0, 200)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


def add_providers(state, first, count):
    rows = [(f"0x{number:040x}",) for number in range(first, first + count)]
    with StateTransaction(state) as connection:
        connection.exec_driver_sql("INSERT INTO providers (address) VALUES (?)", rows)


def providers(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM providers").fetchone()[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def flip(path, offset):
    """One byte of the file is another one."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))


# Backing up ---------------------------------------------------------------------------------------------------------


def test_a_backup_is_a_sound_copy_with_its_checksum_beside_it(database, folder):
    backup = back_up(database, folder, now=NOW)
    assert backup.path == folder / "loyalty-20260420T120000Z.db"
    assert names(folder) == ["loyalty-20260420T120000Z.db", "loyalty-20260420T120000Z.db.sha256"]
    assert providers(backup.path) == 200
    assert backup.sha256 == hashlib.sha256(backup.path.read_bytes()).hexdigest()
    assert (backup.time, backup.size_bytes) == (NOW, backup.path.stat().st_size)
    assert backup.schema_version == SCHEMA_VERSION
    assert verify_backup(backup.path) == backup


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_checksum_is_one_that_sha256sum_reads(database, folder):
    backup = back_up(database, folder, now=NOW)
    command = ["sha256sum", "--check", "--strict", f"{backup.path.name}.sha256"]
    assert subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.endswith(": OK\n")


def test_a_backup_is_one_snapshot_while_a_writer_writes(database, folder):
    stop = threading.Event()

    def write():
        with open_state(database) as state:
            for batch in range(10_000):
                if stop.is_set():
                    return
                add_providers(state, 1_000 + batch * 10, 10)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [back_up(database, folder, now=NOW + second) for second in range(3)]
    finally:
        stop.set()
        writer.join()
    counts = [providers(copy.path) for copy in copies]
    assert all(count % 10 == 0 for count in counts)
    assert counts == sorted(counts)
    assert counts[-1] > 200


def test_what_is_committed_but_still_in_the_log_is_in_the_backup(database, folder):
    with open_state(database) as state:
        add_providers(state, 200, 50)
        assert Path(f"{database}-wal").stat().st_size > 0
        assert providers(back_up(database, folder, now=NOW).path) == 250


def test_the_last_ones_are_kept(database, folder):
    for hour in range(5):
        back_up(database, folder, keep=3, now=NOW + 3_600 * hour)
    assert names(folder) == [
        f"loyalty-20260420T1{hour}0000Z.db{suffix}" for hour in (4, 5, 6) for suffix in ("", ".sha256")
    ]
    assert [copy.time for copy in list_backups(folder)] == [NOW + 3_600 * hour for hour in (4, 3, 2)]


def test_a_damaged_copy_does_not_count_as_kept(database, folder, caplog):
    copies = [back_up(database, folder, keep=3, now=NOW + hour) for hour in range(3)]
    flip(copies[1].path, 5_000)
    back_up(database, folder, keep=3, now=NOW + 3)
    assert [copy.time - NOW for copy in list_backups(folder)] == [3, 2, 1, 0]
    assert "backup damaged" in caplog.text
    back_up(database, folder, keep=2, now=NOW + 4)
    assert [copy.time - NOW for copy in list_backups(folder)] == [4, 3]


def test_backups_of_another_database_in_the_folder_are_left_alone(database, folder, tmp_path):
    other = tmp_path / "other.db"
    shutil.copy(back_up(database, folder, now=NOW).path, other)
    for second in range(3):
        back_up(other, folder, keep=1, now=NOW + second)
    assert [copy.path.name for copy in list_backups(folder, "loyalty")] == ["loyalty-20260420T120000Z.db"]
    assert len(list_backups(folder, "other")) == 1


def test_a_second_backup_in_the_same_second_is_refused(database, folder):
    back_up(database, folder, now=NOW)
    with pytest.raises(Conflict, match="exists already"):
        back_up(database, folder, now=NOW)


def test_without_a_database_there_is_nothing_to_back_up(tmp_path, folder):
    with pytest.raises(NotFound, match=r"missing\.db does not exist"):
        back_up(tmp_path / "missing.db", folder, now=NOW)
    assert not (tmp_path / "missing.db").exists()


def test_at_least_one_backup_is_kept(database, folder):
    with pytest.raises(Invalid, match="keep at least 1"):
        back_up(database, folder, keep=0, now=NOW)


def test_a_damaged_database_makes_no_backup_and_costs_none(database, folder):
    good = back_up(database, folder, keep=1, now=NOW)
    for page in range(2, database.stat().st_size // 4_096):
        flip(database, page * 4_096)
    with pytest.raises(Inconsistent, match="damaged"):
        back_up(database, folder, keep=1, now=NOW + 1)
    assert names(folder) == [good.path.name, f"{good.path.name}.sha256"]


def test_a_file_that_is_no_database_of_ours_makes_no_backup(tmp_path, folder):
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(Invalid, match=r"the copy of database .*foreign\.db is no database of loyalty"):
        back_up(foreign, folder, now=NOW)
    assert names(folder) == []


LIMITED = """
import resource, sys
from pathlib import Path
from loyalty.core.errors import Unavailable
from loyalty.state.backup import back_up
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    back_up(Path(sys.argv[1]), Path(sys.argv[2]), keep=1, now=int(sys.argv[4]))
except Unavailable as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 4_096, 30_000])
def test_a_backup_without_room_leaves_no_part_and_the_old_ones(database, folder, limit):
    good = back_up(database, folder, keep=1, now=NOW)
    arguments = [str(database), str(folder), str(limit), str(NOW + 1)]
    told = subprocess.run([sys.executable, "-c", LIMITED, *arguments], capture_output=True, text=True, check=True)
    assert "cannot write to" in told.stdout
    assert "No backup was made, the older ones are kept; free space" in told.stdout
    assert names(folder) == [good.path.name, f"{good.path.name}.sha256"]
    assert verify_backup(good.path) == good


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_leaves_no_part_of_a_backup(database, tiny_disk):
    with open_state(database) as state:
        add_providers(state, 1_000, 8_000)
    with pytest.raises(Unavailable, match="disk is full"):
        back_up(database, tiny_disk, now=NOW)
    assert names(tiny_disk) == []


def test_a_folder_that_cannot_be_made_is_told(database, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        back_up(database, tmp_path / "file" / "backups", now=NOW)


KILLED = """
import os, signal, sys
from pathlib import Path
from loyalty.state import backup
backup._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
backup.back_up(Path(sys.argv[1]), Path(sys.argv[2]), now=int(sys.argv[3]))
"""


def test_a_killed_backup_is_swept_up_by_the_next(database, folder):
    dead = subprocess.run([sys.executable, "-c", KILLED, database, folder, str(NOW)], check=False)
    assert dead.returncode == -9
    assert [name for name in names(folder) if name.endswith(".partial")]
    (folder / "loyalty-20200101T000000Z.db.sha256").write_text("left before its copy came")
    assert list_backups(folder) == []
    good = back_up(database, folder, now=NOW + 1)
    assert names(folder) == [good.path.name, f"{good.path.name}.sha256"]


# Verifying ----------------------------------------------------------------------------------------------------------


def test_every_flipped_byte_is_found(database, folder):
    backup = back_up(database, folder, now=NOW)
    for offset in range(0, backup.size_bytes, backup.size_bytes // 13):
        flip(backup.path, offset)
        with pytest.raises(Inconsistent, match="its SHA-256 is"):
            verify_backup(backup.path)
        flip(backup.path, offset)
    assert verify_backup(backup.path) == backup


def test_a_copy_with_a_right_checksum_but_a_broken_inside_is_found(database, folder):
    backup = back_up(database, folder, now=NOW)
    for page in range(1, backup.size_bytes // 4_096):
        flip(backup.path, page * 4_096)
    digest = hashlib.sha256(backup.path.read_bytes()).hexdigest()
    Path(f"{backup.path}.sha256").write_text(f"{digest}  {backup.path.name}\n")
    with pytest.raises(Inconsistent, match="damaged"):
        verify_backup(backup.path)


def test_a_copy_without_a_checksum_is_not_believed(database, folder):
    backup = back_up(database, folder, now=NOW)
    Path(f"{backup.path}.sha256").unlink()
    with pytest.raises(Inconsistent, match="has no checksum"):
        verify_backup(backup.path)


def test_looking_at_a_backup_leaves_no_files_beside_it(database, folder):
    backup = back_up(database, folder, now=NOW)
    verify_backup(backup.path)
    assert names(folder) == [backup.path.name, f"{backup.path.name}.sha256"]


def test_there_are_no_backups_without_a_folder(tmp_path):
    assert list_backups(tmp_path / "nowhere") == []


# Restoring ----------------------------------------------------------------------------------------------------------


def test_a_restored_database_is_the_backup_and_the_replaced_one_is_aside(database, folder):
    backup = back_up(database, folder, now=NOW)
    with open_state(database) as state:
        add_providers(state, 200, 30)
    restored = restore(backup.path, database, now=NOW + 60)
    assert restored.database == database
    assert restored.backup == backup
    assert restored.aside == database.with_name("loyalty.db.before-restore-20260420T120100Z")
    assert providers(restored.aside) == 230
    with open_state(database) as state:
        assert not upgrade(state)
        add_providers(state, 200, 1)
    assert providers(database) == 201
    assert verify_backup(backup.path) == backup


def test_a_restore_makes_a_database_that_was_lost(database, folder):
    backup = back_up(database, folder, now=NOW)
    database.unlink()
    assert restore(backup.path, database, now=NOW).aside is None
    assert providers(database) == 200


def test_the_log_of_a_crashed_worker_goes_aside_and_does_not_leak_into_the_restored_file(database, folder):
    backup = back_up(database, folder, now=NOW)
    crash = (
        "import os, signal, sys; from loyalty.state import StateTransaction, open_state\n"
        "state = open_state(sys.argv[1])\n"
        "with StateTransaction(state) as connection:\n"
        "    connection.exec_driver_sql('DELETE FROM providers')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", crash, str(database)], check=False)
    assert Path(f"{database}-wal").exists()
    restored = restore(backup.path, database, now=NOW)
    assert not Path(f"{database}-wal").exists()
    assert providers(database) == 200
    assert providers(restored.aside) == 0


def test_a_damaged_database_is_replaced_and_aside_as_it_was(database, folder):
    backup = back_up(database, folder, now=NOW)
    flip(database, 0)
    damaged = database.read_bytes()
    Path(f"{database}-wal").write_bytes(b"whatever was there")
    restored = restore(backup.path, database, now=NOW)
    assert providers(database) == 200
    assert restored.aside.read_bytes() == damaged
    assert not Path(f"{database}-wal").exists()
    assert Path(f"{restored.aside}-wal").read_bytes() == b"whatever was there"


def refused(backup, database, kind, message):
    before = database.read_bytes()
    with pytest.raises(kind, match=message):
        restore(backup, database, now=NOW + 60)
    assert database.read_bytes() == before
    assert not list(database.parent.glob("*before-restore*"))
    assert not list(database.parent.glob(".*restoring*"))


def test_a_worker_that_holds_the_database_is_not_robbed_of_it(database, folder):
    backup = back_up(database, folder, now=NOW)
    with WorkerLock(database, NOW):
        refused(backup.path, database, Conflict, f"in use by worker pid {os.getpid()}")


def test_a_reader_that_has_the_database_open_is_not_robbed_of_it(database, folder):
    backup = back_up(database, folder, now=NOW)
    reader = "import sys; from loyalty.state import open_state\nstate = open_state(sys.argv[1], read_only=True)\n"
    command = [sys.executable, "-c", reader + "print('open', flush=True); sys.stdin.read()", str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        refused(backup.path, database, Conflict, "open in another process: stop the API")
        process.stdin.close()
        process.wait()
    assert restore(backup.path, database, now=NOW).aside


def test_a_damaged_backup_is_not_restored(database, folder):
    backup = back_up(database, folder, now=NOW)
    flip(backup.path, 9_000)
    refused(backup.path, database, Inconsistent, "its SHA-256 is")


def test_a_backup_of_a_newer_release_is_not_restored(database, folder):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    backup = back_up(database, folder, now=NOW)
    refused(backup.path, database, Conflict, "has schema version 9999")


@pytest.mark.parametrize("name", ["loyalty-20200101T000000Z.db", "notes.txt"])
def test_a_backup_that_is_not_there_is_told(database, folder, name):
    folder.mkdir()
    refused(folder / name, database, NotFound, "does not exist")


def test_a_database_is_not_restored_from_itself(database):
    refused(database, database, Invalid, "is no backup")


RESTORE_LIMITED = """
import resource, sys
from pathlib import Path
from loyalty.core.errors import LoyaltyError
from loyalty.state.restore import restore
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    restore(Path(sys.argv[1]), Path(sys.argv[2]), now=int(sys.argv[3]))
except LoyaltyError as error:
    print(error)
"""


def test_a_restore_without_room_leaves_the_database_as_it_was(database, folder):
    backup = back_up(database, folder, now=NOW)
    before = database.read_bytes()
    arguments = [str(backup.path), str(database), str(NOW)]
    told = subprocess.run(
        [sys.executable, "-c", RESTORE_LIMITED, *arguments], capture_output=True, text=True, check=True
    )
    assert "File too large. The database is as it was; free space" in told.stdout
    assert database.read_bytes() == before
    assert not list(database.parent.glob("*restor*"))


def test_every_failure_is_one_of_ours(tmp_path):
    for broken in (b"", b"not a database" * 400):
        path = tmp_path / "loyalty-20260420T120000Z.db"
        path.write_bytes(broken)
        digest = hashlib.sha256(broken).hexdigest()
        Path(f"{path}.sha256").write_text(f"{digest}  {path.name}\n")
        with pytest.raises(LoyaltyError, match=r"no database of loyalty|not a database"):
            verify_backup(path)
