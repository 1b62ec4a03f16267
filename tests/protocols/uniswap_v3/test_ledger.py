"""The ledger as a fold: from stored facts, without prices, in order, and never below zero."""

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import (
    LiquidityChange,
    PoolPrice,
    PositionChange,
    PositionKey,
    PositionToken,
    PositionTransfer,
    Swap,
)
from loyalty.protocols.uniswap_v3.ledger import Ledger

POOL = Address("0x" + "99" * 20)
OTHER_POOL = Address("0x" + "98" * 20)
MANAGER = Address("0x" + "77" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
TOKEN = PositionToken(MANAGER, 7)
HASH = bytes(32)


def swap(block, tick, liquidity, index=0, pool=POOL):
    return Swap(pool, block, index, 12 * block, 1 << 96, tick, liquidity, 5, -4, HASH)


def change(block, owner, delta, token=None, index=0, pool=POOL, lower=-60, upper=60):
    return LiquidityChange(pool, block, index, 12 * block, owner, lower, upper, delta, 3, 5, token, HASH)


def transfer(block, sender, recipient, index=0, pool=POOL):
    return PositionTransfer(pool, block, index, 12 * block, TOKEN, sender, recipient, HASH)


def minted(liquidity=1000):
    ledger = Ledger([MANAGER])
    assert ledger.apply(change(1, MANAGER, liquidity, TOKEN)) == []
    assert ledger.apply(transfer(1, ZERO_ADDRESS, ALICE, index=1)) == [
        PositionChange(12, PositionKey(ALICE, -60, 60, TOKEN), liquidity)
    ]
    return ledger


def test_an_unknown_pool_has_nothing():
    ledger = Ledger([])
    assert (ledger.positions(POOL), ledger.tokens(POOL), ledger.tokens()) == ({}, [], [])
    assert (ledger.price(POOL), ledger.in_range_liquidity(POOL), ledger.pool_of(TOKEN)) == (None, None, None)


def test_positions_need_no_prices():
    ledger = minted()
    ledger.apply(change(2, BOB, 30))
    assert ledger.positions(POOL) == {
        PositionKey(ALICE, -60, 60, TOKEN): 1000,
        PositionKey(BOB, -60, 60, None): 30,
    }
    assert ledger.ranges(POOL) == {(MANAGER, -60, 60): 1000, (BOB, -60, 60): 30}
    assert ledger.in_range_liquidity(POOL) is None


def test_a_price_that_is_set_stands_for_the_swaps_that_were_not_folded():
    ledger = minted()
    ledger.set_price(POOL, PoolPrice(20, 1 << 96, 60))
    assert (ledger.price(POOL), ledger.in_range_liquidity(POOL)) == (PoolPrice(20, 1 << 96, 60), 0)
    ledger.set_price(POOL, PoolPrice(20, 1 << 96, 59))
    ledger.apply(change(2, BOB, 30))
    ledger.apply(swap(3, -60, 1030))
    assert ledger.price(POOL) == PoolPrice(36, 1 << 96, -60)


def test_a_swap_is_checked_although_no_price_came_before_it():
    ledger = minted()
    ledger.copy().apply(swap(2, 0, 1000))
    with pytest.raises(Inconsistent, match=f"pool {POOL}, block 2, log 0: the swap says 999 .* add up to 1000"):
        ledger.apply(swap(2, 0, 999))


def test_pools_are_kept_apart():
    ledger = minted()
    ledger.apply(change(1, BOB, 5, pool=OTHER_POOL))
    ledger.apply(swap(2, 0, 1000))
    ledger.apply(swap(2, 0, 5, pool=OTHER_POOL, index=1))
    assert ledger.positions(OTHER_POOL) == {PositionKey(BOB, -60, 60, None): 5}
    assert (ledger.tokens(POOL), ledger.tokens(OTHER_POOL), ledger.tokens()) == ([TOKEN], [], [TOKEN])


def test_a_copy_leaves_no_trace_in_the_original():
    ledger = minted()
    ledger.apply(swap(2, 0, 1000))
    twin = ledger.copy()
    twin.apply(change(3, MANAGER, -600, TOKEN))
    twin.apply(transfer(3, ALICE, BOB, index=1))
    twin.apply(change(3, BOB, 5, index=2, pool=OTHER_POOL))
    twin.apply(swap(4, 100, 0))
    assert ledger.positions(POOL) == {PositionKey(ALICE, -60, 60, TOKEN): 1000}
    assert (ledger.in_range_liquidity(POOL), ledger.positions(OTHER_POOL)) == (1000, {})
    assert ledger.price(POOL) == PoolPrice(24, 1 << 96, 0)
    ledger.apply(change(3, MANAGER, -1000, TOKEN))
    assert twin.positions(POOL) == {PositionKey(BOB, -60, 60, TOKEN): 400}


@pytest.mark.parametrize(("block", "index"), [(1, 0), (1, 1), (0, 9)])
def test_a_fact_comes_once_and_in_order(block, index):
    with pytest.raises(Inconsistent, match=f"pool {POOL}, block {block}, log {index}: came after block 1, log 1"):
        minted().apply(change(block, BOB, 5, index=index))


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (change(2, BOB, -1), f"-1 would leave -1 liquidity to {BOB}"),
        (change(2, BOB, 0), f"0 would leave 0 liquidity to {BOB}"),
        (change(2, MANAGER, -1001, TOKEN), "-1001 would leave -1 liquidity to 0x7+"),
        (change(2, MANAGER, -1), "a Burn of position manager 0x7+ names no token"),
        (change(2, BOB, 5, TOKEN), f"token 7 is of position manager {MANAGER}, the range of {BOB}"),
        (change(2, MANAGER, 5, TOKEN, lower=-120), r"is bound to -60\.\.60 of this pool, and now names -120\.\.60"),
        (change(2, MANAGER, 5, TOKEN, pool=OTHER_POOL), f"token 7 .* is bound to pool {POOL}"),
        (transfer(2, BOB, ALICE), f"but it belongs to {ALICE}: a Transfer is missing"),
        (transfer(2, ZERO_ADDRESS, BOB), f"but it belongs to {ALICE}: a Transfer is missing"),
        (transfer(2, ALICE, BOB, pool=OTHER_POOL), "but it was never minted for this pool"),
        (transfer(2, ALICE, ZERO_ADDRESS), "was burned with 1000 liquidity left"),
    ],
)
def test_a_fact_that_contradicts_the_ledger_is_told_with_its_place(fact, told):
    with pytest.raises(Inconsistent, match=f"block 2, log 0: .*{told}"):
        minted().apply(fact)


def test_tokens_never_draw_on_liquidity_that_is_nobodys():
    ledger = minted()
    ledger.apply(change(2, MANAGER, 500))
    with pytest.raises(Inconsistent, match="-1100 would leave -100 liquidity to token 7"):
        ledger.apply(change(3, MANAGER, -1100, TOKEN))


def test_a_new_token_needs_its_transfer_right_after_the_mint():
    for late in (
        transfer(1, ZERO_ADDRESS, ALICE, index=2),
        swap(1, 0, 1000, index=1),
        transfer(1, ALICE, BOB, index=1),
    ):
        ledger = Ledger([MANAGER])
        ledger.apply(change(1, MANAGER, 1000, TOKEN))
        with pytest.raises(Inconsistent, match=r"block 1, log [01]: .*(no Transfer right after|it was just minted)"):
            ledger.apply(late)


def test_a_burned_token_never_comes_back():
    ledger = minted()
    ledger.apply(change(2, MANAGER, -1000, TOKEN))
    ledger.apply(transfer(3, ALICE, ZERO_ADDRESS))
    with pytest.raises(Inconsistent, match=r"block 4, log 0: token 7 .* was burned"):
        ledger.copy().apply(change(4, MANAGER, 5, TOKEN))
    with pytest.raises(Inconsistent, match=r"block 4, log 0: token 7 .* it was burned"):
        ledger.apply(transfer(4, ZERO_ADDRESS, BOB))


def test_a_token_of_a_manager_that_is_not_configured_is_refused():
    with pytest.raises(Inconsistent, match="the managers of this chain are none"):
        Ledger([]).apply(change(1, MANAGER, 5, TOKEN))
