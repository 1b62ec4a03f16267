"""What a proxy answers about itself."""

import pytest
from eth_abi import encode
from eth_utils import keccak

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.protocols.chainlink.contract import DECIMALS, LATEST_ROUND_DATA, PHASE_ID, RoundData, phase_aggregator

PROXY = Address("0x" + "47" * 20)


@pytest.mark.parametrize("view", [DECIMALS, PHASE_ID, LATEST_ROUND_DATA], ids=lambda view: view.function)
def test_a_payload_is_the_selector_of_its_function(view):
    assert view.payload == keccak(text=view.function)[:4]


def test_an_aggregator_is_asked_for_by_its_phase():
    payload = keccak(text="phaseAggregators(uint16)")[:4] + encode(["uint16"], [7])
    assert phase_aggregator(7).payload == payload


def test_a_proxy_tells_decimals_phase_and_aggregators():
    assert DECIMALS.decode(encode(["uint8"], [18]), PROXY) == 18
    assert PHASE_ID.decode(encode(["uint16"], [6]), PROXY) == 6
    assert phase_aggregator(6).decode(encode(["address"], [PROXY]), PROXY) == PROXY


def test_a_phase_that_never_was_has_no_aggregator():
    assert phase_aggregator(9).decode(bytes(32), PROXY) is None


def test_the_aggregators_round_is_not_the_proxys():
    proxy_round = (6 << 64) + 49_151
    answer = encode(["uint80", "int256", "uint256", "uint256", "uint80"], [proxy_round, -5, 11, 12, proxy_round])
    said = LATEST_ROUND_DATA.decode(answer, PROXY)
    assert said == RoundData(proxy_round, -5, 11, 12, proxy_round)
    assert (said.phase, said.aggregator_round_id) == (6, 49_151)


@pytest.mark.parametrize(
    ("view", "answer", "told"),
    [
        (DECIMALS, b"", r"decimals\(\) with 0 bytes"),
        (DECIMALS, (256).to_bytes(32), r"decimals\(\) with 256, which does not fit uint8"),
        (PHASE_ID, bytes(32), r"phaseId\(\) with 0, which is no phase"),
        (LATEST_ROUND_DATA, bytes(32), r"latestRoundData\(\) with 32 bytes"),
        (LATEST_ROUND_DATA, b"\xff" * 160, r"latestRoundData\(\) with \d+, which does not fit uint80"),
        (phase_aggregator(2), b"\xff" * 32, r"phaseAggregators\(2\) with \d+, which does not fit uint160"),
    ],
)
def test_a_contract_that_is_no_proxy_is_named(view, answer, told):
    with pytest.raises(Invalid, match=f"{PROXY} answers {told}: no Chainlink proxy .* Check the address"):
        view.decode(answer, PROXY)
