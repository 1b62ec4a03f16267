"""An orderly end, whatever the main thread does when the signal comes."""

import signal
import threading
from collections.abc import Iterator

import pytest

from loyalty.stopping import stop_on_signals, wait_until_stopped


@pytest.fixture
def stopping() -> Iterator[threading.Event]:
    """Set by SIGTERM; the test process has its own handlers again afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    event = threading.Event()
    stop_on_signals(event)
    yield event
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_wakes_nobody_is_seen_all_the_same(stopping: threading.Event) -> None:
    """One that another thread catches does not interrupt the main thread's wait: like one that comes just before it."""
    caught_elsewhere = threading.Timer(0.3, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
    caught_elsewhere.start()
    assert wait_until_stopped(stopping, 20)
    caught_elsewhere.join()


def test_a_signal_while_the_events_lock_is_held_does_not_block(stopping: threading.Event) -> None:
    """As within `stopping.wait`, when the handler runs between taking the lock and giving it back."""
    with stopping._cond:  # type: ignore[attr-defined]
        signal.raise_signal(signal.SIGTERM)
    assert wait_until_stopped(stopping, 20)


def test_a_wait_ends_with_its_time(stopping: threading.Event) -> None:
    assert not wait_until_stopped(stopping, 0.01)
