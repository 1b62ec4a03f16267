"""StateTransaction: a step is kept as a whole or not at all, whatever happens in it."""

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from loyalty.core.errors import Conflict, Unavailable
from loyalty.state import State, StateTransaction, engine, holds, open_state


def reasons(state: State) -> list[str]:
    with state.read() as connection:
        return [hold.reason for hold in holds.all_holds(connection)]


def test_all_of_a_step_is_committed_at_its_end(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "one", 1)
        holds.place(connection, "two", 2)
    assert reasons(state) == ["one", "two"]


def test_an_exception_takes_the_whole_step_back(state: State) -> None:
    with suppress(ZeroDivisionError), StateTransaction(state) as connection:
        holds.place(connection, "one", 1)
        raise ZeroDivisionError
    assert reasons(state) == []


def test_a_step_within_a_step_is_refused_and_the_outer_one_goes_on(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "outer", 1)
        with pytest.raises(Conflict, match="inside a StateTransaction already"), StateTransaction(state):
            pass
        holds.place(connection, "still outer", 2)
    assert reasons(state) == ["outer", "still outer"]


def test_after_a_failed_step_the_next_one_runs(state: State) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), StateTransaction(state):
            raise ZeroDivisionError
    with StateTransaction(state) as connection:
        holds.place(connection, "fine", 1)
    assert reasons(state) == ["fine"]


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_a_durable_step_is_flushed_and_the_next_ordinary_one_is_not(
    state: State, durable: bool, synchronous: int
) -> None:
    with StateTransaction(state, durable=durable) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == synchronous
    with StateTransaction(state) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 1


def test_writers_in_many_threads_and_states_come_one_after_the_other(state: State, database: Path) -> None:
    """Each reads the count and adds one row that says so: a lost lock would give one count twice."""

    def write(through: State) -> None:
        for _ in range(10):
            with StateTransaction(through) as connection:
                seen = connection.execute(text("SELECT count(*) FROM holds")).scalar_one()
                holds.place(connection, str(seen), 1)

    with open_state(database) as other:
        threads = [threading.Thread(target=write, args=(through,)) for through in (state, state, other, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert reasons(state) == [str(seen) for seen in range(40)]


def test_a_writer_that_stays_is_told_after_a_while(
    state: State, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    with (
        open_state(database) as impatient,
        StateTransaction(state),
        pytest.raises(Unavailable, match="being written by another process"),
        StateTransaction(impatient),
    ):
        pass


def test_a_full_disk_is_told_and_leaves_the_database_as_it_was(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "before", 1)
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def fill() -> None:
        with StateTransaction(state) as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
            for number in range(1000):
                holds.place(connection, f"{number} " + "x" * 10_000, 2)

    with pytest.raises(Unavailable, match=r"the disk is full\. Nothing of this step was kept; free space"):
        fill()
    assert reasons(state) == ["before"]
    with StateTransaction(state) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        holds.place(connection, "after", 3)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert reasons(state) == ["before", "after"]


KILLED_IN_A_STEP = """
import sys, time
from loyalty.state import StateTransaction, holds, open_state
state = open_state(sys.argv[1])
for number in range(3):
    with StateTransaction(state) as connection:
        holds.place(connection, f"committed {number}", number)
with StateTransaction(state) as connection:
    for number in range(5000):  # more than the cache and the log hold at once would show, were it kept
        holds.place(connection, "x" * 2000, number)
    print("inside", flush=True)
    time.sleep(60)
"""


def test_a_process_killed_within_a_step_loses_exactly_that_step(state: State, database: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED_IN_A_STEP, str(database)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"inside\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait(60) == -signal.SIGKILL
    assert reasons(state) == ["committed 0", "committed 1", "committed 2"]
    with StateTransaction(state) as connection:
        holds.place(connection, "after", 9)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert reasons(state)[-1] == "after"


def test_a_row_that_points_nowhere_is_refused_by_the_database(state: State) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), StateTransaction(state) as connection:
        connection.execute(text("INSERT INTO rewards VALUES (1, 1, 1, '5')"))
