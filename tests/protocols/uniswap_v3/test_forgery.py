"""No one binds a position token to a pool where its liquidity is not.

The forger puts dust into a tracked pool in the manager's name, and has the manager mint or increase with the same
numbers in a worthless pool, as close to it as the contracts allow: a pool emits Mint after every call it makes, so the
worthless pool's own Mint always stands between.
"""

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.protocols.uniswap_v3 import topics

TRACKED = Address("0x" + "99" * 20)
WORTHLESS = Address("0x" + "66" * 20)
MANAGER = Address("0x" + "77" * 20)
SECOND_MANAGER = Address("0x" + "78" * 20)
FORGER = Address("0x" + "f0" * 20)
ALICE = Address("0x" + "a1" * 20)


@pytest.fixture
def world(new_world):
    world = new_world(MANAGER, SECOND_MANAGER).at(1)
    world.initialize(TRACKED, 0)
    return world


def read(world, nobody):
    """The tracked pool's ledger, which must give nothing to the forger and keep `nobody` for nobody."""
    ledger = world.ledger()
    world.swap(TRACKED, 0)
    facts, _ = world.read(ledger, TRACKED)
    assert [change.owner for change in facts.liquidity_changes if change.token is None] == [MANAGER] * nobody
    assert FORGER not in {key.owner for key in ledger.positions(TRACKED)}
    return ledger


def test_dust_before_a_mint_of_equal_numbers_binds_nothing(world):
    world.at(2).pool_mint(TRACKED, MANAGER, -60, 60, 1)
    world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 1)
    ledger = read(world, nobody=1)
    assert (ledger.tokens(), ledger.positions(TRACKED), ledger.in_range_liquidity(TRACKED)) == ([], {}, 1)


def test_later_growth_of_the_forged_token_is_not_the_tracked_pools(world):
    world.at(2).pool_mint(TRACKED, MANAGER, -60, 60, 1)
    forged = world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 1)
    world.at(3).pool_mint(TRACKED, MANAGER, -60, 60, 1)
    world.increase(forged, 10**30)
    assert read(world, nobody=2).positions(TRACKED) == {}


def test_dust_in_the_worthless_pools_callback_binds_nothing(world):
    world.at(2)
    world.pool_mint(TRACKED, MANAGER, -60, 60, 5)
    world.pool_mint(WORTHLESS, MANAGER, -60, 60, 5)
    world.emit(MANAGER, topics.TRANSFER, [ZERO_ADDRESS, FORGER, 1], [])
    world.emit(MANAGER, topics.INCREASE_LIQUIDITY, [1], [5, 15, 35])
    assert read(world, nobody=1).tokens() == []


def test_dust_after_the_forged_token_binds_nothing(world):
    world.at(2)
    world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 5)
    world.pool_mint(TRACKED, MANAGER, -60, 60, 5)
    assert read(world, nobody=1).tokens() == []


def test_dust_before_an_increase_of_equal_numbers_binds_nothing(world):
    world.at(2)
    forged = world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 5)
    world.at(3).pool_mint(TRACKED, MANAGER, -60, 60, 7)
    world.increase(forged, 7)
    assert read(world, nobody=1).tokens() == []


def test_dust_before_the_transfer_of_any_token_binds_nothing(world):
    world.at(2)
    forged = world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 5)
    world.at(3).pool_mint(TRACKED, MANAGER, -60, 60, 5)
    world.transfer(forged, FORGER)
    world.increase(forged, 5)
    assert read(world, nobody=1).tokens() == []


def test_dust_on_an_honest_range_takes_nothing_from_its_owner(world):
    world.at(2)
    honest = world.mint(MANAGER, ALICE, TRACKED, -60, 60, 1000)
    world.at(3).pool_mint(TRACKED, MANAGER, -60, 60, 1000)
    forged = world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 1000)
    world.at(4).decrease(forged, 1000)
    world.at(5).decrease(honest, 400)
    ledger = read(world, nobody=1)
    assert list(ledger.positions(TRACKED).values()) == [600]
    assert ledger.in_range_liquidity(TRACKED) == 1600


def test_dust_in_one_managers_name_is_not_bound_by_the_other_managers_token(world):
    world.at(2).pool_mint(TRACKED, MANAGER, -60, 60, 5)
    world.emit(SECOND_MANAGER, topics.TRANSFER, [ZERO_ADDRESS, FORGER, 901], [])
    world.emit(SECOND_MANAGER, topics.INCREASE_LIQUIDITY, [901], [5, 15, 35])
    world.at(3).pool_mint(TRACKED, MANAGER, -60, 60, 5)
    world.emit(SECOND_MANAGER, topics.INCREASE_LIQUIDITY, [901], [5, 15, 35])
    honest = world.mint(SECOND_MANAGER, ALICE, TRACKED, -60, 60, 1000)
    assert read(world, nobody=2).tokens() == [honest]


def test_a_fake_manager_that_is_not_configured_binds_nothing(world):
    fake = Address("0x" + "79" * 20)
    world.at(2).pool_mint(TRACKED, MANAGER, -60, 60, 5)
    world.emit(fake, topics.TRANSFER, [ZERO_ADDRESS, FORGER, 1], [])
    world.emit(fake, topics.INCREASE_LIQUIDITY, [1], [5, 15, 35])
    assert read(world, nobody=1).tokens() == []


def test_many_forgeries_around_an_honest_mint_leave_only_the_honest_one(world):
    world.at(2)
    for _ in range(3):
        world.pool_mint(TRACKED, MANAGER, -60, 60, 1000)
        world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 1000)
    honest = world.mint(MANAGER, ALICE, TRACKED, -60, 60, 1000)
    for _ in range(3):
        world.pool_mint(TRACKED, MANAGER, -60, 60, 1000)
        world.mint(MANAGER, FORGER, WORTHLESS, -60, 60, 1000)
    assert read(world, nobody=6).tokens() == [honest]
