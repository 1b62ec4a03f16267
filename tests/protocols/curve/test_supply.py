"""The pools' own word about the LP supply, against the Transfers: what agrees, what differs, what is burned."""

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.protocols.curve import topics
from loyalty.protocols.curve.events import Generation
from loyalty.protocols.curve.ledger import CurveLedger
from loyalty.protocols.curve.pool import CurvePool
from loyalty.protocols.erc20 import TRANSFER

POOL, LP = Address("0x" + "99" * 20), Address("0x" + "98" * 20)
COINS = (Address("0x" + "c0" * 20), Address("0x" + "c1" * 20))
ALICE, BOB = Address("0x" + "a1" * 20), Address("0x" + "b0" * 20)
NG = CurvePool(POOL, POOL, COINS)
OLD = CurvePool(POOL, LP, COINS)


def folded(world, driver, pool):
    ledger = CurveLedger([pool])
    span = world.read(driver, ledger)
    return ledger, span


def agrees(world, driver, pool):
    ledger, _ = folded(world, driver, pool)
    shares = ledger.shares(pool.lp_token)
    return shares.supply == world.supply[pool.lp_token] and shares.balances() == world.held(pool.lp_token)


def test_every_event_of_an_ng_pool_agrees_with_its_transfers(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).ng_add(NG, BOB, [50, 0], 49)
    world.at(3).ng_remove(NG, ALICE, [10, 8], 20)
    world.at(4).ng_remove_one(NG, BOB, 1, 5, 6)
    world.at(5).ng_remove_imbalance(NG, BOB, [3, 4], 8)
    assert agrees(world, driver, NG)


def test_every_event_of_an_older_pool_agrees_with_its_token_s_transfers(world, driver):
    world.old_add(OLD, ALICE, [100, 100], 200)
    world.at(2).old_remove(OLD, ALICE, [10, 8], 20)
    world.at(3).old_remove_one(OLD, ALICE, 1, 5, 6, says=True)
    world.at(4).old_remove_one(OLD, ALICE, 0, 5, 6, says=False)
    assert agrees(world, driver, OLD)
    assert folded(world, driver, OLD)[1].generations == {POOL: Generation.STABLESWAP}


def test_a_factory_pool_that_counts_mints_and_burns_twice_agrees(world, driver):
    world.old_add(NG, ALICE, [100, 100], 200, counted_twice=True)
    world.at(2).old_add(NG, BOB, [10, 10], 20, counted_twice=True)
    world.at(3).old_remove(NG, BOB, [1, 1], 2, counted_twice=True)
    world.at(4).old_add(NG, BOB, [10, 10], 20)
    assert agrees(world, driver, NG)


def test_only_a_pool_that_is_its_own_lp_token_may_count_twice(world, driver):
    world.old_add(OLD, ALICE, [100, 100], 200, counted_twice=True)
    with pytest.raises(Inconsistent, match=r"the LP supply is 400, the Transfers of 0x98.* add up to 200"):
        folded(world, driver, OLD)


def test_a_crypto_pool_agrees_from_its_first_event_on(world, driver):
    world.crypto_add(OLD, ALICE, [100, 100], 200)
    world.at(2).crypto_add(OLD, BOB, [10, 10], 20)
    world.at(3).crypto_remove_one(OLD, BOB, 1, 5, 6)
    assert agrees(world, driver, OLD)


def test_the_third_word_of_a_crypto_pool_s_event_is_no_supply_even_in_a_later_span(world, driver):
    world.crypto_add(OLD, ALICE, [100, 100], 200)
    _, before = folded(world, driver, OLD)
    world.at(3).crypto_remove_one(OLD, ALICE, 1, 5, 6)
    ledger = CurveLedger([OLD], before.generations)
    world.read(driver, ledger)
    assert ledger.shares(LP).supply == 194


@pytest.mark.parametrize("pool", [NG, OLD])
def test_a_missing_transfer_is_told_with_both_numbers(world, driver, pool):
    add = world.ng_add if pool is NG else world.old_add
    add(pool, ALICE, [100, 100], 200)
    world.at(2)
    add(pool, BOB, [10, 10], 20)
    world.at(3)
    add(pool, BOB, [10, 10], 20)
    lost = next(log for log in world.logs if log.address == pool.lp_token and log.block == 2)
    world.logs.remove(lost)
    told = f"AddLiquidity of pool {POOL}, block 2, log \\d: the LP supply is 220, the Transfers of {pool.lp_token} add"
    with pytest.raises(Inconsistent, match=told + " up to 200"):
        folded(world, driver, pool)


def test_a_burn_without_its_transfer_is_told(world, driver):
    world.old_add(OLD, ALICE, [100, 100], 200)
    world.at(2).old_remove_one(OLD, ALICE, 0, 5, 6, says=False)
    world.logs = [log for log in world.logs if not (log.address == LP and log.block == 2)]
    with pytest.raises(
        Inconsistent, match=r"RemoveLiquidityOne of pool .*: 6 LP tokens were burned, which no Transfer"
    ):
        folded(world, driver, OLD)


def test_an_altered_supply_is_told(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).ng_remove(NG, ALICE, [10, 8], 20)
    event = world.logs[-1]
    world.logs[-1] = event._replace(data=event.data[:64] + (181).to_bytes(32) + event.data[96:])
    with pytest.raises(Inconsistent, match=f"the LP supply is 181, the Transfers of {POOL} add up to 180"):
        folded(world, driver, NG)


# Tokens sent to the zero address --------------------------------------------------------------------------------------


def test_lp_tokens_sent_to_the_zero_address_exist_on_and_are_nobody_s(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).transfer(POOL, ALICE, ZERO_ADDRESS, 3)
    world.at(3).ng_add(NG, BOB, [10, 10], 20)
    ledger, span = folded(world, driver, NG)
    assert ledger.shares(POOL).supply == 220
    assert ledger.shares(POOL).balances() == {ALICE: 197, BOB: 20, POOL: 3}
    assert [fact.recipient for fact in span.transfers if fact.block == 2] == [POOL]


def test_beside_a_withdrawal_of_the_same_transaction_the_burn_is_told_apart(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).transfer(POOL, ALICE, ZERO_ADDRESS, 3)
    world.ng_remove_one(NG, ALICE, 0, 5, 6)
    world.transfer(POOL, ALICE, ZERO_ADDRESS, 4)
    world.transaction().ng_remove(NG, ALICE, [1, 1], 2)
    assert agrees(world, driver, NG)
    assert folded(world, driver, NG)[0].shares(POOL).supply == 192


def test_a_transfer_of_as_many_tokens_just_before_is_not_taken_for_the_burn_twice(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).transfer(POOL, ALICE, ZERO_ADDRESS, 6)
    world.ng_remove_one(NG, ALICE, 0, 5, 6)
    ledger, _ = folded(world, driver, NG)
    assert (ledger.shares(POOL).supply, ledger.shares(POOL).balances()) == (194, {ALICE: 188, POOL: 6})


def test_of_two_equal_transfers_the_last_before_the_event_is_the_burn(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.transfer(POOL, ALICE, BOB, 50)
    world.at(2).transfer(POOL, BOB, ZERO_ADDRESS, 6)
    world.ng_remove_one(NG, ALICE, 0, 5, 6)
    _, span = folded(world, driver, NG)
    gone = [(fact.sender, fact.recipient) for fact in span.transfers if fact.block == 2 and fact.token == POOL]
    assert gone == [(BOB, POOL), (ALICE, ZERO_ADDRESS)]


def test_a_transfer_of_another_transaction_is_no_burn_of_this_one(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).transfer(POOL, ALICE, ZERO_ADDRESS, 6)
    world.transaction().ng_remove_one(NG, ALICE, 0, 5, 6)
    lost = next(log for log in world.logs if log.address == POOL and log.block == 2 and log.log_index == 1)
    world.logs.remove(lost)
    with pytest.raises(Inconsistent, match=f"the LP supply is 194, the Transfers of {POOL} add up to 200"):
        folded(world, driver, NG)


@pytest.mark.parametrize("same_transaction", [True, False])
def test_an_earlier_mint_does_not_stand_in_for_a_missing_one_of_a_pool_that_counts_twice(
    world, driver, same_transaction
):
    world.old_add(NG, ALICE, [100, 100], 200)
    if not same_transaction:
        world.transaction()
    world.old_add(NG, ALICE, [100, 100], 200)
    minted = [log for log in world.logs if log.address == POOL and log.topics[0] == TRANSFER]
    world.logs.remove(minted[1])
    with pytest.raises(Inconsistent, match=f"the LP supply is 400, the Transfers of {POOL} add up to 200"):
        folded(world, driver, NG)


def test_a_mint_without_its_event_does_not_stand_in_for_a_missing_one_of_a_later_transaction(world, driver):
    world.old_add(NG, ALICE, [100, 100], 200)
    world.at(2).mint(POOL, BOB, 50)
    world.transaction().old_add(NG, ALICE, [25, 25], 50)
    world.logs = [log for log in world.logs if (log.address, log.block, log.log_index) != (POOL, 2, 3)]
    with pytest.raises(Inconsistent, match=f"the LP supply is 300, the Transfers of {POOL} add up to 250"):
        folded(world, driver, NG)


def test_lp_tokens_minted_to_the_zero_address_exist(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).mint(POOL, ZERO_ADDRESS, 5)
    world.ng_add(NG, BOB, [10, 10], 20)
    ledger, _ = folded(world, driver, NG)
    assert ledger.shares(POOL).balances() == {ALICE: 200, POOL: 5, BOB: 20}


# Which pools can be followed ------------------------------------------------------------------------------------------


def test_a_pool_whose_lp_tokens_come_without_a_known_event_is_told(world, driver):
    world.mint(POOL, ALICE, 200)
    told = f"pool {POOL} of an unknown generation: block 1, log 0 mints its LP token.*stableswap_ng, stableswap, crypto"
    with pytest.raises(Invalid, match=told):
        folded(world, driver, NG)


def test_events_of_two_families_from_one_pool_are_refused(world, driver):
    world.ng_add(NG, ALICE, [100, 100], 200)
    world.at(2).old_add(NG, ALICE, [100, 100], 200)
    with pytest.raises(Inconsistent, match=r"an event of the family stableswap, while .* are of stableswap_ng"):
        folded(world, driver, NG)


def test_a_pool_with_donated_shares_is_refused(world, driver):
    world.crypto_add(NG, ALICE, [100, 100], 200)
    world.emit(POOL, topics.CRYPTO_NG_DONATION, [ALICE], [1, 1])
    with pytest.raises(Invalid, match=r"LP supply grows without Transfers.*not supported"):
        folded(world, driver, NG)
