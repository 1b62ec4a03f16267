"""Shares: the ERC-20 tokens that are followed, their transfers, and what belongs to a pool with shares.

Written out by hand and never edited again: what loyalty/state/schema.py says today is the business of later versions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNITS = sa.Text().with_variant(sa.Numeric(78, 0), "postgresql")
"""An exact integer of up to 78 digits."""


def upgrade() -> None:
    create_transfers()
    create_pools()


def create_transfers() -> None:
    op.create_table(
        "followed_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chains.id"], name="fk_followed_tokens_chain_id"),
        sa.PrimaryKeyConstraint("id", name="pk_followed_tokens"),
        sa.UniqueConstraint("chain_id", "address", name="uq_followed_tokens_chain_id"),
    )
    op.create_table(
        "token_transfers",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("followed_token_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("units", UNITS, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["followed_token_id"], ["followed_tokens.id"], name="fk_token_transfers_followed_token_id"
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["providers.id"], name="fk_token_transfers_sender_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["providers.id"], name="fk_token_transfers_recipient_id"),
        sa.PrimaryKeyConstraint("chain_id", "block", "log_index", name="pk_token_transfers"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_token_transfers_followed_token_id_block", "token_transfers", ["followed_token_id", "block", "log_index"]
    )


def create_pools() -> None:
    op.create_table(
        "pool_shares",
        sa.Column("pool_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lp_token_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Text(), comment="the family of the pool's contract, once its first event tells it"),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_shares_pool_id"),
        sa.ForeignKeyConstraint(["lp_token_id"], ["followed_tokens.id"], name="fk_pool_shares_lp_token_id"),
        sa.PrimaryKeyConstraint("pool_id", name="pk_pool_shares"),
    )
    op.create_table(
        "pool_coins",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="the pool's own number of the coin, from 0"),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("followed_token_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_coins_pool_id"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_pool_coins_token_id"),
        sa.ForeignKeyConstraint(["followed_token_id"], ["followed_tokens.id"], name="fk_pool_coins_followed_token_id"),
        sa.PrimaryKeyConstraint("pool_id", "position", name="pk_pool_coins"),
    )
    op.create_table(
        "pool_gauges",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="its place in the program file, from 0"),
        sa.Column("followed_token_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name="fk_pool_gauges_pool_id"),
        sa.ForeignKeyConstraint(["followed_token_id"], ["followed_tokens.id"], name="fk_pool_gauges_followed_token_id"),
        sa.PrimaryKeyConstraint("pool_id", "position", name="pk_pool_gauges"),
    )
