"""Bringing a database to this release's schema version. Alembic is imported only where there is work to do."""

from pathlib import Path

from loyalty.core.errors import NotFound
from loyalty.state.engine import State
from loyalty.state.transaction import StateTransaction
from loyalty.state.version import SCHEMA_VERSION, check_not_newer, check_version, version, version_of

__all__ = ["SCHEMA_VERSION", "check_version", "migrations_folder", "upgrade", "version"]


def migrations_folder() -> Path:
    """Where the migrations lie: in the installed package, or at the top of the checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise NotFound(f"the migrations are missing beside {package}: install loyalty again")


def upgrade(state: State) -> bool:
    """Bring the database to SCHEMA_VERSION as one transaction; whether there was anything to do.

    Two processes may do it at once: the second one waits and finds it done. Conflict where the database is newer.
    """
    found = version(state)
    check_not_newer(found, state.name)
    if found == SCHEMA_VERSION:
        return False
    from alembic import command
    from alembic.config import Config

    with StateTransaction(state, durable=True) as connection:
        check_not_newer(version_of(connection, state.name), state.name)
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
