"""Position stakes come back as they were stored, in the chain's order, with the manager that their staker names."""

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.facts import PositionStake, PositionToken
from loyalty.state import State, StateTransaction, chains, facts, followed_contracts, position_stakes

ON_EACH_ENGINE = True

CHAIN = 42161
STAKER, OTHER, MANAGER, ALICE = (Address("0x" + byte * 20) for byte in ("5a", "5b", "3a", "a1"))
LARGEST = 2**256 - 1


def stake(
    block: int, log_index: int, token_id: int, account: Address = ALICE, staker: Address = STAKER
) -> PositionStake:
    token = PositionToken(MANAGER, token_id)
    return PositionStake(staker, block, log_index, block * 10, token, account, bytes(32))


def stored(state: State, *stakes: PositionStake) -> dict[Address, int]:
    with StateTransaction(state) as connection:
        chains.ensure(connection, CHAIN, "arbitrum")
        ids = {
            staker: followed_contracts.ensure(connection, CHAIN, "nft_staker", staker, 1, detail="{}").id
            for staker in (STAKER, OTHER)
        }
        assert position_stakes.insert(connection, CHAIN, ids, stakes) == len(stakes)
    return ids


def read(state: State, *ids: int) -> list[PositionStake]:
    with state.read() as connection:
        return list(position_stakes.of_stakers(connection, dict.fromkeys(ids, MANAGER)))


def test_stakes_of_several_stakers_come_back_in_the_order_of_the_chain(state: State) -> None:
    told = [stake(5, 3, LARGEST), stake(5, 4, 1, ZERO_ADDRESS), stake(6, 0, 7, staker=OTHER)]
    ids = stored(state, *reversed(told))
    assert read(state, *ids.values()) == told
    assert read(state, ids[OTHER]) == told[2:]
    assert read(state) == []


def test_a_reorg_forgets_them(state: State) -> None:
    ids = stored(state, stake(5, 0, 1), stake(6, 0, 1))
    with StateTransaction(state) as connection:
        assert facts.delete_above(connection, CHAIN, 5) == 1
    assert read(state, *ids.values()) == [stake(5, 0, 1)]
