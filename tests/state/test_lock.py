import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from loyalty.core.errors import Conflict, Unavailable
from loyalty.state.lock import WorkerLock, lock_path

NOW = 1_776_686_400  # 2026-04-20T12:00:00Z

HOLD = """
import sys
from pathlib import Path
from loyalty.state.lock import WorkerLock
with WorkerLock(Path(sys.argv[1]), 1776686400):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holds(database):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_worker_is_told_who_holds_the_database(tmp_path):
    database = tmp_path / "loyalty.db"
    message = f"loyalty.db is in use by worker pid {os.getpid()} since 2026-04-20T12:00:00Z: stop that worker first"
    with WorkerLock(database, NOW), pytest.raises(Conflict, match=message), WorkerLock(database, NOW + 1):
        pass


def test_a_worker_in_another_process_is_seen(tmp_path):
    database = tmp_path / "loyalty.db"
    with another_process_holds(database) as process:
        message = f"in use by worker pid {process.pid} since"
        with pytest.raises(Conflict, match=message):
            WorkerLock(database, NOW).acquire()


def test_a_killed_worker_leaves_no_lock_behind(tmp_path):
    database = tmp_path / "loyalty.db"
    with another_process_holds(database) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lock_path(database).exists()
        with WorkerLock(database, NOW):
            pass


def test_a_released_lock_can_be_taken_again_by_anyone(tmp_path):
    database = tmp_path / "loyalty.db"
    lock = WorkerLock(database, NOW)
    with lock:
        pass
    with lock, pytest.raises(Conflict, match="held already"):
        lock.acquire()
    with another_process_holds(database):
        pass


def test_a_lock_ends_with_an_exception_too(tmp_path):
    with pytest.raises(ZeroDivisionError), WorkerLock(tmp_path / "loyalty.db", NOW):
        _ = 1 // 0
    with WorkerLock(tmp_path / "loyalty.db", NOW):
        pass


def test_a_database_has_one_lock_by_whatever_name_it_is_opened(tmp_path):
    database, other_name = tmp_path / "loyalty.db", tmp_path / "link.db"
    database.touch()
    other_name.symlink_to(database)
    with WorkerLock(database, NOW), pytest.raises(Conflict):
        WorkerLock(other_name, NOW).acquire()


def test_two_databases_have_a_worker_each(tmp_path):
    with WorkerLock(tmp_path / "one.db", NOW), WorkerLock(tmp_path / "two.db", NOW):
        pass


def test_a_child_program_does_not_inherit_the_lock(tmp_path):
    database = tmp_path / "loyalty.db"
    with WorkerLock(database, NOW):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        with WorkerLock(database, NOW):
            pass
    finally:
        child.communicate()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(
        Unavailable, match=r"nowhere/loyalty\.db\.worker\.lock cannot be made: No such file or directory"
    ):
        WorkerLock(tmp_path / "nowhere" / "loyalty.db", NOW).acquire()
