"""What the program is: its identity, chains, tokens, pools and their cursors."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Conflict, NotFound
from loyalty.program.rules import Token
from loyalty.state import State, StateTransaction, chains, pools, program_config, tokens
from loyalty.state.chains import ChainState
from loyalty.state.pools import PoolRow
from loyalty.state.program_config import ConfigVersion
from loyalty.state.tokens import TokenRow

ON_EACH_ENGINE = True

START, WEEK = 1_725_840_000, 604_800
FIRST = ConfigVersion(1, "tBTC", START, WEEK, (10, 42161), '{"count":"full"}', 1, START - 5)
TBTC = Token("tBTC", 42161, Address("0x" + "6c" * 20), 18, 8, 7200)


def header(number: int, time: int = 0) -> Header:
    return Header(number, f"0x{number:064x}", "", time)


def test_versions_of_the_rules_follow_one_another(state: State) -> None:
    second = FIRST._replace(version=2, rules='{"count":"in_range"}', effective_from_epoch=4)
    with StateTransaction(state) as connection:
        assert program_config.latest(connection) is None
        assert program_config.bind(connection, "tBTC", START, WEEK, [42161]) is None
        program_config.add(connection, FIRST)
        program_config.add(connection, second)
        with pytest.raises(Conflict, match="version 2 cannot be added, the next one is 3"):
            program_config.add(connection, second)
    with state.read() as connection:
        assert program_config.all_versions(connection) == [FIRST, second]
        assert program_config.latest(connection) == second
        assert program_config.get(connection, 1) == FIRST
        assert program_config.get(connection, 9) is None
        assert program_config.bind(connection, "tBTC", START, WEEK, [42161, 10]) == second


@pytest.mark.parametrize(
    ("name", "start", "epoch_seconds", "chain_ids", "told"),
    [
        (
            "other",
            START,
            WEEK,
            [10, 42161],
            "program 'other' from 2024-09-09T00:00:00Z in epochs of 7d on chains 10, 42161",
        ),
        ("tBTC", START + 86400, WEEK, [10, 42161], "from 2024-09-10T00:00:00Z"),
        ("tBTC", START, 2 * WEEK, [10, 42161], "in epochs of 14d"),
        ("tBTC", START, WEEK, [10], "on chains 10"),
    ],
)
def test_a_database_of_another_program_is_refused_naming_both(
    state: State, name: str, start: int, epoch_seconds: int, chain_ids: list[int], told: str
) -> None:
    with StateTransaction(state) as connection:
        program_config.add(connection, FIRST)
    with state.read() as connection, pytest.raises(Conflict) as failure:
        program_config.bind(connection, name, start, epoch_seconds, chain_ids)
    assert told in str(failure.value)
    assert "belongs to program 'tBTC' from 2024-09-09T00:00:00Z in epochs of 7d on chains 10, 42161" in str(
        failure.value
    )


def test_a_chain_is_one_id_with_one_name(state: State) -> None:
    with StateTransaction(state) as connection:
        chains.ensure(connection, 42161, "arbitrum")
        chains.ensure(connection, 42161, "arbitrum")
        with pytest.raises(Conflict, match=r"chain 'base' with id 42161 contradicts .* chain 'arbitrum' has id 42161"):
            chains.ensure(connection, 42161, "base")
        with pytest.raises(Conflict, match="chain 'arbitrum' with id 1 contradicts"):
            chains.ensure(connection, 1, "arbitrum")
        assert chains.all_chains(connection) == [ChainState(42161, "arbitrum", None, None, None, None, None)]
        with pytest.raises(NotFound, match="chain 1 is not in the database"):
            chains.get(connection, 1)


def test_tips_move_with_the_head_and_the_finalized_block_never_goes_back(state: State) -> None:
    with StateTransaction(state) as connection:
        chains.ensure(connection, 1, "ethereum")
        chains.set_tips(connection, 1, header(100, 1000), header(90, 900))
        chains.set_tips(connection, 1, header(99, 990), header(80, 800))
        assert chains.get(connection, 1) == ChainState(1, "ethereum", None, 99, 990, 90, 900)
        chains.set_tips(connection, 1, header(120, 1200), None)
        chains.set_program_start_block(connection, 1, 55)
        assert chains.get(connection, 1) == ChainState(1, "ethereum", 55, 120, 1200, 90, 900)
        chains.set_program_start_block(connection, 1, None)
        assert chains.get(connection, 1).program_start_block is None
        for change in (
            lambda: chains.set_tips(connection, 7, header(1), None),
            lambda: chains.set_program_start_block(connection, 7, 1),
        ):
            with pytest.raises(NotFound, match="chain 7"):
                change()


def test_the_position_managers_that_facts_were_read_with_are_kept(state: State) -> None:
    first, second = Address("0x" + "c3" * 20), Address("0x" + "03" * 20)
    with StateTransaction(state) as connection:
        chains.ensure(connection, 1, "ethereum")
        assert chains.position_managers(connection, 1) is None
        chains.set_position_managers(connection, 1, [first, second])
        assert chains.position_managers(connection, 1) == [second, first]


def test_a_token_is_stored_once(state: State) -> None:
    with StateTransaction(state) as connection:
        first = tokens.ensure(connection, TBTC)
        other = tokens.ensure(connection, Token("ARB", 0, None, 18, 8, 60))
        assert tokens.ensure(connection, TBTC) == first
        assert tokens.ids(connection) == {"tBTC": first, "ARB": other}
        assert tokens.all_tokens(connection)[1] == TokenRow(other, "ARB", 0, None, 18, 8)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"decimals": 8}, "8 decimals, 8 price decimals"),
        ({"price_decimals": 12}, "18 decimals, 12 price decimals"),
        ({"address": Address("0x" + "77" * 20)}, "0x7777777777777777777777777777777777777777 on chain 42161"),
        ({"chain": 0, "address": None}, "without an address"),
    ],
)
def test_a_token_that_contradicts_the_stored_one_is_refused_naming_both(
    state: State, change: dict[str, Any], told: str
) -> None:
    values = {name: getattr(TBTC, name) for name in TBTC.__slots__} | change
    with StateTransaction(state) as connection:
        tokens.ensure(connection, TBTC)
        with pytest.raises(Conflict) as failure:
            tokens.ensure(connection, Token(**values))
    assert told in str(failure.value)
    assert f"where it is token tBTC ({TBTC.address} on chain 42161, 18 decimals, 8 price decimals)" in str(
        failure.value
    )


def test_a_pool_is_stored_once_with_its_cursor_at_its_start(state: State, add_pool: Callable[..., Any]) -> None:
    pool = add_pool(state, start_block=100)
    assert add_pool(state, start_block=100) == pool
    with state.read() as connection:
        row = pools.get(connection, pool.id)
        assert pools.all_pools(connection) == pools.all_pools(connection, pool.chain) == [row]
        assert pools.all_pools(connection, 1) == []
        assert pools.find(connection, pool.chain, pool.address) == row
    assert row == PoolRow(
        pool.id, 42161, pool.address, "uniswap_v3", *pool.token_ids, 500, 10, 100, 100, "WBTC", "tBTC"
    )


def test_fee_and_tick_spacing_may_become_known_later_and_then_stay(state: State, pool: Any) -> None:
    with StateTransaction(state) as connection:
        other = Address("0x" + "11" * 20)
        known = (connection, pool.chain, other, "uniswap_v3", *pool.token_ids, 7)
        first = pools.ensure(*known)
        assert pools.get(connection, first).fee_pips is None
        assert pools.ensure(*known, fee_pips=3000, tick_spacing=60) == first
        assert pools.ensure(*known) == first
        row = pools.get(connection, first)
        assert (row.fee_pips, row.tick_spacing) == (3000, 60)
        with pytest.raises(Conflict, match="fee_pips is 500 here, but 3000 in the database"):
            pools.ensure(*known, fee_pips=500)
        with pytest.raises(Conflict, match="start_block is 8 here, but 7 in the database"):
            pools.ensure(*known[:-1], 8)


def test_a_pool_that_is_not_stored_is_not_found(state: State) -> None:
    with state.read() as connection, pytest.raises(NotFound, match="pool 99"):
        pools.get(connection, 99)
