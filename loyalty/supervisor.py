"""`loyalty run`: API and worker as two processes; one that dies is started again, with growing pauses."""

import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

from loyalty.config import Settings
from loyalty.stopping import LOOK_SECONDS, stop_on_signals

PAUSE_SECONDS = 1.0
PAUSE_MOST_SECONDS = 60.0
HEALTHY_SECONDS = 60.0
"""A process that lived this long is started again at once when it dies."""
GRACE_SECONDS = 30.0
USELESS = 2
"""The exit code of wrong use or a wrong program file: starting again cannot help."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Child:
    """One process, and when it may be started again."""

    verb: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = PAUSE_SECONDS
    wait_until: float = field(default=0.0)

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "loyalty", self.verb])
        self.started = time.monotonic()
        _log.info("started process=%s pid=%s", self.verb, self.process.pid)

    def look(self) -> int | None:
        """The exit code, where the process has just died; its next start is then planned."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        lived = time.monotonic() - self.started
        self.pause = PAUSE_SECONDS if lived >= HEALTHY_SECONDS else min(self.pause * 2, PAUSE_MOST_SECONDS)
        self.wait_until = time.monotonic() + (0.0 if lived >= HEALTHY_SECONDS else self.pause)
        return code

    def stop(self) -> None:
        """Ask it to end its step; kill it only after the grace."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _log.error("killed process=%s: it did not end within %s seconds", self.verb, GRACE_SECONDS)
            self.process.kill()
            self.process.wait()


def supervise(settings: Settings) -> None:
    """Keep both processes running until SIGTERM or SIGINT, then end them in order: first the API, then the worker."""
    stopping = threading.Event()

    stop_on_signals(stopping)
    children = [Child("worker"), Child("serve")]
    _log.info("loyalty is starting: http://%s:%s", settings.host, settings.port)
    failed = 0
    try:
        while not stopping.is_set() and not failed:
            for child in children:
                code = child.look()
                if code is not None:
                    _log.error(
                        "process died process=%s code=%s, starting again in %.0f s", child.verb, code, child.pause
                    )
                if code == USELESS:
                    failed = code
                if child.process is None and not failed and time.monotonic() >= child.wait_until:
                    child.start()
            stopping.wait(LOOK_SECONDS)
    finally:
        for child in reversed(children):
            child.stop()
    if failed:
        sys.exit(failed)
