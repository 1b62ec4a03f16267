"""schema.sql: a migrated SQLite database's schema, for reading; `python -m loyalty.state.schema_sql` writes it anew."""

import re
import tempfile
from pathlib import Path

from sqlalchemy import Connection

from loyalty.state.engine import open_state
from loyalty.state.migrate import migrations_folder, upgrade
from loyalty.state.schema import metadata
from loyalty.state.version import SCHEMA_VERSION

_COLUMN = re.compile(r"^\t(\w+) .*?,?\s*$")
_TITLE = (
    f"-- The schema of loyalty, version {SCHEMA_VERSION}, as SQLite sees it. For reading: the migrations make it,\n"
    "-- and a test keeps both equal. Write it anew with: python -m loyalty.state.schema_sql\n"
)


def schema_sql() -> str:
    """The text of schema.sql, from an empty database brought to the present version."""
    with tempfile.TemporaryDirectory() as folder, open_state(Path(folder) / "schema.db") as state:
        upgrade(state)
        with state.read() as connection:
            return text_of(connection)


def text_of(connection: Connection) -> str:
    """Every statement that made the database, tables with the meaning of their columns."""
    rows = connection.exec_driver_sql(
        "SELECT type, tbl_name, sql FROM sqlite_master "
        "WHERE sql IS NOT NULL AND tbl_name <> 'alembic_version' ORDER BY rowid"
    )
    statements = [f"{_commented(table, sql) if kind == 'table' else sql};" for kind, table, sql in rows]
    return "\n".join([_TITLE, *(_tidy(statement) + "\n" for statement in statements)])


def _tidy(statement: str) -> str:
    return re.sub(r"\)\s*WITHOUT ROWID\s*;", ") WITHOUT ROWID;", re.sub(r"[ \t]+$", "", statement, flags=re.M))


def _commented(table: str, sql: str) -> str:
    """A table's statement, each column followed by its comment."""
    meanings = {column.name: column.comment for column in metadata.tables[table].columns if column.comment}

    def line(text: str) -> str:
        column = _COLUMN.match(text)
        meaning = meanings.get(column[1]) if column else None
        return f"{text.rstrip()} -- {meaning}" if meaning else text

    return "\n".join(line(text) for text in sql.splitlines())


if __name__ == "__main__":
    target = migrations_folder().parent / "schema.sql"
    target.write_text(schema_sql())
