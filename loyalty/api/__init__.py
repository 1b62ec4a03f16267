"""The HTTP API and the page: `uvicorn loyalty.api:create_app --factory --workers N`, behind any proxy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from loyalty.config import Settings
    from loyalty.state import State


def create_app(
    settings: "Settings | None" = None, state: "State | None" = None, now: Callable[[], int] | None = None
) -> "FastAPI":
    """The application for `settings` (default: the environment's) and their database, which may come later.

    It reads, and leaves commands for the worker; it writes nothing else. `state`: an open database to use instead.
    """
    import time

    from loyalty.api.app import build
    from loyalty.api.database import Database
    from loyalty.config import load_settings

    chosen = settings or load_settings()
    return build(chosen, Database(chosen.database, state), now or (lambda: int(time.time())))
