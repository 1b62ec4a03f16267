"""Token transfers come back exactly as they were stored, in the chain's order, once, whichever pools told them."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.core.facts import TokenTransfer
from loyalty.state import State, StateTransaction, chains, facts, followed_tokens, open_state, token_transfers

ON_EACH_ENGINE = True

CHAIN = 42161
LP, COIN, STRANGER = (Address("0x" + byte * 20) for byte in ("01", "02", "0f"))
ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
HASH = bytes(range(32))
LARGEST = 10**78 - 1


def moved(block: int, log_index: int, units: int = 5, token: Address = LP, sender: Address = ALICE) -> TokenTransfer:
    return TokenTransfer(token, block, log_index, block * 10, sender, BOB, units, HASH)


def follow(state: State, chain: int = CHAIN) -> dict[Address, int]:
    with StateTransaction(state) as connection:
        chains.ensure(connection, chain, f"chain-{chain}")
        return followed_tokens.ids_of(connection, chain, [LP, COIN])


def store(state: State, *transfers: TokenTransfer, chain: int = CHAIN) -> list[TokenTransfer]:
    with StateTransaction(state) as connection:
        return token_transfers.insert(connection, chain, transfers)


def read(state: State, *followed_ids: int, **limits: int) -> list[TokenTransfer]:
    with state.read() as connection:
        return list(token_transfers.of_tokens(connection, followed_ids, **limits))


def test_a_contract_is_followed_once_and_keeps_its_id(state: State) -> None:
    first = follow(state)
    assert follow(state) == first
    assert len({*first.values(), *follow(state, chain=1).values()}) == 4


def test_transfers_of_several_tokens_come_back_in_the_order_of_the_chain(state: State) -> None:
    ids = follow(state)
    told = [moved(4, 9, sender=ZERO_ADDRESS), moved(5, 0, LARGEST, COIN), moved(5, 1), moved(6, 0, 1, COIN)]
    assert store(state, *told) == told
    assert read(state, ids[LP], ids[COIN]) == told
    assert read(state, ids[COIN]) == [told[1], told[3]]
    assert read(state) == []


def test_limits_are_half_open(state: State) -> None:
    ids = follow(state)
    told = [moved(4, 0), moved(5, 0), moved(6, 0)]
    store(state, *told)
    assert read(state, ids[LP], before_block=6) == told[:2]
    assert read(state, ids[LP], before_time=60) == told[:2]
    assert read(state, ids[LP], before_time=61) == told
    assert read(state, ids[LP], before_block=6, before_time=50) == told[:1]


def test_a_transfer_told_again_by_another_pool_is_stored_once(state: State) -> None:
    ids = follow(state)
    store(state, moved(5, 3, 7, COIN))
    assert store(state, moved(5, 2), moved(5, 3, 7, COIN), moved(5, 4)) == [moved(5, 2), moved(5, 4)]
    assert read(state, *ids.values()) == [moved(5, 2), moved(5, 3, 7, COIN), moved(5, 4)]


def test_a_log_that_says_something_else_than_what_is_stored_is_refused_with_both(state: State) -> None:
    ids = follow(state)
    store(state, moved(5, 3, 7))
    with pytest.raises(Inconsistent, match=r"block 5, log 3: a transfer of 8 units .* but stored is one of 7 of"):
        store(state, moved(5, 1), moved(5, 3, 8))
    assert read(state, ids[LP]) == [moved(5, 3, 7)]


def test_a_token_that_is_not_followed_is_refused_by_name(state: State) -> None:
    follow(state)
    with pytest.raises(Inconsistent, match=f"a transfer of {STRANGER}, which is not a followed token"):
        store(state, moved(5, 1, token=STRANGER))


def test_a_rewind_forgets_transfers_above_its_block_and_those_of_its_chain_only(state: State) -> None:
    ids, other = follow(state), follow(state, chain=1)
    store(state, moved(5, 1), moved(6, 0), moved(7, 0))
    store(state, moved(9, 0), chain=1)
    with StateTransaction(state) as connection:
        assert facts.delete_above(connection, CHAIN, 5) == 2
    assert read(state, ids[LP]) == [moved(5, 1)]
    assert read(state, other[LP]) == [moved(9, 0)]


addresses = st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex()))
places = st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**31 - 1)), unique=True, max_size=40).map(sorted)


@settings(max_examples=15, deadline=None)
@given(places=places, cut=st.integers(0, 40), pick=st.data())
def test_whatever_is_stored_in_parts_comes_back_whole(
    migrated: Path, places: list[tuple[int, int]], cut: int, pick: st.DataObject
) -> None:
    told = [
        TokenTransfer(
            pick.draw(st.sampled_from([LP, COIN])),
            block,
            log_index,
            block // 2,
            pick.draw(addresses),
            pick.draw(addresses),
            pick.draw(st.integers(1, LARGEST)),
            pick.draw(st.binary(min_size=32, max_size=32)),
        )
        for block, log_index in places
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(migrated, Path(folder) / "loyalty.db"))
        with open_state(path) as state:
            ids = follow(state)
            store(state, *told[cut:])
            assert store(state, *told) == told[:cut]
            assert read(state, *ids.values()) == told
