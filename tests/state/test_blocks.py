"""Processed blocks: hashes to see a reorg by, thinned to one a day once they are final."""

import pytest

from loyalty.core.checkpoint import Header
from loyalty.core.errors import Inconsistent
from loyalty.state import State, StateTransaction, blocks, chains

ON_EACH_ENGINE = True

DAY = 86_400


def header(number: int, time: int, fork: str = "a") -> Header:
    return Header(number, "0x" + fork * 64, "", time)


@pytest.fixture
def chain(state: State) -> int:
    with StateTransaction(state) as connection:
        chains.ensure(connection, 1, "ethereum")
        chains.ensure(connection, 10, "optimism")
    return 1


def test_blocks_are_found_by_number_and_by_time(state: State, chain: int) -> None:
    stored = [header(10, 100), header(12, 130), header(13, 130), header(20, 200)]
    with StateTransaction(state) as connection:
        blocks.add(connection, chain, [(block, 1) for block in stored])
        blocks.add(connection, 10, [(header(999, 9), 1)])
        assert blocks.last(connection, chain) == stored[3]
        assert blocks.above(connection, chain, 12) == [stored[3], stored[2]]
        assert blocks.above(connection, chain, 20) == []
        assert blocks.at_or_before(connection, chain, 11) == stored[0]
        assert blocks.at_or_before(connection, chain, 12) == stored[1]
        assert blocks.at_or_before(connection, chain, 9) is None
        assert blocks.first_at_or_after_time(connection, chain, 101) == stored[1]
        assert blocks.first_at_or_after_time(connection, chain, 130) == stored[1]
        assert blocks.first_at_or_after_time(connection, chain, 201) is None
        assert blocks.has(connection, chain, 12, stored[1].hash)
        assert not blocks.has(connection, chain, 12, "0x" + "b" * 64)
        assert not blocks.has(connection, chain, 11, stored[1].hash)


def test_events_of_pools_that_are_indexed_apart_add_up_in_a_block(state: State, chain: int) -> None:
    with StateTransaction(state) as connection:
        blocks.add(connection, chain, [(header(10, 100), 2), (header(11, 110), 0)])
        blocks.add(connection, chain, [(header(10, 100), 3)])
        blocks.add(connection, chain, [])
        assert [blocks.event_count(connection, chain, number) for number in (10, 11, 12)] == [5, 0, None]


def test_a_block_with_another_hash_than_the_stored_one_is_refused(state: State, chain: int) -> None:
    with StateTransaction(state) as connection:
        blocks.add(connection, chain, [(header(10, 100), 2)])
        with pytest.raises(Inconsistent, match=f"block 10 has hash 0x{'b' * 64} now, but is stored with another"):
            blocks.add(connection, chain, [(header(9, 90), 1), (header(10, 100, "b"), 2)])


def test_a_rewind_forgets_blocks_above_its_own(state: State, chain: int) -> None:
    with StateTransaction(state) as connection:
        for chain_id in (chain, 10):
            blocks.add(connection, chain_id, [(header(number, number), 1) for number in range(10, 15)])
        assert blocks.delete_above(connection, chain, 12) == 2
        assert blocks.last(connection, chain) == header(12, 12)
        assert blocks.last(connection, 10) == header(14, 14)


def test_thinning_keeps_the_newest_of_each_day_and_all_that_is_not_final(state: State, chain: int) -> None:
    times = {1: 10, 2: 20, 3: DAY - 1, 4: DAY, 5: DAY + 5, 6: 2 * DAY, 7: 2 * DAY + 1, 8: 2 * DAY + 2}
    with StateTransaction(state) as connection:
        for chain_id in (chain, 10):
            blocks.add(connection, chain_id, [(header(number, time), 1) for number, time in times.items()])
        assert blocks.thin(connection, chain, 7) == 3
        assert [block.number for block in blocks.above(connection, chain, 0)] == [8, 7, 6, 5, 3]
        assert blocks.thin(connection, chain, 7) == 0
        assert len(blocks.above(connection, 10, 0)) == 8
