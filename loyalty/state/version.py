"""The version of the schema: read without Alembic, so that opening a database costs milliseconds."""

from sqlalchemy import Connection, inspect

from loyalty.core.errors import Conflict
from loyalty.state.engine import State

SCHEMA_VERSION = "0003"
"""The newest that this release knows: the last file of migrations/versions."""


def version(state: State) -> str | None:
    """The database's schema version, such as "0002"; None while it is empty. Conflict where it is not ours."""
    with state.read() as connection:
        return version_of(connection, state.name)


def version_of(connection: Connection, name: str) -> str | None:
    inspector = inspect(connection)
    tables = inspector.get_table_names()
    if "alembic_version" in tables:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
        if not found:
            return None
        if len(found) == 1 and len(found[0]) == 4 and found[0].isdecimal():
            return str(found[0])
    elif not tables:
        return None
    raise Conflict(f"{name} belongs to another application: give loyalty a database of its own (LOYALTY_DATABASE)")


def check_not_newer(found: str | None, name: str) -> None:
    """Conflict where a newer release has written the database."""
    if found is not None and found > SCHEMA_VERSION:
        raise Conflict(
            f"{name} has schema version {found}, this release of loyalty knows versions up to {SCHEMA_VERSION}: "
            "install the newer release. Nothing was changed"
        )


def check_version(state: State) -> None:
    """Conflict where the database is not of exactly this release's schema version; nothing is changed."""
    found = version(state)
    check_not_newer(found, state.name)
    if found != SCHEMA_VERSION:
        is_what = "is empty" if found is None else f"has schema version {found}, this release needs {SCHEMA_VERSION}"
        raise Conflict(f"{state.name} {is_what}: run `loyalty db upgrade`. Nothing was changed")
