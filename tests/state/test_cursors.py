"""Cursors: moved only from the value that was read, set back by a rewind, and how far a pool counts."""

from typing import Any

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, NotFound
from loyalty.state import State, StateTransaction, cursors, followed_contracts

STAKER = Address("0x" + "51" * 20)


def test_a_cursor_moves_only_from_the_value_that_was_read(state: State, pool: Any, other_pool: Any) -> None:
    with StateTransaction(state) as connection:
        first, second = cursors.all_on(connection, pool.chain)
        cursors.advance(connection, first, 150)
        with pytest.raises(Conflict, match="this step began at block 100, but its cursor is at 150"):
            cursors.advance(connection, first, 150)
        cursors.advance(connection, first._replace(next_block=150), 151)
        assert [each.next_block for each in cursors.all_on(connection, pool.chain)] == [151, second.next_block]
        with pytest.raises(NotFound, match="is not in the database"):
            cursors.advance(connection, first._replace(id=99), 152)


def test_a_rewind_sets_back_what_has_passed_its_block_and_nothing_before_its_own_start(
    state: State, pool: Any, other_pool: Any
) -> None:
    with StateTransaction(state) as connection:
        followed_contracts.ensure(connection, pool.chain, "nft_staker", STAKER, 130)
        for cursor in cursors.all_on(connection, pool.chain):
            cursors.advance(connection, cursor, 120 if cursor.id == other_pool.id and cursor.table == "pools" else 160)
        cursors.set_back(connection, pool.chain, 124)
        assert [each.next_block for each in cursors.all_on(connection, pool.chain)] == [125, 120, 130]


def test_a_pool_counts_no_further_than_the_contracts_whose_holders_are_credited(state: State, pool: Any) -> None:
    with StateTransaction(state) as connection:
        assert cursors.counted_to(connection, pool.chain, 160) == 160
        followed_contracts.ensure(connection, pool.chain, "chainlink", STAKER, 100)
        assert cursors.counted_to(connection, pool.chain, 160) == 160
        followed_contracts.ensure(connection, pool.chain, "nft_staker", STAKER, 130)
        assert cursors.counted_to(connection, pool.chain, 160) == 130
        assert cursors.counted_to(connection, pool.chain, 110) == 110
