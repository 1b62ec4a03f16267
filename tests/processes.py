"""Real processes of `loyalty` on the recorded demo chain, and how tests wait for what they do."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 60.0


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The demo in `folder`, three weeks into its program, its chain's clock going an hour a second."""
    recording = CHECKOUT / "loyalty" / "demo" / "recording.jsonl.gz"
    own = {
        "LOYALTY_PROGRAM": str(CHECKOUT / "programs" / "demo-one-chain.toml"),
        "LOYALTY_DATABASE": str(folder / "demo.db"),
        "LOYALTY_BACKUP_FOLDER": str(folder / "backups"),
        "LOYALTY_RPC_DEMO": f"file:{recording}?from=2026-05-13T00:00:00Z&speed=3600",
        "LOYALTY_REFRESH_SECONDS": "0.5",
        "LOYALTY_PORT": str(free_port()),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOYALTY_")}
    return kept | own | changes


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, *arguments: str, **changes: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`loyalty` with these arguments; its log is `<folder>/log`. Ended, with everything it started, at the end."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "loyalty", *arguments],
            cwd=folder,
            env=environment(folder, **changes),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(seen: Callable[[], object], process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Until `seen` is true; fails with the log when that takes too long or the process ends before."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert process.poll() is None, f"it ended with {process.returncode}: {told(folder)}"
        assert time.monotonic() < until, f"it did not come to that: {told(folder)}"
        time.sleep(0.05)


def told(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")


def count(folder: Path, statement: str) -> int:
    """What a SELECT counts in the worker's database; 0 while there is nothing to count."""
    path = folder / "demo.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=10)) as connection:
        try:
            (found,) = connection.execute(statement).fetchone()
            return int(found or 0)
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return 0
            raise
