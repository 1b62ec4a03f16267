"""The pools' own events, as eth-abi encodes them, or refused by contract, block and log index."""

import pytest
from eth_abi import encode

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.logs import RawLog
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.events import (
    LIQUIDITY_TOPICS,
    Exchange,
    Generation,
    LiquidityEvent,
    decode_exchange,
    decode_liquidity,
)

POOL = Address("0x" + "99" * 20)
ALICE = "0x" + "a1" * 20
TRANSACTION = b"\x07" * 32
BIG = 2**256 - 1
NG, OLD, CRYPTO = Generation.STABLESWAP_NG, Generation.STABLESWAP, Generation.CRYPTO


def log(topic, types, values):
    words = (topic, bytes.fromhex(ALICE[2:].rjust(64, "0")))
    return RawLog(120, 4, 1_700_000_000, POOL, words, encode(types, values), TRANSACTION, "0x" + "0b" * 32)


def told(event, generation, amounts, burned, supply):
    adds = event == "AddLiquidity"
    place = (POOL, 120, 4, 1_700_000_000, event, adds)
    return LiquidityEvent(*place, generation, amounts, burned, supply, TRANSACTION)


ARRAYS = ["uint256[]", "uint256[]"]
EVENTS = [
    (topics.NG_ADD_LIQUIDITY, [*ARRAYS, "uint256", "uint256"], [[1, BIG], [3, 4], 5, 6], (NG, (1, BIG), None, 6)),
    (topics.NG_REMOVE_LIQUIDITY, [*ARRAYS, "uint256"], [[1, 2, 3], [], 6], (NG, (1, 2, 3), None, 6)),
    (
        topics.NG_REMOVE_LIQUIDITY_IMBALANCE,
        [*ARRAYS, "uint256", "uint256"],
        [[1] * 8, [2] * 8, 5, 6],
        (NG, (1,) * 8, None, 6),
    ),
    (topics.NG_REMOVE_LIQUIDITY_ONE, ["int128", *["uint256"] * 3], [1, 20, 30, 6], (NG, None, 20, 6)),
    (topics.REMOVE_LIQUIDITY_ONE_TWO_WORDS, ["uint256"] * 2, [20, 30], (OLD, None, 20, None)),
    (topics.CRYPTO_REMOVE_LIQUIDITY_2, ["uint256[2]", "uint256"], [[1, 2], 6], (CRYPTO, (1, 2), None, 6)),
    (topics.CRYPTO_REMOVE_LIQUIDITY_3, ["uint256[3]", "uint256"], [[1, 2, 3], 6], (CRYPTO, (1, 2, 3), None, 6)),
    (topics.CRYPTO_NG_REMOVE_LIQUIDITY_ONE, ["uint256"] * 5, [20, 1, 30, 4, 5], (CRYPTO, None, 20, None)),
    (
        topics.CRYPTO_NG_REMOVE_LIQUIDITY_IMBALANCE,
        ["uint256", "uint256[2]", "uint256", "uint256"],
        [20, [1, 2], 4, 5],
        (CRYPTO, None, 20, None),
    ),
]
for count in (2, 3, 4):
    amounts, fees = tuple(range(1, count + 1)), [9] * count
    array = f"uint256[{count}]"
    EVENTS += [
        (getattr(topics, f"ADD_LIQUIDITY_{count}"), [array, array, "uint256", "uint256"], [amounts, fees, 5, 6]),
        (getattr(topics, f"REMOVE_LIQUIDITY_{count}"), [array, array, "uint256"], [amounts, fees, 6]),
        (
            getattr(topics, f"REMOVE_LIQUIDITY_IMBALANCE_{count}"),
            [array, array, "uint256", "uint256"],
            [amounts, fees, 5, 6],
        ),
    ]
    EVENTS[-3:] = [(*event, (OLD, amounts, None, 6)) for event in EVENTS[-3:]]
for count in (2, 3):
    amounts, array = tuple(range(1, count + 1)), f"uint256[{count}]"
    known = (CRYPTO, amounts, None, 6)
    EVENTS += [
        (getattr(topics, f"CRYPTO_ADD_LIQUIDITY_{count}"), [array, "uint256", "uint256"], [amounts, 5, 6], known),
        (
            getattr(topics, f"CRYPTO_NG_ADD_LIQUIDITY_{count}"),
            [array, "uint256", "uint256", "uint256"],
            [amounts, 5, 6, 7],
            known,
        ),
    ]
NAMES = {getattr(topics, name): name for name in vars(topics) if name.isupper()}


def event_name(topic):
    names = ("AddLiquidity", "RemoveLiquidityImbalance", "RemoveLiquidityOne", "RemoveLiquidity")
    return next(name for name in names if name.upper() in NAMES[topic].replace("_", ""))


@pytest.mark.parametrize(("topic", "types", "values", "said"), EVENTS, ids=[NAMES[event[0]] for event in EVENTS])
def test_an_event_is_read_as_it_was_encoded(topic, types, values, said):
    assert decode_liquidity(log(topic, types, values)) == told(event_name(topic), *said)


def test_every_liquidity_event_but_the_shared_one_is_read_above():
    assert {event[0] for event in EVENTS} == set(LIQUIDITY_TOPICS) - {topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS}


def test_what_the_third_word_of_a_shared_event_means_depends_on_the_pool():
    shared = log(topics.REMOVE_LIQUIDITY_ONE_THREE_WORDS, ["uint256"] * 3, [20, 1, 6])
    assert decode_liquidity(shared) == told("RemoveLiquidityOne", None, None, 20, None)
    assert decode_liquidity(shared, OLD) == told("RemoveLiquidityOne", OLD, None, 20, 6)


EXCHANGES = [
    (topics.TOKEN_EXCHANGE, ["int128", "uint256", "int128", "uint256"], [0, 20, 1, 30]),
    (topics.CRYPTO_TOKEN_EXCHANGE, ["uint256"] * 4, [0, 20, 1, 30]),
    (topics.CRYPTO_NG_TOKEN_EXCHANGE, ["uint256"] * 6, [0, 20, 1, 30, 4, 5]),
]


@pytest.mark.parametrize(("topic", "types", "values"), EXCHANGES)
def test_an_exchange_says_what_came_and_what_went(topic, types, values):
    assert decode_exchange(log(topic, types, values)) == Exchange(
        POOL, 120, 4, 1_700_000_000, 0, 20, 1, 30, TRANSACTION
    )


@pytest.mark.parametrize("values", [[-1, 20, 1, 30], [0, 20, 0, 30], [8, 20, 1, 30]])
def test_an_exchange_of_coins_that_cannot_be_is_refused(values):
    with pytest.raises(Inconsistent, match=f"TokenExchange of {POOL}, block 120, log 4: coin {values[0]} for coin"):
        decode_exchange(log(topics.TOKEN_EXCHANGE, EXCHANGES[0][1], values))


@pytest.mark.parametrize(("topic", "types", "values", "said"), EVENTS, ids=[NAMES[event[0]] for event in EVENTS])
def test_an_event_cut_short_is_refused(topic, types, values, said):
    whole = log(topic, types, values)
    with pytest.raises(Inconsistent, match=f"{event_name(topic)} of {POOL}, block 120, log 4: "):
        decode_liquidity(whole._replace(data=whole.data[:-32]))
    with pytest.raises(Inconsistent):
        decode_liquidity(whole._replace(topics=whole.topics[:1]))


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 31), (0, 32), (1, 2**256 - 32), (4, 9), (4, 3), (7, 1), (7, 2**255)],
    ids=["odd offset", "offset in the head", "offset beyond", "too long", "longer than the other", "shorter", "huge"],
)
def test_a_dynamic_array_that_lies_wrong_is_refused(at, value):
    whole = log(topics.NG_ADD_LIQUIDITY, [*ARRAYS, "uint256", "uint256"], [[1, 2], [3, 4], 5, 6])
    broken = whole._replace(data=whole.data[: 32 * at] + value.to_bytes(32) + whole.data[32 * at + 32 :])
    with pytest.raises(Inconsistent, match=f"AddLiquidity of {POOL}, block 120, log 4"):
        decode_liquidity(broken)
