"""Alembic's entry: runs the versions on the connection and in the transaction that loyalty/state/migrate.py gives."""

from alembic import context
from sqlalchemy import Connection

from loyalty.state.schema import metadata

connection = context.config.attributes.get("connection")
if not isinstance(connection, Connection):
    raise SystemExit("run `loyalty db upgrade`: it opens the database the right way and then runs Alembic")

context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
