"""Gauges of both kinds become transfers of gauge tokens, each stake once."""

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.gauges import read_gauge
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool

POOL, GAUGE = Address("0x" + "99" * 20), Address("0x" + "6a" * 20)
COINS = (Address("0x" + "c0" * 20), Address("0x" + "c1" * 20))
ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
NG = CurvePool(POOL, POOL, COINS, (GAUGE,))


def of_gauge(world):
    return read_gauge([log for log in world.logs if log.address == GAUGE])


@pytest.mark.parametrize("erc20", [True, False])
def test_stakes_are_gauge_tokens_whichever_kind_the_gauge_is(world, driver, erc20):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).stake(GAUGE, POOL, ALICE, 150, erc20)
    world.at(3).unstake(GAUGE, POOL, ALICE, 40, erc20)
    ledger = CurveLedger([NG])
    world.read(driver, ledger)
    assert ledger.shares(GAUGE).balances() == {ALICE: 110} == world.held(GAUGE)
    assert ledger.shares(POOL).balances() == {ALICE: 90, GAUGE: 110}
    assert [(fact.sender, fact.recipient, fact.units) for fact in of_gauge(world)] == [
        (ZERO_ADDRESS, ALICE, 150),
        (ALICE, ZERO_ADDRESS, 40),
    ]


def test_gauge_tokens_move_by_transfer(world):
    world.stake(GAUGE, POOL, ALICE, 150)
    world.at(2).transfer(GAUGE, ALICE, BOB, 20)
    assert [(fact.block, fact.sender, fact.recipient) for fact in of_gauge(world)] == [
        (1, ZERO_ADDRESS, ALICE),
        (2, ALICE, BOB),
    ]


def test_two_equal_stakes_beside_each_other_are_two(world):
    world.stake(GAUGE, POOL, ALICE, 150)
    world.stake(GAUGE, POOL, ALICE, 150)
    assert [fact.units for fact in of_gauge(world)] == [150, 150]


def test_one_transfer_does_not_repeat_two_stakes(world):
    world.stake(GAUGE, POOL, ALICE, 150)
    world.emit(GAUGE, topics.GAUGE_DEPOSIT, [ALICE], [150])
    with pytest.raises(Inconsistent, match=f"Deposit of gauge {GAUGE}, block 1, log 3: no Transfer stands beside it"):
        of_gauge(world)


def test_stakes_of_nothing_are_no_facts(world):
    world.emit(GAUGE, topics.GAUGE_DEPOSIT, [ALICE], [0])
    world.emit(GAUGE, topics.GAUGE_WITHDRAW, [ALICE], [0])
    assert of_gauge(world) == []


def test_a_transfer_left_out_by_the_endpoint_is_told(world):
    world.stake(GAUGE, POOL, ALICE, 150)
    world.at(2).unstake(GAUGE, POOL, ALICE, 40)
    world.logs.pop()
    with pytest.raises(Inconsistent, match=f"Withdraw of gauge {GAUGE}, block 2, log 1: no Transfer stands beside it"):
        of_gauge(world)
