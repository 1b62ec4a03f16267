"""Time and chance as arguments: what waits, backs off or plays a recording is given these and knows no other."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """`now` in seconds that never go back (of no particular origin), `sleep`, and `jitter`: a number in [0, 1)."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
