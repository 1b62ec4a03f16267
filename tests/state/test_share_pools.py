"""What belongs to a pool with shares is stored once with it, and nothing may contradict it later."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound
from loyalty.state import State, StateTransaction, share_pools
from loyalty.state.share_pools import SharePool

ON_EACH_ENGINE = True

LP, FIRST_COIN, SECOND_COIN, GAUGE, STAKE = (Address("0x" + byte * 20) for byte in ("01", "02", "03", "04", "05"))


def ensure(state: State, pool: Any, **other: Any) -> SharePool:
    told = {"lp_token": LP, "coins": [FIRST_COIN, SECOND_COIN], "gauges": [GAUGE, STAKE], **other}
    coins = list(zip(told["coins"], reversed(pool.token_ids), strict=True))
    with StateTransaction(state) as connection:
        share_pools.ensure(connection, pool.id, told["lp_token"], coins, told["gauges"])
        return share_pools.get(connection, pool.id)


def test_coins_and_gauges_come_back_in_the_order_given(state: State, pool: Any) -> None:
    found = ensure(state, pool)
    assert found.pool.address == pool.address
    assert found.lp_token == LP
    assert [(address, token.symbol) for address, token in found.coins] == [(FIRST_COIN, "tBTC"), (SECOND_COIN, "WBTC")]
    assert found.gauges == (GAUGE, STAKE)
    assert found.generation is None
    assert len(set(found.followed)) == 5


def test_a_pool_that_is_its_own_lp_token_and_has_no_gauge_is_stored(state: State, pool: Any) -> None:
    found = ensure(state, pool, lp_token=pool.address, gauges=[])
    assert (found.lp_token, found.gauges) == (pool.address, ())


def test_storing_the_same_again_changes_nothing(state: State, pool: Any) -> None:
    assert ensure(state, pool) == ensure(state, pool)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"lp_token": STAKE}, f"lp_token is {STAKE} here, but {LP} in the database"),
        ({"coins": [SECOND_COIN, FIRST_COIN]}, f"coins is {SECOND_COIN}, {FIRST_COIN} here, but {FIRST_COIN}, "),
        ({"gauges": []}, f"gauges is none here, but {GAUGE}, {STAKE} in the database"),
    ],
)
def test_what_contradicts_the_stored_is_refused_with_both(
    state: State, pool: Any, other: dict[str, Any], told: str
) -> None:
    before = ensure(state, pool)
    with pytest.raises(Conflict, match=told):
        ensure(state, pool, **other)
    with state.read() as connection:
        assert share_pools.get(connection, pool.id) == before


def test_pools_that_share_a_coin_follow_it_once(state: State, pool: Any, other_pool: Any) -> None:
    one = ensure(state, pool)
    two = ensure(state, other_pool, lp_token=other_pool.address, gauges=[])
    assert one.followed[-2:] == two.followed[-2:]
    with state.read() as connection:
        assert share_pools.all_on(connection, pool.chain) == [one, two]
        assert share_pools.all_on(connection, 1) == []


def test_the_generation_is_kept_and_taken_back(state: State, pool: Any) -> None:
    ensure(state, pool)
    for generation in ("stableswap_ng", None):
        with StateTransaction(state) as connection:
            share_pools.set_generation(connection, pool.id, generation)
            assert share_pools.get(connection, pool.id).generation == generation


def test_a_pool_without_shares_is_not_found_as_one(state: State, pool: Any) -> None:
    with state.read() as connection:
        assert share_pools.all_on(connection, pool.chain) == []
        with pytest.raises(NotFound, match=f"pool {pool.id} has no shares"):
            share_pools.get(connection, pool.id)
    with pytest.raises(NotFound, match="has no shares"), StateTransaction(state) as connection:
        share_pools.set_generation(connection, pool.id, "stableswap")
