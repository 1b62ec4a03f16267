"""The scene of contracts that hold for others: its history has every case, and its second opinion loses nothing."""

from fractions import Fraction
from random import Random

import pytest

from loyalty.core.address import ZERO_ADDRESS
from tests.integration import curve_scene
from tests.integration.holder_oracle import behind, lp_units, uniswap_usd
from tests.integration.holder_play import HolderPlay
from tests.integration.holder_scene import HolderMoment, HolderScene
from tests.integration.notes import Holding
from tests.integration.scene import Scene
from tests.integration.vault_calls import PEOPLE

SEED = 8


@pytest.fixture
def played(scene: Scene) -> HolderScene:
    told = HolderScene.deploy(scene, curve_scene.deploy(scene))
    play = HolderPlay(Random(SEED), told)
    play.open()
    for _ in range(90):
        play.step()
    return told


def test_the_history_has_every_case_and_nothing_is_lost(played: HolderScene) -> None:
    check_cases(played)
    for moment in played.moments:
        check_liquidity(played, moment)
        check_parts(played, moment)


def check_cases(told: HolderScene) -> None:
    staked = [each for moment in told.moments for each in moment.positions if each.owner not in PEOPLE]
    for staker in (told.staker, told.user_staker):
        assert len({each.depositor for each in staked if each.owner == staker} - {ZERO_ADDRESS}) > 1
    assert any(each.depositor == ZERO_ADDRESS for each in staked)
    assert len({moment.range[:2] for moment in told.moments}) > 3
    assert any(moment.range.liquidity and not moment.supply[told.manager] for moment in told.moments)
    gauge = told.curve.ng.gauge
    assert any(
        moment.curve.balances[gauge].get(told.receipts, 0) > moment.supply[told.receipts] for moment in told.moments
    )
    for contract in told.share_contracts:
        assert max(len(moment.shares[contract]) for moment in told.moments) > 1


def check_liquidity(told: HolderScene, moment: HolderMoment) -> None:
    """All positions in range are the pool's own liquidity in range."""
    held = [each[3:] for each in moment.positions] + [moment.range]
    assert moment.in_range_liquidity == sum(
        liquidity for lower, upper, liquidity in held if lower <= moment.tick < upper
    )


def check_parts(told: HolderScene, moment: HolderMoment) -> None:
    """What stands behind adds up to what is there, and shares to their supply."""
    for contract in told.share_contracts:
        assert sum(behind(moment, contract).values()) == 1
        assert sum(moment.shares[contract].values()) == moment.supply[contract]
    one, other = Fraction(1, 10**12), Fraction(1, 10**6)
    held = [Holding(each.owner, *each[3:], None) for each in moment.positions]
    held.append(Holding(told.manager, *moment.range, None))
    usd = sum(each.usd(moment.sqrt_price_x96, one, other) for each in held)
    assert sum(uniswap_usd(told, moment, one, other).values()) == usd
    venue = told.curve.ng
    in_hand, staked = (moment.curve.balances[token] for token in venue.shares)
    nobodys = in_hand.get(venue.pool, 0) + in_hand.get(venue.gauge, 0) - sum(staked.values())
    assert sum(lp_units(told, moment).values()) + nobodys == moment.curve.supply[venue.pool]
