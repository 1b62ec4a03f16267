"""The first schema: facts, what is derived from them, what runs the place, and readable views.

Written out by hand and never edited again: what loyalty/state/schema.py says today is the business of later versions.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Writing = Callable[[str], str]
UNITS = sa.Text().with_variant(sa.Numeric(78, 0), "postgresql")
"""An exact integer of up to 78 digits."""


def upgrade() -> None:
    create_tables()
    create_views()


def create_tables() -> None:
    op.create_table(
        "program_config",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("epoch_seconds", sa.BigInteger(), nullable=False),
        sa.Column("chains", sa.Text(), nullable=False, comment="JSON list of chain ids, ascending"),
        sa.Column("rules", sa.Text(), nullable=False, comment="JSON of the rules, canonical"),
        sa.Column("effective_from_epoch", sa.Integer(), nullable=False),
        sa.Column("created_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_program_config"),
    )
    op.create_table(
        "chains",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False, comment="the EVM chain id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "position_managers",
            sa.Text(),
            comment="JSON list of the addresses that facts were read with; null before",
        ),
        sa.Column(
            "program_start_block", sa.BigInteger(), comment="first block with time >= the program's start, once known"
        ),
        sa.Column("head_block", sa.BigInteger()),
        sa.Column("head_time", sa.BigInteger()),
        sa.Column("finalized_block", sa.BigInteger()),
        sa.Column("finalized_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_chains"),
        sa.UniqueConstraint("name", name="uq_chains_name"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False, comment="0 without an address"),
        sa.Column("address", sa.Text()),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("price_decimals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("symbol", name="uq_tokens_symbol"),
    )
    op.create_table(
        "pools",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("token0_id", sa.Integer(), nullable=False),
        sa.Column("token1_id", sa.Integer(), nullable=False),
        sa.Column("fee_pips", sa.Integer()),
        sa.Column("tick_spacing", sa.Integer()),
        sa.Column("start_block", sa.BigInteger(), nullable=False),
        sa.Column("next_block", sa.BigInteger(), nullable=False, comment="the cursor: the next block to index"),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_pools_chain_id"),
        sa.ForeignKeyConstraint(["token0_id"], ["tokens.id"], name="fk_pools_token0_id"),
        sa.ForeignKeyConstraint(["token1_id"], ["tokens.id"], name="fk_pools_token1_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
        sa.UniqueConstraint("chain_id", "address", name="uq_pools_chain_id"),
    )
    op.create_table(
        "providers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_providers"),
        sa.UniqueConstraint("address", name="uq_providers_address"),
    )
    op.create_table(
        "processed_blocks",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_processed_blocks_chain_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", name="pk_processed_blocks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "swaps",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("sqrt_price_x96", UNITS, nullable=False),
        sa.Column("tick", sa.Integer(), nullable=False),
        sa.Column("liquidity", UNITS, comment="null for the pool's Initialize"),
        sa.Column("amount0", UNITS, nullable=False),
        sa.Column("amount1", UNITS, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_swaps_pool_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_swaps"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_swaps_pool_id_time", "swaps", ["pool_id", "time"])
    op.create_table(
        "liquidity_changes",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("lower_tick", sa.Integer(), nullable=False),
        sa.Column("upper_tick", sa.Integer(), nullable=False),
        sa.Column("liquidity_delta", UNITS, nullable=False),
        sa.Column("amount0", UNITS, nullable=False),
        sa.Column("amount1", UNITS, nullable=False),
        sa.Column("token_id", UNITS, comment="the position token of the manager `owner`, null for a direct position"),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["providers.id"], name="fk_liquidity_changes_owner_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_liquidity_changes_pool_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_liquidity_changes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_liquidity_changes_pool_id_block", "liquidity_changes", ["pool_id", "block", "log_index"])
    op.create_table(
        "position_transfers",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=False),
        sa.Column("token_id", UNITS, nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["manager_id"], ["providers.id"], name="fk_position_transfers_manager_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_position_transfers_pool_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["providers.id"], name="fk_position_transfers_recipient_id"),
        sa.ForeignKeyConstraint(["sender_id"], ["providers.id"], name="fk_position_transfers_sender_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_position_transfers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_position_transfers_pool_id_block", "position_transfers", ["pool_id", "block", "log_index"])
    op.create_table(
        "price_points",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("valid_time", sa.BigInteger(), nullable=False),
        sa.Column("price", UNITS, nullable=False, comment="USD per whole token at the token's price_decimals"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("asked_time", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), comment="why, where the operator set it"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_price_points_token_id"),
        sa.PrimaryKeyConstraint("token_id", "valid_time", name="pk_price_points"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pool_days",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="open, closed or unpriced"),
        sa.Column("reason", sa.Text(), comment="what is missing, where unpriced"),
        sa.Column("as_of_block", sa.BigInteger(), nullable=False),
        sa.Column("as_of_time", sa.BigInteger(), nullable=False, comment="the cells count the day up to here"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_days_pool_id"),
        sa.PrimaryKeyConstraint("pool_id", "day", name="pk_pool_days"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "daily_balances",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("usd_micro_days", sa.BigInteger(), nullable=False),
        sa.Column("usd_micro_days_in_range", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_daily_balances_pool_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_daily_balances_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", "pool_id", "day", name="pk_daily_balances"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_daily_balances_pool_id_day", "daily_balances", ["pool_id", "day"])
    op.create_table(
        "provider_balances",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("usd_micro", sa.BigInteger(), nullable=False),
        sa.Column("usd_micro_in_range", sa.BigInteger(), nullable=False),
        sa.Column("as_of_block", sa.BigInteger(), nullable=False),
        sa.Column("as_of_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_provider_balances_pool_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_provider_balances_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", "pool_id", name="pk_provider_balances"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_provider_balances_pool_id", "provider_balances", ["pool_id"])
    op.create_table(
        "epochs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="provisional, computed or settled"),
        sa.Column("digest", sa.Text(), comment="hex SHA-256, once settled"),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("providers", sa.Integer(), nullable=False, comment="with a reward"),
        sa.Column("usd_micro_days", UNITS, nullable=False, comment="after exclusions, as `count` says"),
        sa.Column("reasons", sa.Text(), nullable=False, comment="JSON list: what blocks settlement"),
        sa.Column("as_of_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["rules_version"], ["program_config.version"], name="fk_epochs_rules_version"),
        sa.PrimaryKeyConstraint("number", name="pk_epochs"),
    )
    op.create_table(
        "epoch_budgets",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("budget_units", UNITS, nullable=False, comment="the epoch's own"),
        sa.Column("carried_in_units", UNITS, nullable=False),
        sa.Column("paid_units", UNITS, nullable=False),
        sa.Column("carried_out_units", UNITS, nullable=False, comment="to the next epoch; 0 in the last"),
        sa.Column("unallocated_units", UNITS, nullable=False, comment="what is left after the last epoch; 0 before"),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_epoch_budgets_epoch"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_epoch_budgets_token_id"),
        sa.PrimaryKeyConstraint("epoch", "token_id", name="pk_epoch_budgets"),
    )
    op.create_table(
        "participations",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("usd_micro_days", UNITS, nullable=False, comment="in the epoch, after exclusions, as `count` says"),
        sa.Column("participation_epoch", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Text(), comment="null where no tier applies"),
        sa.Column("multiplier", sa.Text(), nullable=False),
        sa.Column(
            "weight", sa.Text(), nullable=False, comment="exact decimal: dollar-days x pool weights x multiplier"
        ),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_participations_epoch"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_participations_provider_id"),
        sa.PrimaryKeyConstraint("provider_id", "epoch", name="pk_participations"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_participations_epoch", "participations", ["epoch"])
    op.create_table(
        "rewards",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("units", UNITS, nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_rewards_epoch"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_rewards_provider_id"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_rewards_token_id"),
        sa.PrimaryKeyConstraint("provider_id", "epoch", "token_id", name="pk_rewards"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rewards_epoch", "rewards", ["epoch"])
    op.create_table(
        "payments",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("transaction_hash", sa.Text(), nullable=False),
        sa.Column("dust_below_units", UNITS, nullable=False, comment="owed amounts below this were carried, not paid"),
        sa.Column("total_units", UNITS, nullable=False),
        sa.Column("paid_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_payments_epoch"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_payments_token_id"),
        sa.PrimaryKeyConstraint("epoch", "token_id", name="pk_payments"),
    )
    op.create_table(
        "payment_lines",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("units", UNITS, nullable=False, comment="paid with this epoch's payment, earlier dust included"),
        sa.ForeignKeyConstraint(["epoch"], ["epochs.number"], name="fk_payment_lines_epoch"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_payment_lines_provider_id"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_payment_lines_token_id"),
        sa.PrimaryKeyConstraint("provider_id", "epoch", "token_id", name="pk_payment_lines"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_time", sa.BigInteger(), nullable=False),
        sa.Column("finished_time", sa.BigInteger()),
        sa.Column("succeeded", sa.Boolean()),
        sa.Column("result", sa.Text(), comment="JSON: the result, or the error told"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_finished_time", "commands", ["finished_time"])
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_time", sa.BigInteger(), nullable=False),
        sa.Column("released_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("started_time", sa.BigInteger(), nullable=False),
        sa.Column("finished_time", sa.BigInteger()),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("job", name="pk_job_runs"),
    )


def create_views() -> None:
    """For people with sqlite3 or psql: addresses, dates and dollars instead of ids, day numbers and micro-dollars."""
    sqlite = op.get_bind().dialect.name == "sqlite"

    def day(column: str) -> str:
        return f"date({column} * 86400, 'unixepoch')" if sqlite else f"(date '1970-01-01' + {column})"

    def time(column: str) -> str:
        return f"datetime({column}, 'unixepoch')" if sqlite else f"(to_timestamp({column}) AT TIME ZONE 'UTC')"

    def usd(column: str) -> str:
        if sqlite:
            return f"printf('%d.%06d', {column} / 1000000, {column} % 1000000)"
        return f"round({column}::numeric / 1000000, 6)"

    for name, select in views(day, time, usd).items():
        op.execute(f"CREATE VIEW {name} AS {select}")


def views(day: Writing, time: Writing, usd: Writing) -> dict[str, str]:
    """Each view's name and query, for one engine's way to write days, times and dollars."""
    return {
        "daily_balances_readable": f"""
SELECT {day("daily_balances.day")} AS date, chains.name AS chain, pools.address AS pool_address,
       providers.address AS provider_address, {usd("usd_micro_days")} AS usd_days,
       {usd("usd_micro_days_in_range")} AS usd_days_in_range, pool_days.status AS status
FROM daily_balances
JOIN providers ON providers.id = daily_balances.provider_id
JOIN pools ON pools.id = daily_balances.pool_id
JOIN chains ON chains.id = pools.chain_id
JOIN pool_days ON pool_days.pool_id = daily_balances.pool_id AND pool_days.day = daily_balances.day""",
        "provider_balances_readable": f"""
SELECT providers.address AS provider_address, chains.name AS chain, pools.address AS pool_address,
       {usd("usd_micro")} AS usd, {usd("usd_micro_in_range")} AS usd_in_range,
       as_of_block, {time("as_of_time")} AS as_of
FROM provider_balances
JOIN providers ON providers.id = provider_balances.provider_id
JOIN pools ON pools.id = provider_balances.pool_id
JOIN chains ON chains.id = pools.chain_id""",
        "liquidity_changes_readable": f"""
SELECT {time("liquidity_changes.time")} AS time, chains.name AS chain, liquidity_changes.block, log_index,
       pools.address AS pool_address, providers.address AS owner_address, token_id, lower_tick, upper_tick,
       liquidity_delta, amount0, amount1
FROM liquidity_changes
JOIN providers ON providers.id = liquidity_changes.owner_id
JOIN pools ON pools.id = liquidity_changes.pool_id
JOIN chains ON chains.id = pools.chain_id""",
        "rewards_readable": """
SELECT rewards.epoch, epochs.status, providers.address AS provider_address, tokens.symbol AS token, rewards.units,
       tokens.decimals, participations.participation_epoch, participations.tier, participations.multiplier,
       participations.weight
FROM rewards
JOIN epochs ON epochs.number = rewards.epoch
JOIN providers ON providers.id = rewards.provider_id
JOIN tokens ON tokens.id = rewards.token_id
JOIN participations ON participations.provider_id = rewards.provider_id AND participations.epoch = rewards.epoch""",
    }
