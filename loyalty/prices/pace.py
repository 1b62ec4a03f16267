"""A pace that calls to a source keep, so that its limit of calls a minute is not met at all."""

import threading
import time
from collections.abc import Callable


class Pace:
    """At least `seconds` between the starts of two calls; one Pace is shared by all tokens of a source.

    The default is CoinGecko's without a key; coingecko_api.SECONDS_BETWEEN_CALLS has the other plans'.
    """

    def __init__(
        self,
        seconds: float = 6.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._turn = threading.Lock()

    def wait(self) -> None:
        """Returns when the next call may start."""
        with self._turn:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._seconds
        if start > now:
            self._sleep(start - now)
