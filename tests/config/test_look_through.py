"""Contracts that are looked through, in the program file: by shares or by a staker's events, in the file's order."""

import pytest

from loyalty.config.checks_holders import DEPOSIT
from loyalty.program.rules import LookThroughRule

VAULT = "0x00000000000000000000000000000000000000ac"
STAKER = "0x00000000000000000000000000000000000000bb"
MANAGER = "0xc36442b4a4522e871399cd717abdd847ab11fe88"
POOL = "0xe9e6b9aaafaf6816c3364345f6ef745ccfc8660a"
SHARES = {"chain": "arbitrum-one", "address": VAULT, "shares": VAULT}
STAKED = {"chain": "arbitrum-one", "address": STAKER, "kind": "nft_staker"}


def test_contracts_become_rules_in_the_order_of_the_file(load, changed):
    program = load(changed(look_through=[STAKED, SHARES]))
    assert program.rules.look_through == (
        LookThroughRule(42161, STAKER, "nft_staker", None),
        LookThroughRule(42161, VAULT, "shares", VAULT),
    )


def test_a_staker_is_followed_from_the_first_pool_on_by_the_event_of_uniswaps_own(load, changed):
    staker, vault = load(changed(look_through=[STAKED, SHARES])).look_through
    assert (staker.start_block, staker.manager, staker.deposit, staker.withdraw) == (91124443, MANAGER, DEPOSIT, None)
    assert (vault.start_block, vault.manager, vault.deposit) == (91124443, None, None)


def test_every_key_can_be_written(load, changed):
    events = {"deposit": "Deposit(address indexed user, uint256 id)", "withdraw": "Withdraw(uint256 id)"}
    (staker,) = load(
        changed(look_through=[{**STAKED, **events, "start_block": 7, "position_manager": MANAGER}])
    ).look_through
    assert staker.masked() == {
        "chain_id": 42161,
        "address": "0x00000000000000000000000000000000000000bb",
        "shares": None,
        "kind": "nft_staker",
        "start_block": 7,
        "position_manager": "0xC36442b4a4522E871399CD717aBDD847Ab11FE88",
        **events,
    }


@pytest.mark.parametrize(
    ("entry", "place", "expected"),
    [
        ({**SHARES, "deposit": DEPOSIT}, "deposit", "it for kind"),
        ({**SHARES, "kind": "nft_staker"}, "", "exactly"),
        ({**SHARES, "address": POOL}, "address", "another than the pool at pools[0].address"),
        ({**STAKED, "position_manager": VAULT}, "position_manager", "one of the position_managers of arbitrum-one"),
        ({**STAKED, "deposit": "Deposit(string user)"}, "deposit", "an event as its contract declares it"),
        (
            {**STAKED, "deposit": "Moved(address user, uint256 id)", "withdraw": "Moved(address user, uint256 id)"},
            "withdraw",
            "another event than the deposit",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(refused, changed, entry, place, expected):
    (fault,) = refused(changed(look_through=[entry]))
    assert fault.startswith(f"look_through[0]{'.' if place else ''}{place}: read ")
    assert f"expected {expected}" in fault


def test_a_gauge_of_a_pool_is_looked_through_by_the_pool_alone(refused, changed):
    curve = {"pools[0].protocol": "curve", "pools[0].fee_pips": None, "pools[0].tick_spacing": None}
    (fault,) = refused(changed(**curve, **{"pools[0].gauges": [VAULT], "look_through": [SHARES]}))
    assert "expected another than the gauge, behind which its stakers are known, at pools[0].gauges[0]" in fault


def test_a_staker_needs_its_position_manager_where_the_chain_has_several(refused, changed):
    managers = [{"address": MANAGER}, {"address": VAULT}]
    (fault,) = refused(changed(**{"chains[0].position_managers": managers, "look_through": [STAKED]}))
    assert fault == (
        "look_through[0].position_manager: read nothing; expected one of the position_managers of arbitrum-one, "
        "which has 2"
    )
    (fault,) = refused(changed(**{"chains[0].position_managers": [], "look_through": [STAKED]}))
    assert fault.startswith('look_through[0].kind: read "nft_staker"; expected it on a chain with position_managers')


def test_an_exclusion_of_a_contract_that_is_looked_through_everywhere_is_refused(refused, changed, load):
    excluded = [{"address": VAULT, "reason": "holds for others"}]
    faults = refused(changed(look_through=[SHARES], exclusions=excluded))
    assert any(
        fault.startswith("exclusions[0].address: ") and "looked through on every chain" in fault for fault in faults
    ), faults
    load(changed(look_through=[STAKED], exclusions=excluded))
