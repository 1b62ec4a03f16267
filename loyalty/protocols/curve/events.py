"""The pools' own events, decoded from raw logs: they say the LP supply, by which the fold of Transfers is checked.

Layouts: the published sources of StableSwap-NG, the StableSwap pool templates and factory pools, and the crypto pools
of two and three coins. `provider` is who called, which is nobody's claim to anything. A log that does not have its
event's shape is Inconsistent; the message names contract, block and log index.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from loyalty.core.address import Address
from loyalty.core.logs import RawLog
from loyalty.protocols.abi import WORD, address, malformed, place, signed, words
from loyalty.protocols.curve import topics

MAX_COINS = 8
"""StableSwap-NG's own limit."""


class Generation(StrEnum):
    """A family of pools that speak alike. `CRYPTO` are the pools of two or three coins of unlike price."""

    STABLESWAP_NG = "stableswap_ng"
    STABLESWAP = "stableswap"
    CRYPTO = "crypto"


class LiquidityEvent(NamedTuple):
    """LP tokens were minted (`adds`) or burned. Amounts in smallest units; None is what this event does not say.

    `burned` are the LP tokens burned, `token_supply` the supply after the event, in the pool's own words: where these
    words do not hold is told in supply.py. `generation` is None for an event that two families share.
    """

    pool: Address
    block: int
    log_index: int
    time: int
    event: str
    adds: bool
    generation: Generation | None
    token_amounts: tuple[int, ...] | None
    burned: int | None
    token_supply: int | None
    transaction_hash: bytes


class Exchange(NamedTuple):
    """A swap: the pool received `tokens_sold` of coin `sold_id` and paid `tokens_bought` of coin `bought_id`."""

    pool: Address
    block: int
    log_index: int
    time: int
    sold_id: int
    tokens_sold: int
    bought_id: int
    tokens_bought: int
    transaction_hash: bytes


class _Layout(NamedTuple):
    """Where an event's data has what, in words. `arrays` dynamic ones have their offsets first; `fixed` is how many
    words the array of token amounts takes where it stands first."""

    event: str
    generation: Generation | None
    data_words: int
    fixed: int = 0
    arrays: int = 0
    burned_at: int | None = None
    supply_at: int | None = None


_ADD, _REMOVE, _ONE = "AddLiquidity", "RemoveLiquidity", "RemoveLiquidityOne"
_IMBALANCE = "RemoveLiquidityImbalance"
_NG, _OLD, _CRYPTO = Generation.STABLESWAP_NG, Generation.STABLESWAP, Generation.CRYPTO


def _stableswap(event: str, coins: int) -> _Layout:
    """Amounts, fees, then (not for RemoveLiquidity) the invariant, then the supply."""
    size = 2 * coins + (1 if event == _REMOVE else 2)
    return _Layout(event, _OLD, size, fixed=coins, supply_at=size - 1)


_LAYOUTS: Final[Mapping[bytes, _Layout]] = {
    topics.NG_ADD_LIQUIDITY: _Layout(_ADD, _NG, 4, arrays=2, supply_at=3),
    topics.NG_REMOVE_LIQUIDITY: _Layout(_REMOVE, _NG, 3, arrays=2, supply_at=2),
    topics.NG_REMOVE_LIQUIDITY_IMBALANCE: _Layout(_IMBALANCE, _NG, 4, arrays=2, supply_at=3),
    topics.NG_REMOVE_LIQUIDITY_ONE: _Layout(_ONE, _NG, 4, burned_at=1, supply_at=3),
    topics.ADD_LIQUIDITY_2: _stableswap(_ADD, 2),
    topics.ADD_LIQUIDITY_3: _stableswap(_ADD, 3),
    topics.ADD_LIQUIDITY_4: _stableswap(_ADD, 4),
    topics.REMOVE_LIQUIDITY_2: _stableswap(_REMOVE, 2),
    topics.REMOVE_LIQUIDITY_3: _stableswap(_REMOVE, 3),
    topics.REMOVE_LIQUIDITY_4: _stableswap(_REMOVE, 4),
    topics.REMOVE_LIQUIDITY_IMBALANCE_2: _stableswap(_IMBALANCE, 2),
    topics.REMOVE_LIQUIDITY_IMBALANCE_3: _stableswap(_IMBALANCE, 3),
    topics.REMOVE_LIQUIDITY_IMBALANCE_4: _stableswap(_IMBALANCE, 4),
    topics.REMOVE_LIQUIDITY_ONE_TWO_WORDS: _Layout(_ONE, _OLD, 2, burned_at=0),
    topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS: _Layout(_ONE, None, 3, burned_at=0),
    topics.CRYPTO_ADD_LIQUIDITY_2: _Layout(_ADD, _CRYPTO, 4, fixed=2, supply_at=3),
    topics.CRYPTO_ADD_LIQUIDITY_3: _Layout(_ADD, _CRYPTO, 5, fixed=3, supply_at=4),
    topics.CRYPTO_NG_ADD_LIQUIDITY_2: _Layout(_ADD, _CRYPTO, 5, fixed=2, supply_at=3),
    topics.CRYPTO_NG_ADD_LIQUIDITY_3: _Layout(_ADD, _CRYPTO, 6, fixed=3, supply_at=4),
    topics.CRYPTO_REMOVE_LIQUIDITY_2: _Layout(_REMOVE, _CRYPTO, 3, fixed=2, supply_at=2),
    topics.CRYPTO_REMOVE_LIQUIDITY_3: _Layout(_REMOVE, _CRYPTO, 4, fixed=3, supply_at=3),
    topics.CRYPTO_NG_REMOVE_LIQUIDITY_ONE: _Layout(_ONE, _CRYPTO, 5, burned_at=0),
    topics.CRYPTO_NG_REMOVE_LIQUIDITY_IMBALANCE: _Layout(_IMBALANCE, _CRYPTO, 5, burned_at=0),
}

LIQUIDITY_TOPICS: Final = tuple(_LAYOUTS)

_EXCHANGES: Final[Mapping[bytes, tuple[int, int]]] = {
    topics.TOKEN_EXCHANGE: (4, 128),
    topics.CRYPTO_TOKEN_EXCHANGE: (4, 256),
    topics.CRYPTO_NG_TOKEN_EXCHANGE: (6, 256),
}
"""How many words the data has, and how many bits a coin's number."""

EXCHANGE_TOPICS: Final = tuple(_EXCHANGES)


def decode_liquidity(log: RawLog, generation: Generation | None = None) -> LiquidityEvent:
    """An event of LIQUIDITY_TOPICS. `generation` is the pool's, where known: one event means two things without it."""
    layout = _layout_of(log, generation)
    data = _head(log, layout)
    address(log.topics[1], place(log, layout.event))
    return LiquidityEvent(
        log.address,
        log.block,
        log.log_index,
        log.time,
        layout.event,
        layout.event == _ADD,
        layout.generation,
        _amounts(log, layout, data),
        None if layout.burned_at is None else int.from_bytes(data[layout.burned_at]),
        None if layout.supply_at is None else int.from_bytes(data[layout.supply_at]),
        log.transaction_hash,
    )


def decode_exchange(log: RawLog) -> Exchange:
    """An event of EXCHANGE_TOPICS."""
    event = "TokenExchange"
    size, bits = _EXCHANGES[log.topics[0]]
    sold_id, sold, bought_id, bought, *_ = words(log, event, topics=2, data_words=size)
    ids = [
        signed(word, 128, place(log, event)) if bits == 128 else int.from_bytes(word) for word in (sold_id, bought_id)
    ]
    if not all(0 <= number < MAX_COINS for number in ids) or ids[0] == ids[1]:
        raise malformed(log, event, f"coin {ids[0]} for coin {ids[1]}")
    return Exchange(
        log.address,
        log.block,
        log.log_index,
        log.time,
        ids[0],
        int.from_bytes(sold),
        ids[1],
        int.from_bytes(bought),
        log.transaction_hash,
    )


def _layout_of(log: RawLog, generation: Generation | None) -> _Layout:
    """In an older StableSwap pool the third word of RemoveLiquidityOne is the supply, in a crypto pool it is not."""
    layout = _LAYOUTS[log.topics[0]]
    if log.topics[0] == topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS and generation == _OLD:
        return layout._replace(generation=_OLD, supply_at=2)
    return layout


def _head(log: RawLog, layout: _Layout) -> list[bytes]:
    """The data's words, as many as the event has; with dynamic arrays, at least as many."""
    size = len(log.data) // WORD if layout.arrays else layout.data_words
    if size < layout.data_words:
        raise malformed(log, layout.event, f"{len(log.data)} bytes of data")
    return words(log, layout.event, topics=2, data_words=size)


def _amounts(log: RawLog, layout: _Layout, data: list[bytes]) -> tuple[int, ...] | None:
    if layout.arrays:
        amounts, fees = (_array(log, layout, data, at) for at in range(layout.arrays))
        if not amounts or len(fees) not in (0, len(amounts)):
            raise malformed(log, layout.event, f"{len(amounts)} amounts and {len(fees)} fees")
        return amounts
    return tuple(int.from_bytes(word) for word in data[: layout.fixed]) if layout.fixed else None


def _array(log: RawLog, layout: _Layout, data: list[bytes], at: int) -> tuple[int, ...]:
    """The dynamic array whose offset stands at word `at`; Inconsistent where it would lie outside of the data."""
    start, rest = divmod(int.from_bytes(data[at]), WORD)
    if rest or not layout.data_words <= start < len(data):
        raise malformed(log, layout.event, f"an array at byte {start * WORD + rest} of {len(log.data)}")
    length = int.from_bytes(data[start])
    if length > MAX_COINS or start + 1 + length > len(data):
        raise malformed(log, layout.event, f"an array of {length} words at byte {start * WORD}")
    return tuple(int.from_bytes(word) for word in data[start + 1 : start + 1 + length])
