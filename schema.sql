-- The schema of loyalty, version 0003, as SQLite sees it. For reading: the migrations make it,
-- and a test keeps both equal. Write it anew with: python -m loyalty.state.schema_sql

CREATE TABLE program_config (
	version INTEGER NOT NULL,
	name TEXT NOT NULL,
	start BIGINT NOT NULL,
	epoch_seconds BIGINT NOT NULL,
	chains TEXT NOT NULL, -- JSON list of chain ids, ascending
	rules TEXT NOT NULL, -- JSON of the rules, canonical
	effective_from_epoch INTEGER NOT NULL,
	created_time BIGINT NOT NULL,
	CONSTRAINT pk_program_config PRIMARY KEY (version)
);

CREATE TABLE chains (
	id BIGINT NOT NULL, -- the EVM chain id
	name TEXT NOT NULL,
	position_managers TEXT, -- JSON list of the addresses that facts were read with; null before
	program_start_block BIGINT, -- first block with time >= the program's start, once known
	head_block BIGINT,
	head_time BIGINT,
	finalized_block BIGINT,
	finalized_time BIGINT,
	CONSTRAINT pk_chains PRIMARY KEY (id),
	CONSTRAINT uq_chains_name UNIQUE (name)
);

CREATE TABLE tokens (
	id INTEGER NOT NULL,
	symbol TEXT NOT NULL,
	chain_id BIGINT NOT NULL, -- 0 without an address
	address TEXT,
	decimals INTEGER NOT NULL,
	price_decimals INTEGER NOT NULL,
	CONSTRAINT pk_tokens PRIMARY KEY (id),
	CONSTRAINT uq_tokens_symbol UNIQUE (symbol)
);

CREATE TABLE pools (
	id INTEGER NOT NULL,
	chain_id BIGINT NOT NULL,
	address TEXT NOT NULL,
	protocol TEXT NOT NULL,
	token0_id INTEGER NOT NULL,
	token1_id INTEGER NOT NULL,
	fee_pips INTEGER,
	tick_spacing INTEGER,
	start_block BIGINT NOT NULL,
	next_block BIGINT NOT NULL, -- the cursor: the next block to index
	CONSTRAINT pk_pools PRIMARY KEY (id),
	CONSTRAINT fk_pools_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id),
	CONSTRAINT fk_pools_token0_id FOREIGN KEY(token0_id) REFERENCES tokens (id),
	CONSTRAINT fk_pools_token1_id FOREIGN KEY(token1_id) REFERENCES tokens (id),
	CONSTRAINT uq_pools_chain_id UNIQUE (chain_id, address)
);

CREATE TABLE providers (
	id INTEGER NOT NULL,
	address TEXT NOT NULL,
	CONSTRAINT pk_providers PRIMARY KEY (id),
	CONSTRAINT uq_providers_address UNIQUE (address)
);

CREATE TABLE processed_blocks (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	hash TEXT NOT NULL,
	time BIGINT NOT NULL,
	event_count INTEGER NOT NULL,
	CONSTRAINT pk_processed_blocks PRIMARY KEY (chain_id, block),
	CONSTRAINT fk_processed_blocks_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id)
) WITHOUT ROWID;

CREATE TABLE swaps (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	sqrt_price_x96 TEXT NOT NULL,
	tick INTEGER NOT NULL,
	liquidity TEXT, -- null for the pool's Initialize
	amount0 TEXT NOT NULL,
	amount1 TEXT NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_swaps PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_swaps_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE INDEX ix_swaps_pool_id_time ON swaps (pool_id, time);

CREATE TABLE liquidity_changes (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	owner_id INTEGER NOT NULL,
	lower_tick INTEGER NOT NULL,
	upper_tick INTEGER NOT NULL,
	liquidity_delta TEXT NOT NULL,
	amount0 TEXT NOT NULL,
	amount1 TEXT NOT NULL,
	token_id TEXT, -- the position token of the manager `owner`, null for a direct position
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_liquidity_changes PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_liquidity_changes_owner_id FOREIGN KEY(owner_id) REFERENCES providers (id),
	CONSTRAINT fk_liquidity_changes_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE INDEX ix_liquidity_changes_pool_id_block ON liquidity_changes (pool_id, block, log_index);

CREATE TABLE position_transfers (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	manager_id INTEGER NOT NULL,
	token_id TEXT NOT NULL,
	sender_id INTEGER NOT NULL,
	recipient_id INTEGER NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_position_transfers PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_position_transfers_manager_id FOREIGN KEY(manager_id) REFERENCES providers (id),
	CONSTRAINT fk_position_transfers_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_position_transfers_recipient_id FOREIGN KEY(recipient_id) REFERENCES providers (id),
	CONSTRAINT fk_position_transfers_sender_id FOREIGN KEY(sender_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_position_transfers_pool_id_block ON position_transfers (pool_id, block, log_index);

CREATE TABLE pool_days (
	pool_id INTEGER NOT NULL,
	day INTEGER NOT NULL,
	status TEXT NOT NULL, -- open, closed or unpriced
	reason TEXT, -- what is missing, where unpriced
	as_of_block BIGINT NOT NULL,
	as_of_time BIGINT NOT NULL, -- the cells count the day up to here
	CONSTRAINT pk_pool_days PRIMARY KEY (pool_id, day),
	CONSTRAINT fk_pool_days_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE TABLE daily_balances (
	provider_id INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	day INTEGER NOT NULL,
	usd_micro_days BIGINT NOT NULL,
	usd_micro_days_in_range BIGINT NOT NULL,
	CONSTRAINT pk_daily_balances PRIMARY KEY (provider_id, pool_id, day),
	CONSTRAINT fk_daily_balances_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_daily_balances_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_daily_balances_pool_id_day ON daily_balances (pool_id, day);

CREATE TABLE provider_balances (
	provider_id INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	usd_micro BIGINT NOT NULL,
	usd_micro_in_range BIGINT NOT NULL,
	as_of_block BIGINT NOT NULL,
	as_of_time BIGINT NOT NULL,
	CONSTRAINT pk_provider_balances PRIMARY KEY (provider_id, pool_id),
	CONSTRAINT fk_provider_balances_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_provider_balances_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_provider_balances_pool_id ON provider_balances (pool_id);

CREATE TABLE epochs (
	number INTEGER NOT NULL,
	status TEXT NOT NULL, -- provisional, computed or settled
	digest TEXT, -- hex SHA-256, once settled
	rules_version INTEGER NOT NULL,
	providers INTEGER NOT NULL, -- with a reward
	usd_micro_days TEXT NOT NULL, -- after exclusions, as `count` says
	reasons TEXT NOT NULL, -- JSON list: what blocks settlement
	as_of_time BIGINT NOT NULL,
	CONSTRAINT pk_epochs PRIMARY KEY (number),
	CONSTRAINT fk_epochs_rules_version FOREIGN KEY(rules_version) REFERENCES program_config (version)
);

CREATE TABLE epoch_budgets (
	epoch INTEGER NOT NULL,
	token_id INTEGER NOT NULL,
	budget_units TEXT NOT NULL, -- the epoch's own
	carried_in_units TEXT NOT NULL,
	paid_units TEXT NOT NULL,
	carried_out_units TEXT NOT NULL, -- to the next epoch; 0 in the last
	unallocated_units TEXT NOT NULL, -- what is left after the last epoch; 0 before
	CONSTRAINT pk_epoch_budgets PRIMARY KEY (epoch, token_id),
	CONSTRAINT fk_epoch_budgets_epoch FOREIGN KEY(epoch) REFERENCES epochs (number),
	CONSTRAINT fk_epoch_budgets_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
);

CREATE TABLE participations (
	provider_id INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	usd_micro_days TEXT NOT NULL, -- in the epoch, after exclusions, as `count` says
	participation_epoch INTEGER NOT NULL,
	tier TEXT, -- null where no tier applies
	multiplier TEXT NOT NULL,
	weight TEXT NOT NULL, -- exact decimal: dollar-days x pool weights x multiplier
	CONSTRAINT pk_participations PRIMARY KEY (provider_id, epoch),
	CONSTRAINT fk_participations_epoch FOREIGN KEY(epoch) REFERENCES epochs (number),
	CONSTRAINT fk_participations_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_participations_epoch ON participations (epoch);

CREATE TABLE rewards (
	provider_id INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	token_id INTEGER NOT NULL,
	units TEXT NOT NULL,
	CONSTRAINT pk_rewards PRIMARY KEY (provider_id, epoch, token_id),
	CONSTRAINT fk_rewards_epoch FOREIGN KEY(epoch) REFERENCES epochs (number),
	CONSTRAINT fk_rewards_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id),
	CONSTRAINT fk_rewards_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
) WITHOUT ROWID;

CREATE INDEX ix_rewards_epoch ON rewards (epoch);

CREATE TABLE payments (
	epoch INTEGER NOT NULL,
	token_id INTEGER NOT NULL,
	transaction_hash TEXT NOT NULL,
	dust_below_units TEXT NOT NULL, -- owed amounts below this were carried, not paid
	total_units TEXT NOT NULL,
	paid_time BIGINT NOT NULL,
	CONSTRAINT pk_payments PRIMARY KEY (epoch, token_id),
	CONSTRAINT fk_payments_epoch FOREIGN KEY(epoch) REFERENCES epochs (number),
	CONSTRAINT fk_payments_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
);

CREATE TABLE payment_lines (
	provider_id INTEGER NOT NULL,
	epoch INTEGER NOT NULL,
	token_id INTEGER NOT NULL,
	units TEXT NOT NULL, -- paid with this epoch's payment, earlier dust included
	CONSTRAINT pk_payment_lines PRIMARY KEY (provider_id, epoch, token_id),
	CONSTRAINT fk_payment_lines_epoch FOREIGN KEY(epoch) REFERENCES epochs (number),
	CONSTRAINT fk_payment_lines_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id),
	CONSTRAINT fk_payment_lines_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
) WITHOUT ROWID;

CREATE TABLE commands (
	id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	arguments TEXT NOT NULL, -- JSON
	requested_by TEXT NOT NULL,
	requested_time BIGINT NOT NULL,
	finished_time BIGINT,
	succeeded BOOLEAN,
	result TEXT, -- JSON: the result, or the error told
	CONSTRAINT pk_commands PRIMARY KEY (id)
);

CREATE INDEX ix_commands_finished_time ON commands (finished_time);

CREATE TABLE audit_log (
	id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	detail TEXT NOT NULL, -- JSON
	CONSTRAINT pk_audit_log PRIMARY KEY (id)
);

CREATE TABLE holds (
	id INTEGER NOT NULL,
	reason TEXT NOT NULL,
	placed_time BIGINT NOT NULL,
	released_time BIGINT,
	CONSTRAINT pk_holds PRIMARY KEY (id)
);

CREATE TABLE job_runs (
	job TEXT NOT NULL,
	started_time BIGINT NOT NULL,
	finished_time BIGINT,
	runs INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	consecutive_failures INTEGER NOT NULL,
	last_error TEXT,
	CONSTRAINT pk_job_runs PRIMARY KEY (job)
);

CREATE VIEW daily_balances_readable AS
SELECT date(daily_balances.day * 86400, 'unixepoch') AS date, chains.name AS chain, pools.address AS pool_address,
       providers.address AS provider_address, printf('%d.%06d', usd_micro_days / 1000000, usd_micro_days % 1000000) AS usd_days,
       printf('%d.%06d', usd_micro_days_in_range / 1000000, usd_micro_days_in_range % 1000000) AS usd_days_in_range, pool_days.status AS status
FROM daily_balances
JOIN providers ON providers.id = daily_balances.provider_id
JOIN pools ON pools.id = daily_balances.pool_id
JOIN chains ON chains.id = pools.chain_id
JOIN pool_days ON pool_days.pool_id = daily_balances.pool_id AND pool_days.day = daily_balances.day;

CREATE VIEW provider_balances_readable AS
SELECT providers.address AS provider_address, chains.name AS chain, pools.address AS pool_address,
       printf('%d.%06d', usd_micro / 1000000, usd_micro % 1000000) AS usd, printf('%d.%06d', usd_micro_in_range / 1000000, usd_micro_in_range % 1000000) AS usd_in_range,
       as_of_block, datetime(as_of_time, 'unixepoch') AS as_of
FROM provider_balances
JOIN providers ON providers.id = provider_balances.provider_id
JOIN pools ON pools.id = provider_balances.pool_id
JOIN chains ON chains.id = pools.chain_id;

CREATE VIEW liquidity_changes_readable AS
SELECT datetime(liquidity_changes.time, 'unixepoch') AS time, chains.name AS chain, liquidity_changes.block, log_index,
       pools.address AS pool_address, providers.address AS owner_address, token_id, lower_tick, upper_tick,
       liquidity_delta, amount0, amount1
FROM liquidity_changes
JOIN providers ON providers.id = liquidity_changes.owner_id
JOIN pools ON pools.id = liquidity_changes.pool_id
JOIN chains ON chains.id = pools.chain_id;

CREATE VIEW rewards_readable AS
SELECT rewards.epoch, epochs.status, providers.address AS provider_address, tokens.symbol AS token, rewards.units,
       tokens.decimals, participations.participation_epoch, participations.tier, participations.multiplier,
       participations.weight
FROM rewards
JOIN epochs ON epochs.number = rewards.epoch
JOIN providers ON providers.id = rewards.provider_id
JOIN tokens ON tokens.id = rewards.token_id
JOIN participations ON participations.provider_id = rewards.provider_id AND participations.epoch = rewards.epoch;

CREATE TABLE followed_tokens (
	id INTEGER NOT NULL,
	chain_id BIGINT NOT NULL,
	address TEXT NOT NULL,
	CONSTRAINT pk_followed_tokens PRIMARY KEY (id),
	CONSTRAINT fk_followed_tokens_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id),
	CONSTRAINT uq_followed_tokens_chain_id UNIQUE (chain_id, address)
);

CREATE TABLE token_transfers (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	followed_token_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	sender_id INTEGER NOT NULL,
	recipient_id INTEGER NOT NULL,
	units TEXT NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_token_transfers PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_token_transfers_followed_token_id FOREIGN KEY(followed_token_id) REFERENCES followed_tokens (id),
	CONSTRAINT fk_token_transfers_sender_id FOREIGN KEY(sender_id) REFERENCES providers (id),
	CONSTRAINT fk_token_transfers_recipient_id FOREIGN KEY(recipient_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_token_transfers_followed_token_id_block ON token_transfers (followed_token_id, block, log_index);

CREATE TABLE pool_shares (
	pool_id INTEGER NOT NULL,
	lp_token_id INTEGER NOT NULL,
	generation TEXT, -- the family of the pool's contract, once its first event tells it
	CONSTRAINT pk_pool_shares PRIMARY KEY (pool_id),
	CONSTRAINT fk_pool_shares_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_pool_shares_lp_token_id FOREIGN KEY(lp_token_id) REFERENCES followed_tokens (id)
);

CREATE TABLE pool_coins (
	pool_id INTEGER NOT NULL,
	position INTEGER NOT NULL, -- the pool's own number of the coin, from 0
	token_id INTEGER NOT NULL,
	followed_token_id INTEGER NOT NULL,
	CONSTRAINT pk_pool_coins PRIMARY KEY (pool_id, position),
	CONSTRAINT fk_pool_coins_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_pool_coins_token_id FOREIGN KEY(token_id) REFERENCES tokens (id),
	CONSTRAINT fk_pool_coins_followed_token_id FOREIGN KEY(followed_token_id) REFERENCES followed_tokens (id)
);

CREATE TABLE pool_gauges (
	pool_id INTEGER NOT NULL,
	position INTEGER NOT NULL, -- its place in the program file, from 0
	followed_token_id INTEGER NOT NULL,
	CONSTRAINT pk_pool_gauges PRIMARY KEY (pool_id, position),
	CONSTRAINT fk_pool_gauges_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_pool_gauges_followed_token_id FOREIGN KEY(followed_token_id) REFERENCES followed_tokens (id)
);

CREATE TABLE followed_contracts (
	id INTEGER NOT NULL,
	chain_id BIGINT NOT NULL,
	kind TEXT NOT NULL, -- shares, nft_staker, chainlink or pool_price
	address TEXT NOT NULL,
	share_token_id INTEGER, -- of shares: what its holders hold
	detail TEXT, -- JSON: the events of an nft_staker, the decimals of a feed
	start_block BIGINT NOT NULL,
	next_block BIGINT NOT NULL, -- the cursor: the next block to index
	CONSTRAINT pk_followed_contracts PRIMARY KEY (id),
	CONSTRAINT fk_followed_contracts_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id),
	CONSTRAINT fk_followed_contracts_share_token_id FOREIGN KEY(share_token_id) REFERENCES followed_tokens (id),
	CONSTRAINT uq_followed_contracts_chain_id UNIQUE (chain_id, kind, address)
);

CREATE TABLE feed_phases (
	contract_id INTEGER NOT NULL,
	phase INTEGER NOT NULL,
	aggregator TEXT NOT NULL,
	from_block BIGINT NOT NULL,
	until_block BIGINT NOT NULL,
	CONSTRAINT pk_feed_phases PRIMARY KEY (contract_id, phase),
	CONSTRAINT fk_feed_phases_contract_id FOREIGN KEY(contract_id) REFERENCES followed_contracts (id)
);

CREATE TABLE position_stakes (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	contract_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	token_id TEXT NOT NULL,
	depositor_id INTEGER, -- null: nobody's from here on
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_position_stakes PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_position_stakes_contract_id FOREIGN KEY(contract_id) REFERENCES followed_contracts (id),
	CONSTRAINT fk_position_stakes_depositor_id FOREIGN KEY(depositor_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_position_stakes_contract_id_block ON position_stakes (contract_id, block, log_index);

CREATE TABLE oracle_answers (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	aggregator TEXT NOT NULL,
	time BIGINT NOT NULL,
	round_id TEXT NOT NULL, -- the aggregator's own
	answer TEXT NOT NULL, -- at the feed's decimals; 0 and below are no prices
	updated_at BIGINT NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_oracle_answers PRIMARY KEY (chain_id, block, log_index)
) WITHOUT ROWID;

CREATE INDEX ix_oracle_answers_aggregator_updated_at ON oracle_answers (aggregator, updated_at);

CREATE TABLE pool_ticks (
	contract_id INTEGER NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	chain_id BIGINT NOT NULL,
	time BIGINT NOT NULL,
	sqrt_price_x96 TEXT NOT NULL,
	tick INTEGER NOT NULL,
	CONSTRAINT pk_pool_ticks PRIMARY KEY (contract_id, block, log_index),
	CONSTRAINT fk_pool_ticks_contract_id FOREIGN KEY(contract_id) REFERENCES followed_contracts (id)
) WITHOUT ROWID;

CREATE INDEX ix_pool_ticks_contract_id_time ON pool_ticks (contract_id, time);

CREATE TABLE pool_vaults (
	pool_id INTEGER NOT NULL,
	share_token_id INTEGER NOT NULL,
	share_decimals INTEGER NOT NULL,
	home_pool_id INTEGER, -- of bridged shares: where the rounds are
	CONSTRAINT pk_pool_vaults PRIMARY KEY (pool_id),
	CONSTRAINT fk_pool_vaults_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_pool_vaults_share_token_id FOREIGN KEY(share_token_id) REFERENCES followed_tokens (id),
	CONSTRAINT fk_pool_vaults_home_pool_id FOREIGN KEY(home_pool_id) REFERENCES pools (id)
);

CREATE TABLE vault_events (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	kind TEXT NOT NULL, -- stake, instant_unstake, unstake or redeem
	account_id INTEGER NOT NULL,
	units TEXT NOT NULL, -- shares of a redeem, else the asset's
	round BIGINT NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_vault_events PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_vault_events_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_vault_events_account_id FOREIGN KEY(account_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_vault_events_pool_id_block ON vault_events (pool_id, block, log_index);

CREATE TABLE round_rolls (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	round BIGINT NOT NULL,
	price_per_share TEXT NOT NULL, -- asset units per whole share
	shares_minted TEXT NOT NULL,
	wrapped_minted TEXT NOT NULL,
	wrapped_burned TEXT NOT NULL,
	yield_units TEXT NOT NULL, -- negative for a loss
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_round_rolls PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_round_rolls_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT uq_round_rolls_pool_id UNIQUE (pool_id, round)
) WITHOUT ROWID;

CREATE TABLE asset_exchanges (
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL,
	log_index INTEGER NOT NULL,
	pool_id INTEGER NOT NULL,
	time BIGINT NOT NULL,
	kind TEXT NOT NULL, -- deposit or withdraw
	owner_id INTEGER NOT NULL,
	assets TEXT NOT NULL,
	shares TEXT NOT NULL,
	transaction_hash BLOB NOT NULL,
	CONSTRAINT pk_asset_exchanges PRIMARY KEY (chain_id, block, log_index),
	CONSTRAINT fk_asset_exchanges_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_asset_exchanges_owner_id FOREIGN KEY(owner_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE INDEX ix_asset_exchanges_pool_id_block ON asset_exchanges (pool_id, block, log_index);

CREATE TABLE share_answers (
	pool_id INTEGER NOT NULL,
	valid_time BIGINT NOT NULL, -- the full hour that the answer is of
	chain_id BIGINT NOT NULL,
	block BIGINT NOT NULL, -- the last one up to that hour, final when it was asked
	value TEXT NOT NULL, -- a virtual price, or asset units per whole share
	asked_time BIGINT NOT NULL,
	CONSTRAINT pk_share_answers PRIMARY KEY (pool_id, valid_time),
	CONSTRAINT fk_share_answers_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE TABLE rounds (
	pool_id INTEGER NOT NULL, -- the vault's home
	round BIGINT NOT NULL, -- the one that begins here
	start_time BIGINT NOT NULL,
	start_block BIGINT NOT NULL,
	start_log_index INTEGER NOT NULL,
	price_per_share TEXT NOT NULL,
	unclaimed_shares TEXT NOT NULL, -- the contracts' own: nobody's
	in_flight_shares TEXT NOT NULL, -- burned on one chain, not minted yet on another
	CONSTRAINT pk_rounds PRIMARY KEY (pool_id, round),
	CONSTRAINT fk_rounds_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE TABLE round_shares (
	pool_id INTEGER NOT NULL,
	round BIGINT NOT NULL,
	provider_id INTEGER NOT NULL,
	shares TEXT NOT NULL,
	CONSTRAINT pk_round_shares PRIMARY KEY (pool_id, round, provider_id),
	CONSTRAINT fk_round_shares_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id),
	CONSTRAINT fk_round_shares_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id)
) WITHOUT ROWID;

CREATE TABLE point_periods (
	score TEXT NOT NULL, -- the name of the points
	pool_id INTEGER NOT NULL,
	period TEXT NOT NULL, -- round or day
	number BIGINT NOT NULL,
	status TEXT NOT NULL, -- open, closed or unpriced
	reason TEXT, -- what is missing, where unpriced
	price TEXT, -- of a round: the asset's USD price at its start
	rate TEXT NOT NULL, -- points per USD, exact decimal
	as_of_block BIGINT NOT NULL, -- of its pool-day, or of the vault's home chain
	as_of_time BIGINT NOT NULL, -- facts up to here are counted
	CONSTRAINT pk_point_periods PRIMARY KEY (score, pool_id, period, number),
	CONSTRAINT fk_point_periods_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE TABLE points (
	provider_id INTEGER NOT NULL,
	score TEXT NOT NULL,
	pool_id INTEGER NOT NULL,
	period TEXT NOT NULL,
	number BIGINT NOT NULL,
	usd_micro BIGINT NOT NULL, -- of a round: held at its start; of a day: dollar-days
	points_micro BIGINT NOT NULL,
	reason TEXT, -- why none: excluded or unstaked
	CONSTRAINT pk_points PRIMARY KEY (provider_id, score, pool_id, period, number),
	CONSTRAINT fk_points_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id),
	CONSTRAINT fk_points_pool_id FOREIGN KEY(pool_id) REFERENCES pools (id)
) WITHOUT ROWID;

CREATE INDEX ix_points_pool_id_number ON points (pool_id, period, number);

CREATE TABLE price_refusals (
	token_id INTEGER NOT NULL,
	valid_time BIGINT NOT NULL,
	source TEXT NOT NULL,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL,
	asked_time BIGINT NOT NULL,
	CONSTRAINT pk_price_refusals PRIMARY KEY (token_id, valid_time, source),
	CONSTRAINT fk_price_refusals_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
) WITHOUT ROWID;

CREATE TABLE price_backoffs (
	token_id INTEGER NOT NULL,
	source TEXT NOT NULL,
	until_time BIGINT NOT NULL, -- not asked before
	failures INTEGER NOT NULL, -- in a row
	CONSTRAINT pk_price_backoffs PRIMARY KEY (token_id, source),
	CONSTRAINT fk_price_backoffs_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
);

CREATE TABLE contract_codes (
	chain_id BIGINT NOT NULL,
	provider_id INTEGER NOT NULL,
	is_contract BOOLEAN NOT NULL, -- whether code lay at the address when it was looked at
	checked_time BIGINT NOT NULL,
	CONSTRAINT pk_contract_codes PRIMARY KEY (chain_id, provider_id),
	CONSTRAINT fk_contract_codes_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id),
	CONSTRAINT fk_contract_codes_provider_id FOREIGN KEY(provider_id) REFERENCES providers (id)
);

CREATE TABLE backfills (
	chain_id BIGINT NOT NULL,
	from_block BIGINT NOT NULL,
	until_block BIGINT NOT NULL,
	next_block BIGINT NOT NULL,
	logs BIGINT NOT NULL,
	began_time BIGINT NOT NULL,
	updated_time BIGINT NOT NULL,
	stopped BOOLEAN NOT NULL,
	CONSTRAINT pk_backfills PRIMARY KEY (chain_id),
	CONSTRAINT fk_backfills_chain_id FOREIGN KEY(chain_id) REFERENCES chains (id)
);

CREATE TABLE "price_points" (
	token_id INTEGER NOT NULL,
	valid_time BIGINT NOT NULL,
	version INTEGER DEFAULT 1 NOT NULL, -- a correction is a later one
	price TEXT NOT NULL, -- USD per whole token at the token's price_decimals
	source TEXT NOT NULL,
	asked_time BIGINT NOT NULL,
	reason TEXT, -- why, where the operator set it
	CONSTRAINT pk_price_points PRIMARY KEY (token_id, valid_time, version),
	CONSTRAINT fk_price_points_token_id FOREIGN KEY(token_id) REFERENCES tokens (id)
) WITHOUT ROWID;
