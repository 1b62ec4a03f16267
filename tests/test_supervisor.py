"""`loyalty run`: both processes are kept alive, and ended together."""

import os
import re
import signal
from pathlib import Path

from tests.processes import CHECKOUT, count, running, told, wait_until

BLOCK = "SELECT max(block) FROM processed_blocks"


def pids(folder: Path, verb: str) -> list[int]:
    """Every process of that name that was started so far."""
    return [int(pid) for pid in re.findall(rf"started process={verb} pid=(\d+)", told(folder))]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_that_dies_is_started_again_and_sigterm_ends_both(tmp_path: Path) -> None:
    with running(tmp_path, "run") as supervisor:
        wait_until(lambda: count(tmp_path, BLOCK), supervisor, tmp_path)
        wait_until(lambda: pids(tmp_path, "serve"), supervisor, tmp_path)
        for verb in ("worker", "serve"):
            os.kill(pids(tmp_path, verb)[-1], signal.SIGKILL)
            before = len(pids(tmp_path, verb))
            wait_until(lambda verb=verb, before=before: len(pids(tmp_path, verb)) > before, supervisor, tmp_path)  # type: ignore[misc]
        block = count(tmp_path, BLOCK)
        wait_until(lambda: count(tmp_path, BLOCK) > block, supervisor, tmp_path)
        assert f"process died process=worker code=-{int(signal.SIGKILL)}" in told(tmp_path)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(60) == 0
    left = [pid for verb in ("worker", "serve") for pid in pids(tmp_path, verb) if alive(pid)]
    assert left == []


def test_a_wrong_program_file_is_not_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program.toml"
    text = (CHECKOUT / "programs" / "demo-one-chain.toml").read_text(encoding="utf-8")
    program.write_text(text.replace('epoch = "7d"', 'epoch = "7 moons"'), encoding="utf-8")
    with running(tmp_path, "run", LOYALTY_PROGRAM=str(program)) as supervisor:
        assert supervisor.wait(60) == 2
    assert len(pids(tmp_path, "worker")) == 1
    assert "program.epoch" in told(tmp_path)
