"""The pool's events and the position manager's, decoded from raw logs. Amounts are in the tokens' smallest units.

Layouts: IUniswapV3PoolEvents of v3-core, INonfungiblePositionManager of v3-periphery. `Swap.sender`, `Swap.recipient`
and `Mint.sender` say who called, which is nobody's claim to anything: they are not decoded. A log that does not have
its event's shape is Inconsistent; the message names contract, block and log index.
"""

from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.facts import LiquidityChange, PositionToken, Swap
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import address, malformed, place, signed, unsigned, words

MIN_TICK = -887_272
MAX_TICK = 887_272
"""The lowest and the highest boundary of a range (v3-core TickMath)."""

_SWAP_TOPICS = 3
_SWAP_BYTES = 5 * 32


class PoolCollect(NamedTuple):
    """Tokens that the pool paid out to the owner of a range. Not a fact: liquidity leaves at Burn."""

    pool: Address
    block: int
    log_index: int
    time: int
    owner: Address
    recipient: Address
    lower: int
    upper: int
    amount0: int
    amount1: int
    transaction_hash: bytes


class TokenLiquidity(NamedTuple):
    """The manager's IncreaseLiquidity, or its DecreaseLiquidity (then `liquidity_delta` is negative)."""

    token: PositionToken
    block: int
    log_index: int
    time: int
    liquidity_delta: int
    amount0: int
    amount1: int
    transaction_hash: bytes


class TokenCollect(NamedTuple):
    """Tokens that the manager paid out for a position token. Not a fact; can exceed the pool's by a wei or two."""

    token: PositionToken
    block: int
    log_index: int
    time: int
    recipient: Address
    amount0: int
    amount1: int
    transaction_hash: bytes


class TokenTransfer(NamedTuple):
    """A position token of any pool that changed hands."""

    token: PositionToken
    block: int
    log_index: int
    time: int
    sender: Address
    recipient: Address
    transaction_hash: bytes


def decode_swap(log: RawLog) -> Swap:
    """A Swap. Written out rather than by the readers of abi.py: nine logs of ten are swaps."""
    block, log_index, time, pool, topics, data, transaction_hash, _ = log
    if len(data) != _SWAP_BYTES or len(topics) != _SWAP_TOPICS:
        raise malformed(log, "Swap", f"{len(topics)} topics and {len(data)} bytes of data")
    sqrt_price_x96 = int.from_bytes(data[64:96])
    liquidity = int.from_bytes(data[96:128])
    tick = int.from_bytes(data[128:], signed=True)
    if sqrt_price_x96 >= 1 << 160 or liquidity >= 1 << 128 or not MIN_TICK <= tick < MAX_TICK:
        raise malformed(log, "Swap", f"price {sqrt_price_x96}, liquidity {liquidity}, tick {tick}")
    amount0 = int.from_bytes(data[:32], signed=True)
    amount1 = int.from_bytes(data[32:64], signed=True)
    return Swap(pool, block, log_index, time, sqrt_price_x96, tick, liquidity, amount0, amount1, transaction_hash)


def decode_initialize(log: RawLog) -> Swap:
    """An Initialize: the pool's first price, without liquidity or amounts."""
    price, tick = words(log, "Initialize", topics=1, data_words=2)
    where = place(log, "Initialize")
    sqrt_price_x96 = unsigned(price, 160, where)
    tick_now = signed(tick, 24, where)
    if not MIN_TICK <= tick_now < MAX_TICK:
        raise malformed(log, "Initialize", f"tick {tick_now}")
    return Swap(
        log.address, log.block, log.log_index, log.time, sqrt_price_x96, tick_now, None, 0, 0, log.transaction_hash
    )


def decode_mint(log: RawLog) -> LiquidityChange:
    """A Mint. Its position token is not known from this log."""
    _, *rest = words(log, "Mint", topics=4, data_words=4)
    return _range_change(log, "Mint", rest, sign=1)


def decode_burn(log: RawLog) -> LiquidityChange:
    """A Burn, with a negative or (a poke) zero `liquidity_delta`; the amounts stay positive, as they are logged."""
    return _range_change(log, "Burn", words(log, "Burn", topics=4, data_words=3), sign=-1)


def _range_change(log: RawLog, event: str, amounts: list[bytes], sign: int) -> LiquidityChange:
    where = place(log, event)
    lower, upper = _range(log, event, log.topics[2], log.topics[3])
    return LiquidityChange(
        log.address,
        log.block,
        log.log_index,
        log.time,
        address(log.topics[1], where),
        lower,
        upper,
        sign * unsigned(amounts[0], 128, where),
        int.from_bytes(amounts[1]),
        int.from_bytes(amounts[2]),
        None,
        log.transaction_hash,
    )


def _range(log: RawLog, event: str, lower_word: bytes, upper_word: bytes) -> tuple[int, int]:
    where = place(log, event)
    lower, upper = signed(lower_word, 24, where), signed(upper_word, 24, where)
    if not MIN_TICK <= lower < upper <= MAX_TICK:
        raise malformed(log, event, f"the range {lower}..{upper}")
    return lower, upper


def decode_pool_collect(log: RawLog) -> PoolCollect:
    recipient, amount0, amount1 = words(log, "Collect", topics=4, data_words=3)
    where = place(log, "Collect")
    lower, upper = _range(log, "Collect", log.topics[2], log.topics[3])
    return PoolCollect(
        log.address,
        log.block,
        log.log_index,
        log.time,
        address(log.topics[1], where),
        address(recipient, where),
        lower,
        upper,
        unsigned(amount0, 128, where),
        unsigned(amount1, 128, where),
        log.transaction_hash,
    )


def decode_increase_liquidity(log: RawLog) -> TokenLiquidity:
    return _token_liquidity(log, "IncreaseLiquidity", sign=1)


def decode_decrease_liquidity(log: RawLog) -> TokenLiquidity:
    return _token_liquidity(log, "DecreaseLiquidity", sign=-1)


def _token_liquidity(log: RawLog, event: str, sign: int) -> TokenLiquidity:
    liquidity, amount0, amount1 = words(log, event, topics=2, data_words=3)
    return TokenLiquidity(
        PositionToken(log.address, int.from_bytes(log.topics[1])),
        log.block,
        log.log_index,
        log.time,
        sign * unsigned(liquidity, 128, place(log, event)),
        int.from_bytes(amount0),
        int.from_bytes(amount1),
        log.transaction_hash,
    )


def decode_token_collect(log: RawLog) -> TokenCollect:
    recipient, amount0, amount1 = words(log, "Collect", topics=2, data_words=3)
    return TokenCollect(
        PositionToken(log.address, int.from_bytes(log.topics[1])),
        log.block,
        log.log_index,
        log.time,
        address(recipient, place(log, "Collect")),
        int.from_bytes(amount0),
        int.from_bytes(amount1),
        log.transaction_hash,
    )


def decode_transfer(log: RawLog) -> TokenTransfer:
    """A Transfer of an NFT: the token id is indexed, so an ERC-20's Transfer does not have its shape."""
    words(log, "Transfer", topics=4, data_words=0)
    where = place(log, "Transfer")
    return TokenTransfer(
        PositionToken(log.address, int.from_bytes(log.topics[3])),
        log.block,
        log.log_index,
        log.time,
        address(log.topics[1], where),
        address(log.topics[2], where),
        log.transaction_hash,
    )
