"""Raw logs are decoded exactly, or refused by contract, block and log index."""

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import LiquidityChange, PositionToken, Swap
from loyalty.core.logs import RawLog
from loyalty.protocols.uniswap_v3 import events, topics

POOL = Address("0x" + "99" * 20)
MANAGER = Address("0x" + "77" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
TRANSACTION = b"\x07" * 32


def word(value: int | str) -> bytes:
    return bytes.fromhex(value[2:].rjust(64, "0")) if isinstance(value, str) else (value % 2**256).to_bytes(32)


def log(address, topic, indexed, values):
    words = (topic, *map(word, indexed))
    return RawLog(120, 4, 1_700_000_000, address, words, b"".join(map(word, values)), TRANSACTION, "0x" + "0b" * 32)


SWAP = log(POOL, topics.SWAP, [ALICE, BOB], [-(2**255), 2**255 - 1, 2**160 - 1, 2**128 - 1, -887_272])
INITIALIZE = log(POOL, topics.INITIALIZE, [], [1 << 96, 887_271])
MINT = log(POOL, topics.MINT, [ALICE, -887_272, 887_272], [BOB, 2**128 - 1, 2**256 - 1, 0])
BURN = log(POOL, topics.BURN, [ALICE, -60, 60], [1000, 3, 5])
COLLECT = log(POOL, topics.POOL_COLLECT, [ALICE, -60, 60], [BOB, 3, 5])
INCREASE = log(MANAGER, topics.INCREASE_LIQUIDITY, [2**256 - 1], [1000, 3, 5])
DECREASE = log(MANAGER, topics.DECREASE_LIQUIDITY, [7], [1000, 3, 5])
TOKEN_COLLECT = log(MANAGER, topics.TOKEN_COLLECT, [7], [BOB, 3, 5])
TRANSFER = log(MANAGER, topics.TRANSFER, [ALICE, BOB, 7], [])
DECODERS = [
    (SWAP, events.decode_swap),
    (INITIALIZE, events.decode_initialize),
    (MINT, events.decode_mint),
    (BURN, events.decode_burn),
    (COLLECT, events.decode_pool_collect),
    (INCREASE, events.decode_increase_liquidity),
    (DECREASE, events.decode_decrease_liquidity),
    (TOKEN_COLLECT, events.decode_token_collect),
    (TRANSFER, events.decode_transfer),
]


def test_a_swap_at_the_limits_of_its_types():
    assert events.decode_swap(SWAP) == Swap(
        POOL, 120, 4, 1_700_000_000, 2**160 - 1, -887_272, 2**128 - 1, -(2**255), 2**255 - 1, TRANSACTION
    )


def test_an_initialize_is_a_price_without_liquidity():
    assert events.decode_initialize(INITIALIZE) == Swap(
        POOL, 120, 4, 1_700_000_000, 1 << 96, 887_271, None, 0, 0, TRANSACTION
    )


def test_a_mint_brings_and_a_burn_takes_liquidity_with_amounts_as_logged():
    assert events.decode_mint(MINT) == LiquidityChange(
        POOL, 120, 4, 1_700_000_000, ALICE, -887_272, 887_272, 2**128 - 1, 2**256 - 1, 0, None, TRANSACTION
    )
    assert events.decode_burn(BURN) == LiquidityChange(
        POOL, 120, 4, 1_700_000_000, ALICE, -60, 60, -1000, 3, 5, None, TRANSACTION
    )


def test_the_managers_events_name_the_token():
    place = (120, 4, 1_700_000_000)
    token = PositionToken(MANAGER, 7)
    big = PositionToken(MANAGER, 2**256 - 1)
    assert events.decode_increase_liquidity(INCREASE) == (big, *place, 1000, 3, 5, TRANSACTION)
    assert events.decode_decrease_liquidity(DECREASE) == (token, *place, -1000, 3, 5, TRANSACTION)
    assert events.decode_token_collect(TOKEN_COLLECT) == (token, *place, BOB, 3, 5, TRANSACTION)
    assert events.decode_transfer(TRANSFER) == (token, *place, ALICE, BOB, TRANSACTION)


def test_a_pools_collect_names_owner_and_recipient():
    assert events.decode_pool_collect(COLLECT) == (
        *(POOL, 120, 4, 1_700_000_000, ALICE, BOB, -60, 60, 3, 5, TRANSACTION),
    )


@pytest.mark.parametrize(("good", "decode"), DECODERS)
@pytest.mark.parametrize("damage", ["a byte more", "a byte less", "a topic more", "a topic less"])
def test_a_log_of_another_shape_is_refused_with_its_place(good, decode, damage):
    damaged = {
        "a byte more": good._replace(data=good.data + b"\0"),
        "a byte less": good._replace(data=good.data[:-1] or b"\1"),
        "a topic more": good._replace(topics=(*good.topics, bytes(32))),
        "a topic less": good._replace(topics=good.topics[:-1]),
    }[damage]
    with pytest.raises(Inconsistent, match=f"of {good.address}, block 120, log 4: .* is not the event's shape"):
        decode(damaged)


@pytest.mark.parametrize(
    "values", [[0, 0, 2**160, 1, 0], [0, 0, 1, 2**128, 0], [0, 0, 1, 1, 887_272], [0, 0, 1, 1, 2**24]]
)
def test_a_swap_beyond_the_limits_of_the_contract_is_refused(values):
    with pytest.raises(Inconsistent, match=f"Swap of {POOL}, block 120, log 4"):
        events.decode_swap(log(POOL, topics.SWAP, [ALICE, BOB], values))


@pytest.mark.parametrize("ticks", [(60, 60), (60, -60), (-887_273, 0), (0, 887_273), (0, 2**24)])
def test_a_range_that_no_pool_allows_is_refused(ticks):
    with pytest.raises(Inconsistent, match=f"Mint of {POOL}, block 120, log 4"):
        events.decode_mint(log(POOL, topics.MINT, [ALICE, *ticks], [BOB, 1, 1, 1]))


def test_the_transfer_of_an_erc20_is_not_one_of_an_nft():
    with pytest.raises(Inconsistent, match=f"Transfer of {MANAGER}"):
        events.decode_transfer(log(MANAGER, topics.TRANSFER, [ALICE, BOB], [7]))
