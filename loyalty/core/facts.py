"""Facts: what a chain's logs say, in the words of the field. Stored once, never edited.

Every fact's key is (chain, block, log_index); the chain is known from where a fact stands. Times are unix seconds of
the block. Facts are ordered by (block, log_index), never by time.
"""

from typing import Literal, NamedTuple

from loyalty.core.address import Address


class PositionToken(NamedTuple):
    """The NFT of a position manager that stands for a position."""

    manager: Address
    token_id: int


class Swap(NamedTuple):
    """A pool's price from this log on: a Swap, or its Initialize (then `liquidity` is None and the amounts are 0).

    `liquidity` is the pool's liquidity in range after the swap; `amount0`, `amount1` are what the pool received
    (negative: paid), in the tokens' smallest units.
    """

    pool: Address
    block: int
    log_index: int
    time: int
    sqrt_price_x96: int
    tick: int
    liquidity: int | None
    amount0: int
    amount1: int
    transaction_hash: bytes


class LiquidityChange(NamedTuple):
    """Liquidity that came (Mint) to or left (Burn, negative) the range [lower, upper) of `owner` in a pool.

    `owner` is the pool's own word: the address that the pool knows, often a position manager. Then `token` is the
    position token behind the change, or None where no token follows from the logs: such liquidity is nobody's.
    Burns of zero are not facts.
    """

    pool: Address
    block: int
    log_index: int
    time: int
    owner: Address
    lower: int
    upper: int
    liquidity_delta: int
    amount0: int
    amount1: int
    token: PositionToken | None
    transaction_hash: bytes


class PositionTransfer(NamedTuple):
    """A position token of a pool that changed hands; from ZERO_ADDRESS when minted, to it when burned."""

    pool: Address
    block: int
    log_index: int
    time: int
    token: PositionToken
    sender: Address
    recipient: Address
    transaction_hash: bytes


class PositionStake(NamedTuple):
    """From this log on `account` is the depositor of a position token in `staker`; ZERO_ADDRESS: nobody is."""

    staker: Address
    block: int
    log_index: int
    time: int
    token: PositionToken
    account: Address
    transaction_hash: bytes


Fact = Swap | LiquidityChange | PositionTransfer


class PositionKey(NamedTuple):
    """A position as rewards see it: the provider, the range, and the token or None for a direct one."""

    owner: Address
    lower: int
    upper: int
    token: PositionToken | None


class PositionChange(NamedTuple):
    """Derived from facts by the ledger: at `time` the position's liquidity changed by `liquidity_delta`."""

    time: int
    position: PositionKey
    liquidity_delta: int


class PoolPrice(NamedTuple):
    """A pool's price from `time` on, until the next one."""

    time: int
    sqrt_price_x96: int
    tick: int


class PricePoint(NamedTuple):
    """USD per whole token as an integer at the token's `price_decimals`, valid from `valid_time` (unix seconds) on.

    It is in force until the next point, and no longer than the token's `max_age` (a fixed price never ages).
    `asked_time` is when the source was asked; it is in no result and in no digest.
    """

    valid_time: int
    price: int
    source: str
    asked_time: int


# Shares, vaults, oracles ---------------------------------------------------------------------------------------------


class TokenTransfer(NamedTuple):
    """An ERC-20 Transfer of a token that the program follows: an LP, gauge or vault share, a coin in or out of a pool.

    From ZERO_ADDRESS when minted, to it when burned. `units` are the token's smallest; transfers of zero are no facts.
    """

    token: Address
    block: int
    log_index: int
    time: int
    sender: Address
    recipient: Address
    units: int
    transaction_hash: bytes


class VaultEvent(NamedTuple):
    """What an account did with a vault with rounds: "stake", "instant_unstake", "unstake" or "redeem".

    `units` are shares for "redeem" and the asset's smallest unit otherwise; `round` as the vault logged it.
    """

    vault: Address
    block: int
    log_index: int
    time: int
    kind: str
    account: Address
    units: int
    round: int
    transaction_hash: bytes


class RoundRolled(NamedTuple):
    """A vault's round was closed at `price_per_share` (asset units per whole share); the next begins right after.

    `yield_units` is negative for a loss.
    """

    vault: Address
    block: int
    log_index: int
    time: int
    round: int
    price_per_share: int
    shares_minted: int
    wrapped_minted: int
    wrapped_burned: int
    yield_units: int
    transaction_hash: bytes


ExchangeKind = Literal["deposit", "withdraw"]


class AssetExchange(NamedTuple):
    """Assets that became shares of `owner`, or shares of the owner that became assets; both in smallest units."""

    vault: Address
    block: int
    log_index: int
    time: int
    kind: ExchangeKind
    owner: Address
    assets: int
    shares: int
    transaction_hash: bytes


class OracleAnswer(NamedTuple):
    """An `AnswerUpdated` of a Chainlink aggregator: `answer` at the feed's decimals, valid from `updated_at` on."""

    aggregator: Address
    block: int
    log_index: int
    time: int
    round_id: int
    answer: int
    updated_at: int
    transaction_hash: bytes
