"""Derived: can be deleted and computed again to the last unit."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from loyalty.state.schema.words import Units, metadata

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

rounds = Table(
    "rounds",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True, comment="the vault's home"),
    Column("round", BigInteger, primary_key=True, comment="the one that begins here"),
    Column("start_time", BigInteger, nullable=False),
    Column("start_block", BigInteger, nullable=False),
    Column("start_log_index", Integer, nullable=False),
    Column("price_per_share", Units, nullable=False),
    Column("unclaimed_shares", Units, nullable=False, comment="the contracts' own: nobody's"),
    Column("in_flight_shares", Units, nullable=False, comment="burned on one chain, not minted yet on another"),
    sqlite_with_rowid=False,
)

round_shares = Table(
    "round_shares",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("round", BigInteger, primary_key=True),
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("shares", Units, nullable=False),
    sqlite_with_rowid=False,
)

point_periods = Table(
    "point_periods",
    metadata,
    Column("score", Text, primary_key=True, comment="the name of the points"),
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("period", Text, primary_key=True, comment="round or day"),
    Column("number", BigInteger, primary_key=True),
    Column("status", Text, nullable=False, comment="open, closed or unpriced"),
    Column("reason", Text, comment="what is missing, where unpriced"),
    Column("price", Units, comment="of a round: the asset's USD price at its start"),
    Column("rate", Text, nullable=False, comment="points per USD, exact decimal"),
    Column("as_of_block", BigInteger, nullable=False, comment="of its pool-day, or of the vault's home chain"),
    Column("as_of_time", BigInteger, nullable=False, comment="facts up to here are counted"),
    sqlite_with_rowid=False,
)

points = Table(
    "points",
    metadata,
    Column("provider_id", Integer, ForeignKey("providers.id"), primary_key=True),
    Column("score", Text, primary_key=True),
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("usd_micro", BigInteger, nullable=False, comment="of a round: held at its start; of a day: dollar-days"),
    Column("points_micro", BigInteger, nullable=False),
    Column("reason", Text, comment="why none: excluded or unstaked"),
    Index("ix_points_pool_id_number", "pool_id", "period", "number"),
    sqlite_with_rowid=False,
)
