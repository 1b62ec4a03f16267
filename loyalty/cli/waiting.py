"""Waiting for the worker: a command is left for it, and its outcome is what the caller gets."""

import threading
from typing import Any

from loyalty.cli.session import ACTOR
from loyalty.core.errors import Conflict, Invalid, LoyaltyError, NotFound
from loyalty.jobs.commands import ask
from loyalty.service import wall_clock
from loyalty.state import commands
from loyalty.state.engine import State

LOOK_SECONDS = 0.3
_FAILURES: dict[str, type[LoyaltyError]] = {kind.code: kind for kind in (Invalid, NotFound, Conflict)}


def carried_out(state: State, kind: str, arguments: dict[str, Any], stopping: threading.Event) -> bool:
    """Ask the worker and wait until it has done it; False where the waiting was ended before.

    Raises what the worker failed with.
    """
    number = ask(state, kind, arguments, ACTOR, wall_clock())
    while not stopping.is_set():
        with state.read() as connection:
            command = commands.get(connection, number)
        if command.finished_time is not None:
            if not command.succeeded:
                raise _FAILURES.get(command.result["error"], Conflict)(command.result["detail"])
            return True
        stopping.wait(LOOK_SECONDS)
    return False
