"""Facts come back exactly as they were stored, in the chain's order, once."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, NotFound
from loyalty.core.facts import LiquidityChange, PoolPrice, PositionToken, PositionTransfer, Swap
from loyalty.core.spans import Span
from loyalty.state import State, StateTransaction, facts, open_state, providers

ON_EACH_ENGINE = True

EVER = Span(0, 2**40)
LARGEST = 10**78 - 1
MANAGER = Address("0x" + "c3" * 20)
ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
HASH = bytes(range(32))


def swap(pool: Any, block: int, log_index: int, time: int, price: int = 2**96, tick: int = 0) -> Swap:
    return Swap(pool.address, block, log_index, time, price, tick, 10**18, 5, -7, HASH)


def mint(pool: Any, block: int, log_index: int, time: int, token_id: int | None = None) -> LiquidityChange:
    owner, token = (ALICE, None) if token_id is None else (MANAGER, PositionToken(MANAGER, token_id))
    return LiquidityChange(pool.address, block, log_index, time, owner, -60, 60, 1000, 1, 2, token, HASH)


def transfer(pool: Any, block: int, log_index: int, time: int, token_id: int = 1) -> PositionTransfer:
    return PositionTransfer(
        pool.address, block, log_index, time, PositionToken(MANAGER, token_id), ZERO_ADDRESS, BOB, HASH
    )


def store(state: State, pool: Any, swaps: Any = (), changes: Any = (), transfers: Any = ()) -> int:
    with StateTransaction(state) as connection:
        return facts.insert(connection, pool.chain, {pool.address: pool.id}, swaps, changes, transfers)


def test_integers_of_78_digits_come_back_to_the_last_digit(state: State, pool: Any) -> None:
    first = Swap(pool.address, 5, 0, 50, LARGEST, -887272, LARGEST, -LARGEST, LARGEST, HASH)
    initialize = Swap(pool.address, 4, 9, 40, 1, 887272, None, 0, 0, HASH)
    change = LiquidityChange(
        pool.address, 6, 1, 60, MANAGER, -1, 1, -LARGEST, LARGEST, 0, PositionToken(MANAGER, LARGEST), HASH
    )
    assert store(state, pool, [initialize, first], [change]) == 3
    with state.read() as connection:
        assert facts.swaps(connection, pool.id, EVER) == [initialize, first]
        assert facts.swap_prices(connection, pool.id, EVER) == [
            PoolPrice(40, 1, 887272),
            PoolPrice(50, LARGEST, -887272),
        ]
        assert list(facts.ledger_facts(connection, [pool.id])) == [change]


units = st.integers(min_value=-LARGEST, max_value=LARGEST)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
keys = st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**31 - 1)), unique=True, min_size=3, max_size=60).map(
    sorted
)


@settings(max_examples=25, deadline=None)
@given(keys=keys, pick=st.data())
def test_whatever_is_stored_comes_back_equal_and_in_order(
    migrated: Path, add_pool: Callable[..., Any], keys: list[tuple[int, int]], pick: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(migrated, Path(folder) / "loyalty.db"))
        with open_state(path) as state:
            pool = add_pool(state)
            stored = [drawn_fact(pool, block, log_index, pick) for block, log_index in keys]
            kinds = [[fact for fact in stored if isinstance(fact, kind)] for kind in FACT_KINDS]
            assert store(state, pool, *kinds) == len(stored)
            with state.read() as connection:
                assert facts.swaps(connection, pool.id, EVER) == kinds[0]
                ledger = list(facts.ledger_facts(connection, [pool.id]))
            assert ledger == [fact for fact in stored if not isinstance(fact, Swap)]


FACT_KINDS = (Swap, LiquidityChange, PositionTransfer)


def drawn_fact(pool: Any, block: int, log_index: int, pick: st.DataObject) -> Swap | LiquidityChange | PositionTransfer:
    """A fact at this place; blocks share times in twos."""
    place = (pool.address, block, log_index, block // 2)
    transaction = pick.draw(st.binary(min_size=32, max_size=32))
    token = PositionToken(pick.draw(addresses), abs(pick.draw(units)))
    match pick.draw(st.sampled_from(FACT_KINDS)):
        case kind if kind is Swap:
            liquidity = pick.draw(st.none() | units.map(abs))
            return Swap(*place, abs(pick.draw(units)), 7, liquidity, pick.draw(units), -3, transaction)
        case kind if kind is LiquidityChange:
            direct = pick.draw(st.booleans())
            return LiquidityChange(
                *place, token.manager, -5, 5, pick.draw(units), 1, 2, None if direct else token, transaction
            )
    return PositionTransfer(*place, token, pick.draw(addresses), pick.draw(addresses), transaction)


def test_prices_are_read_by_half_open_spans_of_seconds_in_log_order(state: State, pool: Any, other_pool: Any) -> None:
    swaps = [swap(pool, block, index, time, price, 3) for block, index, time, price in [
        (10, 7, 100, 1), (10, 9, 100, 2), (11, 0, 100, 3), (12, 0, 200, 4), (13, 0, 300, 5)
    ]]  # fmt: skip
    store(state, pool, swaps)
    store(state, other_pool, [swap(other_pool, 11, 1, 100, 99)])
    with state.read() as connection:
        prices = facts.swap_prices(connection, pool.id, Span(100, 300))
        assert [price.sqrt_price_x96 for price in prices] == [1, 2, 3, 4]
        assert facts.swap_prices(connection, pool.id, Span(101, 200)) == []
        assert facts.price_before(connection, pool.id, 100) is None
        assert facts.price_before(connection, pool.id, 101) == PoolPrice(100, 3, 3)
        assert facts.price_before(connection, pool.id, 200) == PoolPrice(100, 3, 3)
        assert facts.last_price(connection, pool.id) == PoolPrice(300, 5, 3)
        assert facts.swaps(connection, pool.id, Span(100, 300), limit=2) == swaps[:2]


def test_ledger_facts_of_several_pools_come_in_the_order_of_the_chain(state: State, pool: Any, other_pool: Any) -> None:
    store(state, pool, [], [mint(pool, 10, 1, 100, 1), mint(pool, 12, 0, 120)], [transfer(pool, 10, 2, 100)])
    store(state, other_pool, [], [mint(other_pool, 10, 0, 100), mint(other_pool, 11, 5, 100)])
    with state.read() as connection:
        both = list(facts.ledger_facts(connection, [pool.id, other_pool.id]))
        one = list(facts.ledger_facts(connection, [pool.id]))
        middle = list(facts.ledger_facts(connection, [pool.id, other_pool.id], from_time=100, before_time=120))
        late = list(facts.ledger_facts(connection, [pool.id], from_time=101))
        none = list(facts.ledger_facts(connection, []))
    assert [(fact.block, fact.log_index) for fact in both] == [(10, 0), (10, 1), (10, 2), (11, 5), (12, 0)]
    assert one == [fact for fact in both if fact.pool == pool.address]
    assert middle == both[:4]
    assert late == [mint(pool, 12, 0, 120)]
    assert none == []


def test_facts_of_two_chains_have_no_common_order(state: State, pool: Any, add_pool: Callable[..., Any]) -> None:
    elsewhere = add_pool(state, chain=1)
    with state.read() as connection:
        with pytest.raises(Inconsistent, match=r"chains \[1, 42161\] have no common order"):
            list(facts.ledger_facts(connection, [pool.id, elsewhere.id]))
        with pytest.raises(NotFound, match=r"pools \[99\] are not in the database"):
            list(facts.ledger_facts(connection, [99]))


def test_the_same_place_on_two_chains_is_two_facts(state: State, pool: Any, add_pool: Callable[..., Any]) -> None:
    elsewhere = add_pool(state, chain=1)
    for place in (pool, elsewhere):
        store(state, place, [swap(place, 10, 0, 100)], [mint(place, 10, 1, 100)])
    with state.read() as connection:
        for place in (pool, elsewhere):
            assert len(facts.swaps(connection, place.id, EVER)) == 1
            assert list(facts.ledger_facts(connection, [place.id])) == [mint(place, 10, 1, 100)]


@pytest.mark.parametrize("rows_before", [0, 60])
def test_a_fact_that_is_stored_already_is_refused_with_all_of_its_step(
    state: State, pool: Any, rows_before: int
) -> None:
    store(state, pool, [swap(pool, 10, 0, 100)])
    fresh = [swap(pool, 9, index, 90) for index in range(rows_before)]
    with pytest.raises(Inconsistent, match="a fact of this step is stored already"):
        store(state, pool, [*fresh, swap(pool, 10, 0, 100)], [mint(pool, 11, 0, 110)])
    with state.read() as connection:
        assert facts.swaps(connection, pool.id, EVER) == [swap(pool, 10, 0, 100)]
        assert providers.find(connection, ALICE) is None


def test_a_fact_of_an_unknown_pool_is_refused_by_name(state: State, pool: Any, other_pool: Any) -> None:
    with pytest.raises(Inconsistent, match=f"a fact of '{other_pool.address}', which is not a pool of this step"):
        store(state, pool, [swap(other_pool, 10, 0, 100)])


def test_a_token_of_another_manager_than_the_owner_is_refused(state: State, pool: Any) -> None:
    forged = mint(pool, 10, 3, 100, 7)._replace(owner=ALICE)
    with pytest.raises(Inconsistent, match=f"block 10, log 3: the position token is of manager {MANAGER}"):
        store(state, pool, [], [forged])


def test_a_rewind_forgets_what_is_above_its_block_on_its_chain_alone(
    state: State, pool: Any, other_pool: Any, add_pool: Callable[..., Any]
) -> None:
    elsewhere = add_pool(state, chain=1)
    store(state, pool, [swap(pool, 10, 0, 100), swap(pool, 11, 0, 110)], [mint(pool, 12, 0, 120)])
    store(state, other_pool, [], [], [transfer(other_pool, 13, 0, 130), transfer(other_pool, 9, 0, 90)])
    store(state, elsewhere, [swap(elsewhere, 50, 0, 500)])
    with StateTransaction(state) as connection:
        assert facts.delete_above(connection, pool.chain, 10) == 3
        assert facts.delete_above(connection, pool.chain, 10) == 0
    with state.read() as connection:
        assert facts.swaps(connection, pool.id, EVER) == [swap(pool, 10, 0, 100)]
        assert list(facts.ledger_facts(connection, [pool.id, other_pool.id])) == [transfer(other_pool, 9, 0, 90)]
        assert len(facts.swaps(connection, elsewhere.id, EVER)) == 1
        assert facts.has(connection, pool.chain, 10, 0)
        assert not facts.has(connection, pool.chain, 11, 0)


def test_many_rows_are_stored_whatever_their_number(state: State, pool: Any) -> None:
    """Around the borders of a statement (25 rows) and of a batch (10,000)."""
    for block, number in enumerate((0, 1, 24, 25, 26, 10_000, 10_001)):
        swaps = [swap(pool, block, index, block) for index in range(number)]
        assert store(state, pool, swaps) == number
        with state.read() as connection:
            assert facts.swaps(connection, pool.id, Span(block, block + 1)) == swaps


def test_ledger_facts_are_read_while_others_are_written(state: State, pool: Any) -> None:
    store(state, pool, [], [mint(pool, block, 0, block) for block in range(5000)])
    with state.read() as connection:
        stream = facts.ledger_facts(connection, [pool.id])
        first = next(stream)
        store(state, pool, [], [mint(pool, 9000, 0, 9000)])
        assert 1 + sum(1 for _ in stream) == 5000
    assert first.block == 0
