"""Vaults, rounds, points, contracts that are looked through, feeds; and prices get versions.

Written out by hand and never edited again: what loyalty/state/schema says today is the business of later versions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNITS = sa.Text().with_variant(sa.Numeric(78, 0), "postgresql")
"""An exact integer of up to 78 digits."""


def upgrade() -> None:
    create_contracts()
    create_vaults()
    create_points()
    create_notes()
    give_prices_versions()


def create_vaults() -> None:
    """A vault's shares, what accounts do with it, its rounds, and what its contract says of a share."""
    op.create_table(
        "pool_vaults",
        sa.Column("pool_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("share_token_id", sa.Integer(), nullable=False),
        sa.Column("share_decimals", sa.Integer(), nullable=False),
        sa.Column("home_pool_id", sa.Integer(), comment="of bridged shares: where the rounds are"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_vaults_pool_id"),
        sa.ForeignKeyConstraint(["share_token_id"], ["followed_tokens.id"], name="fk_pool_vaults_share_token_id"),
        sa.ForeignKeyConstraint(["home_pool_id"], ["pools.id"], name="fk_pool_vaults_home_pool_id"),
        sa.PrimaryKeyConstraint("pool_id", name="pk_pool_vaults"),
    )
    op.create_table(
        "vault_events",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="stake, instant_unstake, unstake or redeem"),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("units", UNITS, nullable=False, comment="shares of a redeem, else the asset's"),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_vault_events_pool_id"),
        sa.ForeignKeyConstraint(["account_id"], ["providers.id"], name="fk_vault_events_account_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_vault_events"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_vault_events_pool_id_block", "vault_events", ["pool_id", "block", "log_index"])
    op.create_table(
        "round_rolls",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("price_per_share", UNITS, nullable=False, comment="asset units per whole share"),
        sa.Column("shares_minted", UNITS, nullable=False),
        sa.Column("wrapped_minted", UNITS, nullable=False),
        sa.Column("wrapped_burned", UNITS, nullable=False),
        sa.Column("yield_units", UNITS, nullable=False, comment="negative for a loss"),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_round_rolls_pool_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_round_rolls"),
        sa.UniqueConstraint("pool_id", "round", name="uq_round_rolls_pool_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asset_exchanges",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="deposit or withdraw"),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("assets", UNITS, nullable=False),
        sa.Column("shares", UNITS, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_asset_exchanges_pool_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["providers.id"], name="fk_asset_exchanges_owner_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_asset_exchanges"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_asset_exchanges_pool_id_block", "asset_exchanges", ["pool_id", "block", "log_index"])
    op.create_table(
        "share_answers",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("valid_time", sa.BigInteger(), nullable=False, comment="the full hour that the answer is of"),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "block", sa.BigInteger(), nullable=False, comment="the last one up to that hour, final when it was asked"
        ),
        sa.Column("value", UNITS, nullable=False, comment="a virtual price, or asset units per whole share"),
        sa.Column("asked_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_share_answers_pool_id"),
        sa.PrimaryKeyConstraint("pool_id", "valid_time", name="pk_share_answers"),
        sqlite_with_rowid=False,
    )


def create_contracts() -> None:
    """Contracts that are followed beside pools, and their facts."""
    op.create_table(
        "followed_contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="shares, nft_staker, chainlink or pool_price"),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("share_token_id", sa.Integer(), comment="of shares: what its holders hold"),
        sa.Column("detail", sa.Text(), comment="JSON: the events of an nft_staker, the decimals of a feed"),
        sa.Column("start_block", sa.BigInteger(), nullable=False),
        sa.Column("next_block", sa.BigInteger(), nullable=False, comment="the cursor: the next block to index"),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_followed_contracts_chain_id"),
        sa.ForeignKeyConstraint(
            ["share_token_id"], ["followed_tokens.id"], name="fk_followed_contracts_share_token_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_followed_contracts"),
        sa.UniqueConstraint("chain_id", "kind", "address", name="uq_followed_contracts_chain_id"),
    )
    op.create_table(
        "feed_phases",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Integer(), nullable=False),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("until_block", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["followed_contracts.id"], name="fk_feed_phases_contract_id"),
        sa.PrimaryKeyConstraint("contract_id", "phase", name="pk_feed_phases"),
    )
    op.create_table(
        "position_stakes",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("token_id", UNITS, nullable=False),
        sa.Column("depositor_id", sa.Integer(), comment="null: nobody's from here on"),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["followed_contracts.id"], name="fk_position_stakes_contract_id"),
        sa.ForeignKeyConstraint(["depositor_id"], ["providers.id"], name="fk_position_stakes_depositor_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_position_stakes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_position_stakes_contract_id_block", "position_stakes", ["contract_id", "block", "log_index"])
    op.create_table(
        "oracle_answers",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("aggregator", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("round_id", UNITS, nullable=False, comment="the aggregator's own"),
        sa.Column("answer", UNITS, nullable=False, comment="at the feed's decimals; 0 and below are no prices"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_oracle_answers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_oracle_answers_aggregator_updated_at", "oracle_answers", ["aggregator", "updated_at"])
    op.create_table(
        "pool_ticks",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("sqrt_price_x96", UNITS, nullable=False),
        sa.Column("tick", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["followed_contracts.id"], name="fk_pool_ticks_contract_id"),
        sa.PrimaryKeyConstraint("contract_id", "block", "log_index", name="pk_pool_ticks"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pool_ticks_contract_id_time", "pool_ticks", ["contract_id", "time"])


def create_points() -> None:
    """Rounds and points, which are derived."""
    op.create_table(
        "rounds",
        sa.Column("pool_id", sa.Integer(), nullable=False, comment="the vault's home"),
        sa.Column("round", sa.BigInteger(), nullable=False, comment="the one that begins here"),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("start_block", sa.BigInteger(), nullable=False),
        sa.Column("start_log_index", sa.Integer(), nullable=False),
        sa.Column("price_per_share", UNITS, nullable=False),
        sa.Column("unclaimed_shares", UNITS, nullable=False, comment="the contracts' own: nobody's"),
        sa.Column("in_flight_shares", UNITS, nullable=False, comment="burned on one chain, not minted yet on another"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_rounds_pool_id"),
        sa.PrimaryKeyConstraint("pool_id", "round", name="pk_rounds"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "round_shares",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("shares", UNITS, nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_round_shares_pool_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_round_shares_provider_id"),
        sa.PrimaryKeyConstraint("pool_id", "round", "provider_id", name="pk_round_shares"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "point_periods",
        sa.Column("score", sa.Text(), nullable=False, comment="the name of the points"),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="round or day"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="open, closed or unpriced"),
        sa.Column("reason", sa.Text(), comment="what is missing, where unpriced"),
        sa.Column("price", UNITS, comment="of a round: the asset's USD price at its start"),
        sa.Column("rate", sa.Text(), nullable=False, comment="points per USD, exact decimal"),
        sa.Column(
            "as_of_block", sa.BigInteger(), nullable=False, comment="of its pool-day, or of the vault's home chain"
        ),
        sa.Column("as_of_time", sa.BigInteger(), nullable=False, comment="facts up to here are counted"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_point_periods_pool_id"),
        sa.PrimaryKeyConstraint("score", "pool_id", "period", "number", name="pk_point_periods"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "points",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column(
            "usd_micro", sa.BigInteger(), nullable=False, comment="of a round: held at its start; of a day: dollar-days"
        ),
        sa.Column("points_micro", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), comment="why none: excluded or unstaked"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_points_provider_id"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_points_pool_id"),
        sa.PrimaryKeyConstraint("provider_id", "score", "pool_id", "period", "number", name="pk_points"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_points_pool_id_number", "points", ["pool_id", "period", "number"])


def create_notes() -> None:
    """What jobs remember."""
    op.create_table(
        "price_refusals",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("valid_time", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("asked_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_price_refusals_token_id"),
        sa.PrimaryKeyConstraint("token_id", "valid_time", "source", name="pk_price_refusals"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "price_backoffs",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("until_time", sa.BigInteger(), nullable=False, comment="not asked before"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_price_backoffs_token_id"),
        sa.PrimaryKeyConstraint("token_id", "source", name="pk_price_backoffs"),
    )
    op.create_table(
        "contract_codes",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column(
            "is_contract", sa.Boolean(), nullable=False, comment="whether code lay at the address when it was looked at"
        ),
        sa.Column("checked_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_contract_codes_chain_id"),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"], name="fk_contract_codes_provider_id"),
        sa.PrimaryKeyConstraint("chain_id", "provider_id", name="pk_contract_codes"),
    )
    op.create_table(
        "backfills",
        sa.Column("chain_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("until_block", sa.BigInteger(), nullable=False),
        sa.Column("next_block", sa.BigInteger(), nullable=False),
        sa.Column("logs", sa.BigInteger(), nullable=False),
        sa.Column("began_time", sa.BigInteger(), nullable=False),
        sa.Column("updated_time", sa.BigInteger(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_backfills_chain_id"),
        sa.PrimaryKeyConstraint("chain_id", name="pk_backfills"),
    )


def give_prices_versions() -> None:
    """A stored point is never overwritten: a correction stands beside it, as a later version."""
    version = sa.Column(
        "version", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="a correction is a later one"
    )
    key = ["token_id", "valid_time", "version"]
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("price_points", version)
        op.drop_constraint("pk_price_points", "price_points", type_="primary")
        op.create_primary_key("pk_price_points", "price_points", key)
        return
    # among the key's columns: SQLite 3.40's integrity_check takes a key column further behind for damage
    with op.batch_alter_table("price_points", recreate="always", table_kwargs={"sqlite_with_rowid": False}) as points:
        points.add_column(version, insert_after="valid_time")
        points.drop_constraint("pk_price_points", type_="primary")
        points.create_primary_key("pk_price_points", key)
