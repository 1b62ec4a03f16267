"""What the program is: its versions, chains, tokens, pools, and the contracts that are followed beside them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text, UniqueConstraint

from loyalty.state.schema.words import metadata

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

pool_vaults = Table(
    "pool_vaults",
    metadata,
    Column("pool_id", Integer, ForeignKey("pools.id"), primary_key=True, autoincrement=False),
    Column("share_token_id", Integer, ForeignKey("followed_tokens.id"), nullable=False),
    Column("share_decimals", Integer, nullable=False),
    Column("home_pool_id", Integer, ForeignKey("pools.id"), comment="of bridged shares: where the rounds are"),
)

followed_contracts = Table(
    "followed_contracts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chain_id", BigInteger, ForeignKey("chains.id"), nullable=False),
    Column("kind", Text, nullable=False, comment="shares, nft_staker, chainlink or pool_price"),
    Column("address", Text, nullable=False),
    Column("share_token_id", Integer, ForeignKey("followed_tokens.id"), comment="of shares: what its holders hold"),
    Column("detail", Text, comment="JSON: the events of an nft_staker, the decimals of a feed"),
    Column("start_block", BigInteger, nullable=False),
    Column("next_block", BigInteger, nullable=False, comment="the cursor: the next block to index"),
    UniqueConstraint("chain_id", "kind", "address"),
)

feed_phases = Table(
    "feed_phases",
    metadata,
    Column("contract_id", Integer, ForeignKey("followed_contracts.id"), primary_key=True),
    Column("phase", Integer, primary_key=True),
    Column("aggregator", Text, nullable=False),
    Column("from_block", BigInteger, nullable=False),
    Column("until_block", BigInteger, nullable=False),
)
