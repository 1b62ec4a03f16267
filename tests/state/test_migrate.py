"""The schema's versions: what is upgraded, what is refused, and that all three writings of the schema agree."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from loyalty.core.errors import Conflict
from loyalty.state import State, StateTransaction, holds, open_state
from loyalty.state.migrate import SCHEMA_VERSION, check_version, migrations_folder, upgrade, version
from loyalty.state.schema import metadata
from loyalty.state.schema_sql import schema_sql


def content(path: Path) -> bytes:
    return path.read_bytes()


def set_version(state: State, number: str) -> None:
    with StateTransaction(state) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})


def test_a_fresh_file_is_empty_and_one_upgrade_brings_it_to_the_present(tmp_path: Path) -> None:
    with open_state(tmp_path / "fresh.db") as state:
        assert version(state) is None
        with pytest.raises(Conflict, match=r"is empty: run `loyalty db upgrade`\. Nothing was changed"):
            check_version(state)
        assert upgrade(state)
        assert version(state) == SCHEMA_VERSION
        check_version(state)
        assert not upgrade(state)


def test_an_older_database_is_refused_until_it_is_upgraded(state: State) -> None:
    set_version(state, "0000")
    with pytest.raises(Conflict, match=f"has schema version 0000, this release needs {SCHEMA_VERSION}: run `loyalty"):
        check_version(state)


def test_a_newer_database_is_refused_with_both_versions_and_nothing_changed(state: State, database: Path) -> None:
    set_version(state, "9999")
    state.close()
    before = content(database)
    with open_state(database) as newer:
        for refused in (check_version, upgrade):
            with pytest.raises(Conflict, match=f"version 9999, .*up to {SCHEMA_VERSION}: install the newer release"):
                refused(newer)
    assert content(database) == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        "CREATE TABLE alembic_version AS SELECT 'ab12cd34' AS version_num",
    ],
)
def test_a_database_of_another_application_is_refused(tmp_path: Path, statement: str) -> None:
    with open_state(tmp_path / "theirs.db") as state:
        with StateTransaction(state) as connection:
            connection.exec_driver_sql(statement)
        for refused in (check_version, upgrade):
            with pytest.raises(Conflict, match="belongs to another application"):
                refused(state)


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The last view of the first version exists already, so the version fails at its end."""
    with open_state(tmp_path / "half.db") as state:
        with StateTransaction(state) as connection:
            connection.exec_driver_sql("CREATE VIEW rewards_readable AS SELECT 1")
        with pytest.raises(Exception, match="rewards_readable already exists"):
            upgrade(state)
        with state.read() as connection:
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert names == ["rewards_readable"]


def test_the_version_of_this_release_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [SCHEMA_VERSION]
    assert [revision.revision for revision in script.walk_revisions()][-1] == "0001"


def test_migrations_from_empty_give_the_tables_of_the_metadata(state: State) -> None:
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrations_from_empty_give_the_very_statements_of_the_metadata(state: State) -> None:
    """Down to each constraint's name; the order of a table's lines alone is free."""
    created = create_engine("sqlite://")
    metadata.create_all(created)
    with created.connect() as connection:
        expected = lines_by_name(connection)
    created.dispose()
    with state.read() as connection:
        assert lines_by_name(connection) == expected


def lines_by_name(connection: Connection) -> dict[str, list[str]]:
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL "
        "AND name <> 'alembic_version'"
    )
    plain = {name: sql.replace(f'TABLE "{name}"', f"TABLE {name}") for name, sql in rows}  # a rebuilt table is quoted
    return {
        name: sorted(line.strip(" ,\t") for line in sql.splitlines() if line.strip()) for name, sql in plain.items()
    }


def test_schema_sql_is_written_from_a_migrated_database() -> None:
    written = migrations_folder().parent / "schema.sql"
    assert written.read_text() == schema_sql(), "run: python -m loyalty.state.schema_sql"


def test_schema_sql_makes_the_tables_by_itself(tmp_path: Path, state: State) -> None:
    with open_state(tmp_path / "by-hand.db") as by_hand:
        with StateTransaction(by_hand) as connection:
            for statement in schema_sql().split(";\n"):
                connection.exec_driver_sql(statement)
        with by_hand.read() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_what_is_stored_stays_through_an_upgrade_that_has_nothing_to_do(state: State) -> None:
    with StateTransaction(state) as connection:
        holds.place(connection, "kept", 1)
    upgrade(state)
    with state.read() as connection:
        assert [hold.reason for hold in holds.active(connection)] == ["kept"]


def test_a_database_of_the_first_version_is_upgraded_with_what_it_holds(tmp_path: Path) -> None:
    with open_state(tmp_path / "first.db") as state:
        migrate_to(state, "0001")
        with StateTransaction(state) as connection:
            holds.place(connection, "kept", 1)
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
        assert "token_transfers" not in names
        with pytest.raises(Conflict, match=f"has schema version 0001, this release needs {SCHEMA_VERSION}"):
            check_version(state)
        assert upgrade(state)
        check_version(state)
        with state.read() as connection:
            assert [hold.reason for hold in holds.active(connection)] == ["kept"]
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def migrate_to(state: State, number: str) -> None:
    """As an older release left the database."""
    with StateTransaction(state) as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        command.upgrade(config, number)
