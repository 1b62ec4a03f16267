"""An orderly end: SIGTERM and SIGINT set an event, which every loop of the process looks at."""

import signal
import threading
import time
from types import FrameType

LOOK_SECONDS = 0.2


def stop_on_signals(stopping: threading.Event) -> None:
    """SIGTERM and SIGINT ask for an orderly end. To be called by the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        # Not here: the main thread may be within `stopping.wait`, holding the lock that `set` waits for.
        threading.Thread(target=stopping.set, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def wait_until_stopped(stopping: threading.Event, seconds: float = float("inf")) -> bool:
    """Wait until the process is asked to end, at most `seconds`; whether it was.

    For the main thread, which alone runs signal handlers: it looks again and again, because a signal that arrives just
    before a thread begins to wait for a lock does not wake it, and a wait without an end would never run the handler.
    """
    until = time.monotonic() + seconds
    while not stopping.is_set() and (left := until - time.monotonic()) > 0:
        stopping.wait(min(left, LOOK_SECONDS))
    return stopping.is_set()
