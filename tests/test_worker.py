"""A real worker process on the recorded demo chain: it stops cleanly, and a failing job disturbs no other."""

import signal
import time
from pathlib import Path

from loyalty.jobs.verify import verify
from loyalty.state import open_state
from loyalty.state.check import check
from tests.processes import count, running, told, wait_until

SETTLED = "SELECT count(*) FROM epochs WHERE status = 'settled'"
FAILING = "SELECT count(*) FROM job_runs WHERE job = 'back_up' AND consecutive_failures >= 2"
RECOVERED = "SELECT count(*) FROM job_runs WHERE job = 'back_up' AND failures >= 2 AND consecutive_failures = 0"
BLOCK = "SELECT max(block) FROM processed_blocks"


def test_sigterm_ends_the_step_within_seconds_and_what_is_stored_is_whole(tmp_path: Path) -> None:
    with running(tmp_path, "worker") as worker:
        wait_until(lambda: count(tmp_path, SETTLED) >= 2, worker, tmp_path)
        worker.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert worker.wait(20) == 0, told(tmp_path)
        assert time.monotonic() - asked < 15
    assert check(tmp_path / "demo.db") == []
    with open_state(tmp_path / "demo.db", create=False) as state:
        assert verify(state).faults == ()
    assert "job failed" not in told(tmp_path)


def test_one_failing_job_is_counted_told_and_retried_while_the_others_go_on_and_is_over_when_it_works(
    tmp_path: Path,
) -> None:
    """A file stands where the folder for backups should be; then it is taken away."""
    (tmp_path / "backups").write_text("not a folder")
    with running(tmp_path, "worker", LOYALTY_BACKUP_HOURS="0.0002") as worker:
        wait_until(lambda: count(tmp_path, FAILING), worker, tmp_path)
        block, settled = count(tmp_path, BLOCK), count(tmp_path, SETTLED)
        wait_until(lambda: count(tmp_path, BLOCK) > block, worker, tmp_path)
        wait_until(lambda: count(tmp_path, SETTLED) >= max(settled, 1), worker, tmp_path)
        (tmp_path / "backups").unlink()
        wait_until(lambda: count(tmp_path, RECOVERED), worker, tmp_path)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    lines = [line for line in told(tmp_path).splitlines() if "job failed" in line]
    assert len(lines) >= 2
    assert all("job=back_up" in line and "cannot be written" in line for line in lines)
    assert list((tmp_path / "backups").glob("demo-*.db"))


def test_a_second_worker_is_refused_and_the_first_one_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, "worker") as first:
        wait_until(lambda: count(tmp_path, BLOCK), first, tmp_path)
        with running(tmp_path, "worker") as second:
            assert second.wait(30) == 1
        assert f"is in use by worker pid {first.pid}" in told(tmp_path)
        block = count(tmp_path, BLOCK)
        wait_until(lambda: count(tmp_path, BLOCK) > block, first, tmp_path)


def test_a_command_left_for_the_worker_is_carried_out(tmp_path: Path) -> None:
    with running(tmp_path, "worker") as worker:
        wait_until(lambda: count(tmp_path, BLOCK), worker, tmp_path)
        with running(tmp_path, "hold", "--reason", "look first") as asking:
            assert asking.wait(30) == 0
        wait_until(lambda: count(tmp_path, "SELECT count(*) FROM holds"), worker, tmp_path)
        assert count(tmp_path, "SELECT succeeded FROM commands WHERE id = 1") == 1
