"""The same code on PostgreSQL: snapshots, the one writer, and what is refused."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from loyalty.core.errors import Conflict, Unavailable
from loyalty.state import State, StateTransaction, engine, holds, open_state, transaction
from loyalty.state.migrate import check_version, upgrade
from loyalty.state.schema import metadata

COUNT = text("SELECT count(*) FROM holds")

pytestmark = pytest.mark.parametrize("state", ["postgresql"], indirect=True)


def test_migrations_give_the_tables_of_the_metadata(state: State) -> None:
    check_version(state)
    assert not upgrade(state)
    with state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_reader_sees_one_state_and_cannot_write(state: State) -> None:
    with state.read() as connection:
        assert connection.execute(COUNT).scalar_one() == 0
        first = state.data_version()
        with StateTransaction(state) as writing:
            holds.place(writing, "meanwhile", 1)
        assert state.data_version() != first
        assert connection.execute(COUNT).scalar_one() == 0
        with pytest.raises(Conflict, match="cannot be written"):
            holds.place(connection, "by a reader", 1)
    with state.read() as connection:
        assert connection.execute(COUNT).scalar_one() == 1


def test_writers_come_one_after_the_other(state: State, postgresql_url: str) -> None:
    def write(through: State) -> None:
        for _ in range(5):
            with StateTransaction(through, durable=True) as connection:
                seen = connection.execute(COUNT).scalar_one()
                holds.place(connection, str(seen), 1)

    with open_state(postgresql_url) as other:
        threads = [threading.Thread(target=write, args=(through,)) for through in (state, other, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with state.read() as connection:
        assert [hold.reason for hold in holds.all_holds(connection)] == [str(seen) for seen in range(15)]


def test_a_writer_that_stays_is_told_after_a_while(
    state: State, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "BUSY_SECONDS", 0.1)
    with (
        open_state(postgresql_url) as impatient,
        StateTransaction(state),
        pytest.raises(Unavailable, match="being written by another process"),
        StateTransaction(impatient),
    ):
        pass
    assert engine.BUSY_SECONDS == 30


def test_a_newer_database_is_refused(state: State) -> None:
    with StateTransaction(state) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (check_version, upgrade):
        with pytest.raises(Conflict, match=r"schema version 9999, .*install the newer release"):
            refused(state)
