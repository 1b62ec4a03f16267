"""Facts: what chains and price sources said. The key of a chain's fact is (chain, block, log index)."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from loyalty.state.schema.words import Units, metadata

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

position_stakes = Table(
    "position_stakes",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("contract_id", Integer, ForeignKey("followed_contracts.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("token_id", Units, nullable=False),
    Column("depositor_id", Integer, ForeignKey("providers.id"), comment="null: nobody's from here on"),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_position_stakes_contract_id_block", "contract_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

vault_events = Table(
    "vault_events",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="stake, instant_unstake, unstake or redeem"),
    Column("account_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("units", Units, nullable=False, comment="shares of a redeem, else the asset's"),
    Column("round", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_vault_events_pool_id_block", "pool_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

round_rolls = Table(
    "round_rolls",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("round", BigInteger, nullable=False),
    Column("price_per_share", Units, nullable=False, comment="asset units per whole share"),
    Column("shares_minted", Units, nullable=False),
    Column("wrapped_minted", Units, nullable=False),
    Column("wrapped_burned", Units, nullable=False),
    Column("yield_units", Units, nullable=False, comment="negative for a loss"),
    Column("transaction_hash", LargeBinary, nullable=False),
    UniqueConstraint("pool_id", "round"),
    sqlite_with_rowid=False,
)

asset_exchanges = Table(
    "asset_exchanges",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="deposit or withdraw"),
    Column("owner_id", Integer, ForeignKey("providers.id"), nullable=False),
    Column("assets", Units, nullable=False),
    Column("shares", Units, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_asset_exchanges_pool_id_block", "pool_id", "block", "log_index"),
    sqlite_with_rowid=False,
)

oracle_answers = Table(
    "oracle_answers",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("aggregator", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("round_id", Units, nullable=False, comment="the aggregator's own"),
    Column("answer", Units, nullable=False, comment="at the feed's decimals; 0 and below are no prices"),
    Column("updated_at", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary, nullable=False),
    Index("ix_oracle_answers_aggregator_updated_at", "aggregator", "updated_at"),
    sqlite_with_rowid=False,
)

pool_ticks = Table(
    "pool_ticks",
    metadata,
    Column("contract_id", Integer, ForeignKey("followed_contracts.id"), primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("log_index", Integer, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("sqrt_price_x96", Units, nullable=False),
    Column("tick", Integer, nullable=False),
    Index("ix_pool_ticks_contract_id_time", "contract_id", "time"),
    sqlite_with_rowid=False,
)

share_answers = Table(
    "share_answers",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("valid_time", BigInteger, primary_key=True, comment="the full hour that the answer is of"),
    Column("chain_id", BigInteger, nullable=False),
    Column("block", BigInteger, nullable=False, comment="the last one up to that hour, final when it was asked"),
    Column("value", Units, nullable=False, comment="a virtual price, or asset units per whole share"),
    Column("asked_time", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

price_points = Table(
    "price_points",
    metadata,
    Column("token_id", Integer, ForeignKey("tokens.id"), primary_key=True),
    Column("valid_time", BigInteger, primary_key=True),
    Column("version", Integer, primary_key=True, server_default=text("1"), comment="a correction is a later one"),
    Column("price", Units, nullable=False, comment="USD per whole token at the token's price_decimals"),
    Column("source", Text, nullable=False),
    Column("asked_time", BigInteger, nullable=False),
    Column("reason", Text, comment="why, where the operator set it"),
    sqlite_with_rowid=False,
)
