"""Paying, and running the place: commands, audit, holds, jobs, and what the jobs remember."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from loyalty.state.schema.words import Units, metadata

payments = Table(
    "payments",
    metadata,
    Column("epoch", Integer, ForeignKey("epochs.number"), primary_key=True),
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("transaction_hash", Text, nullable=False),
    Column("dust_below_units", Units, nullable=False, comment="owed amounts below this were carried, not paid"),
    Column("total_units", Units, nullable=False),
    Column("paid_time", BigInteger, nullable=False),
)

payment_lines = Table(
    "payment_lines",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("epoch", Integer, ForeignKey("epochs.number"), primary_key=True),
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("units", Units, nullable=False, comment="paid with this epoch's payment, earlier dust included"),
    sqlite_with_rowid=False,
)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("arguments", Text, nullable=False, comment="JSON"),
    Column("requested_by", Text, nullable=False),
    Column("requested_time", BigInteger, nullable=False),
    Column("finished_time", BigInteger),
    Column("succeeded", Boolean),
    Column("result", Text, comment="JSON: the result, or the error told"),
    Index("ix_commands_finished_time", "finished_time"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("placed_time", BigInteger, nullable=False),
    Column("released_time", BigInteger),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("started_time", BigInteger, nullable=False),
    Column("finished_time", BigInteger),
    Column("runs", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("consecutive_failures", Integer, nullable=False),
    Column("last_error", Text),
)

price_refusals = Table(
    "price_refusals",
    metadata,
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("valid_time", BigInteger, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("asked_time", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

price_backoffs = Table(
    "price_backoffs",
    metadata,
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("until_time", BigInteger, nullable=False, comment="not asked before"),
    Column("failures", Integer, nullable=False, comment="in a row"),
)

contract_codes = Table(
    "contract_codes",
    metadata,
    Column("chain_id", BigInteger, ForeignKey("chains.id"), primary_key=True),
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("is_contract", Boolean, nullable=False, comment="whether code lay at the address when it was looked at"),
    Column("checked_time", BigInteger, nullable=False),
)

backfills = Table(
    "backfills",
    metadata,
    Column("chain_id", BigInteger, ForeignKey("chains.id"), primary_key=True, autoincrement=False),
    Column("from_block", BigInteger, nullable=False),
    Column("until_block", BigInteger, nullable=False),
    Column("next_block", BigInteger, nullable=False),
    Column("logs", BigInteger, nullable=False),
    Column("began_time", BigInteger, nullable=False),
    Column("updated_time", BigInteger, nullable=False),
    Column("stopped", Boolean, nullable=False),
)
