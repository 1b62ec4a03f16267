"""The tables. Facts first, then what is derived from them, then what runs the place.

Times are UTC unix seconds, `day` counts days from 1970-01-01, USD is in micro-dollars, `*_units` and liquidity are
exact integers of any size (NUMERIC(78,0) in PostgreSQL, text in SQLite: never sorted, added or compared in SQL).
`schema.sql` is this file as SQLite sees it; a test keeps both and the migrations equal.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Units(TypeDecorator[int]):
    """An exact integer of up to 78 digits."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(78, 0))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


# What the program is ------------------------------------------------------------------------------------------------

program_config = Table(
    "program_config",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("epoch_seconds", BigInteger, nullable=False),
    Column("chains", Text, nullable=False, comment="JSON list of chain ids, ascending"),
    Column("rules", Text, nullable=False, comment="JSON of the rules, canonical"),
    Column("effective_from_epoch", Integer, nullable=False),
    Column("created_time", BigInteger, nullable=False),
)

chains = Table(
    "chains",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="the EVM chain id"),
    Column("name", Text, nullable=False, unique=True),
    Column("position_managers", Text, comment="JSON list of the addresses that facts were read with; null before"),
    Column("program_start_block", BigInteger, comment="first block with time >= the program's start, once known"),
    Column("head_block", BigInteger),
    Column("head_time", BigInteger),
    Column("finalized_block", BigInteger),
    Column("finalized_time", BigInteger),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("symbol", Text, nullable=False, unique=True),
    Column("chain_id", BigInteger, nullable=False, comment="0 without an address"),
    Column("address", Text),
    Column("decimals", Integer, nullable=False),
    Column("price_decimals", Integer, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, ForeignKey("chains.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("token0_id", Integer, ForeignKey("tokens.id"), nullable=False),
    Column("token1_id", Integer, ForeignKey("tokens.id"), nullable=False),
    Column("fee_pips", Integer),
    Column("tick_spacing", Integer),
    Column("start_block", BigInteger, nullable=False),
    Column("next_block", BigInteger, nullable=False, comment="the cursor: the next block to index"),
    UniqueConstraint("chain_id", "address"),
)

providers = Table(
    "providers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
)

followed_tokens = Table(
    "followed_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, ForeignKey("chains.id"), nullable=False),
    Column("address", Text, nullable=False),
    UniqueConstraint("chain_id", "address"),
)

pool_shares = Table(
    "pool_shares",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True, autoincrement=False),
    Column("lp_token_id", Integer, ForeignKey("followed_tokens.id"), nullable=False),
    Column("generation", Text, comment="the family of the pool's contract, once its first event tells it"),
)

pool_coins = Table(
    "pool_coins",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="the pool's own number of the coin, from 0"),
    Column("token_id", Integer, ForeignKey("tokens.id"), nullable=False),
    Column("followed_token_id", Integer, ForeignKey("followed_tokens.id"), nullable=False),
)

pool_gauges = Table(
    "pool_gauges",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="its place in the program file, from 0"),
    Column("followed_token_id", Integer, ForeignKey("followed_tokens.id"), nullable=False),
)

# Facts: key (chain, block, log index) -------------------------------------------------------------------------------

processed_blocks = Table(
    "processed_blocks",
    metadata,
    Column("chain_id", BigInteger, ForeignKey("chains.id"), primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("event_count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

swaps = Table(
    "swaps",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sqrt_price_x96", Units, nullable=False),
    Column("tick", Integer, nullable=False),
    Column("liquidity", Units, comment="null for the pool's Initialize"),
    Column("amount0", Units, nullable=False),
    Column("amount1", Units, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_swaps_pool_id_time", "pool_id", "time"),
    sqlite_with_rowid=False,
)

liquidity_changes = Table(
    "liquidity_changes",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("owner_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("lower_tick", Integer, nullable=False),
    Column("upper_tick", Integer, nullable=False),
    Column("liquidity_delta", Units, nullable=False),
    Column("amount0", Units, nullable=False),
    Column("amount1", Units, nullable=False),
    Column("token_id", Units, comment="the position token of the manager `owner`, null for a direct position"),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_liquidity_changes_pool_id_block", "pool_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

position_transfers = Table(
    "position_transfers",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("manager_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("token_id", Units, nullable=False),
    Column("sender_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("recipient_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_position_transfers_pool_id_block", "pool_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

token_transfers = Table(
    "token_transfers",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("followed_token_id", Integer, ForeignKey("followed_tokens.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sender_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("recipient_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("units", Units, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_token_transfers_followed_token_id_block", "followed_token_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

price_points = Table(
    "price_points",
    metadata,
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("valid_time", BigInteger, primary_key=True),
    Column("price", Units, nullable=False, comment="USD per whole token at the token's price_decimals"),
    Column("source", Text, nullable=False),
    Column("asked_time", BigInteger, nullable=False),
    Column("reason", Text, comment="why, where the operator set it"),
    sqlite_with_rowid=False,
)

# Derived: can be deleted and computed again -------------------------------------------------------------------------

pool_days = Table(
    "pool_days",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("status", Text, nullable=False, comment="open, closed or unpriced"),
    Column("reason", Text, comment="what is missing, where unpriced"),
    Column("as_of_block", BigInteger, nullable=False),
    Column("as_of_time", BigInteger, nullable=False, comment="the cells count the day up to here"),
    sqlite_with_rowid=False,
)

daily_balances = Table(
    "daily_balances",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("usd_micro_days", BigInteger, nullable=False),
    Column("usd_micro_days_in_range", BigInteger, nullable=False),
    Index("ix_daily_balances_pool_id_day", "pool_id", "day"),
    sqlite_with_rowid=False,
)

provider_balances = Table(
    "provider_balances",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("usd_micro", BigInteger, nullable=False),
    Column("usd_micro_in_range", BigInteger, nullable=False),
    Column("as_of_block", BigInteger, nullable=False),
    Column("as_of_time", BigInteger, nullable=False),
    Index("ix_provider_balances_pool_id", "pool_id"),
    sqlite_with_rowid=False,
)

epochs = Table(
    "epochs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False, comment="provisional, computed or settled"),
    Column("digest", Text, comment="hex SHA-256, once settled"),
    Column("rules_version", Integer, ForeignKey("program_config.version"), nullable=False),
    Column("providers", Integer, nullable=False, comment="with a reward"),
    Column("usd_micro_days", Units, nullable=False, comment="after exclusions, as `count` says"),
    Column("reasons", Text, nullable=False, comment="JSON list: what blocks settlement"),
    Column("as_of_time", BigInteger, nullable=False),
)

epoch_budgets = Table(
    "epoch_budgets",
    metadata,
    Column("epoch", Integer, ForeignKey("epochs.number"), primary_key=True),
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("budget_units", Units, nullable=False, comment="the epoch's own"),
    Column("carried_in_units", Units, nullable=False),
    Column("paid_units", Units, nullable=False),
    Column("carried_out_units", Units, nullable=False, comment="to the next epoch; 0 in the last"),
    Column("unallocated_units", Units, nullable=False, comment="what is left after the last epoch; 0 before"),
)

participations = Table(
    "participations",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("epoch", Integer, ForeignKey("epochs.number"), primary_key=True),
    Column("usd_micro_days", Units, nullable=False, comment="in the epoch, after exclusions, as `count` says"),
    Column("participation_epoch", Integer, nullable=False),
    Column("tier", Text, comment="null where no tier applies"),
    Column("multiplier", Text, nullable=False),
    Column("weight", Text, nullable=False, comment="exact decimal: dollar-days x pool weights x multiplier"),
    Index("ix_participations_epoch", "epoch"),
    sqlite_with_rowid=False,
)

rewards = Table(
    "rewards",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("epoch", Integer, ForeignKey("epochs.number"), primary_key=True),
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("units", Units, nullable=False),
    Index("ix_rewards_epoch", "epoch"),
    sqlite_with_rowid=False,
)

# Paying -------------------------------------------------------------------------------------------------------------

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

# Running the place --------------------------------------------------------------------------------------------------

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
