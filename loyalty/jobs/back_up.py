"""Back up: a verified copy of the database, on schedule and by command."""

from pathlib import Path
from typing import Any

from loyalty.core.errors import Invalid
from loyalty.state import backup
from loyalty.state.engine import State


def back_up(state: State, folder: Path, keep: int, now: int) -> dict[str, Any]:
    """Copy the database into `folder`, verify the copy, keep the newest `keep`; where it is, and its checksum."""
    if state.path is None:
        raise Invalid("PostgreSQL is backed up with its own tools (pg_dump): see docs/operations.md")
    made = backup.back_up(state.path, folder, keep=keep, now=now)
    return {"path": str(made.path), "sha256": made.sha256}
