"""ERC-4626 vaults: holders by Transfers, the price by stored answers, the events as a check."""

from typing import Any

import pytest

from loyalty.core.address import ZERO_ADDRESS, Address
from loyalty.core.errors import Inconsistent, Invalid
from loyalty.core.facts import AssetExchange, ExchangeKind
from loyalty.core.spans import Span
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.erc4626 import contract, topics
from loyalty.protocols.vaults.erc4626.adapter import first_query, read_span
from loyalty.protocols.vaults.erc4626.price import Deviation, GridAnswer, deviations, price_at
from loyalty.protocols.vaults.holders import held
from tests.protocols.vaults.simulation import ALICE, BOB, VAULT, Chain, Token

ONE = 10**18
MINUTE = 60
GRID = [GridAnswer(100, 1200, 1_000_000), GridAnswer(200, 2400, 1_050_000)]


def _vault() -> Token:
    """Bob deposits for Alice; she sends some on and withdraws some."""
    share = Token(Chain().at(1))
    share.move(ZERO_ADDRESS, ALICE, 100)
    share.chain.emit(VAULT, topics.DEPOSIT, [BOB, ALICE], [110, 100])
    share.chain.at(2)
    share.move(ALICE, BOB, 30)
    share.move(BOB, VAULT, 7)
    share.chain.at(3)
    share.move(ALICE, ZERO_ADDRESS, 50)
    share.chain.emit(VAULT, topics.WITHDRAW, [BOB, BOB, ALICE], [56, 50])
    return share


def test_holders_follow_from_transfers_and_the_vault_is_none(driver: Any) -> None:
    ledger = ShareLedger(VAULT)
    drive = driver(_vault().chain.logs)
    facts = drive(read_span({VAULT: ledger}, Span(0, 4)))
    assert held(ledger) == {ALICE: 20, BOB: 23}
    assert ledger.supply == 50
    assert [(exchange.kind, exchange.owner, exchange.assets, exchange.shares) for exchange in facts.exchanges] == [
        ("deposit", ALICE, 110, 100),
        ("withdraw", ALICE, 56, 50),
    ]
    assert (len(facts.transfers), facts.logs_read) == (4, 6)
    assert drive.turns == [[first_query([VAULT], Span(0, 4))]]
    assert drive(read_span({}, Span(0, 4))).logs_read == 0


def test_a_mint_that_is_missing_is_missed(driver: Any) -> None:
    with pytest.raises(Inconsistent, match="holds 0 units and sends 30"):
        driver(_vault().chain.logs[1:])(read_span({VAULT: ShareLedger(VAULT)}, Span(0, 4)))


def test_a_price_is_the_last_answer_that_is_not_too_old() -> None:
    assert price_at(GRID, 1199, MINUTE) is None
    assert price_at(GRID, 1200, MINUTE) == GRID[0]
    assert price_at(GRID, 1260, MINUTE) == GRID[0]
    assert price_at(GRID, 1261, MINUTE) is None
    assert price_at(GRID, 2400, MINUTE) == GRID[1]
    assert price_at([], 2400, MINUTE) is None


def _exchange(time: int, assets: int, shares: int, kind: ExchangeKind = "deposit") -> AssetExchange:
    return AssetExchange(VAULT, 150, 3, time, kind, ALICE, assets, shares, b"")


def _deviations(exchange: AssetExchange, limit_ppm: int) -> list[Deviation]:
    limits = {"share_decimals": 18, "minimum_shares": ONE, "limit_ppm": limit_ppm, "max_age": 3600}
    return deviations([exchange], GRID, **limits)


def test_a_ratio_off_the_price_is_found_from_the_limit_on() -> None:
    exchange = _exchange(1500, 2_020_000, 2 * ONE)  # 1.01 where the answer is 1.00
    assert _deviations(exchange, 10_000) == []
    assert _deviations(exchange, 9_999) == [Deviation(exchange, 1_010_000, GRID[0], 10_000)]


def test_a_deviation_is_rounded_up_and_has_no_direction() -> None:
    low = _exchange(1500, 2_999_999, 3 * ONE)  # a third of a millionth below
    assert [deviation.ppm for deviation in _deviations(low, 0)] == [1]
    assert _deviations(_exchange(1500, 3_000_000, 3 * ONE), 0) == []


def test_a_deposit_of_one_wei_proves_nothing() -> None:
    assert _deviations(_exchange(1500, 10**30, ONE - 1), 0) == []


def test_without_a_price_in_force_nothing_is_checked() -> None:
    assert _deviations(_exchange(1199, 10**30, ONE), 0) == []
    assert _deviations(_exchange(2400 + 3601, 10**30, ONE), 0) == []


def test_a_check_needs_a_minimum_of_shares() -> None:
    with pytest.raises(Invalid, match="minimum_shares is 0"):
        deviations([], GRID, share_decimals=18, minimum_shares=0, limit_ppm=0, max_age=1)


def test_the_calls_are_the_standards() -> None:
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    assert contract.convert_to_assets(18) == keccak(text="convertToAssets(uint256)")[:4] + encode(["uint256"], [ONE])
    named = {"asset()": contract.ASSET, "decimals()": contract.DECIMALS, "totalAssets()": contract.TOTAL_ASSETS}
    named["totalSupply()"] = contract.TOTAL_SUPPLY
    assert named == {signature: keccak(text=signature)[:4] for signature in named}


def test_answers_are_read() -> None:
    assert contract.decode_asset(bytes(12) + b"\xaa" * 20, VAULT) == ALICE
    assert contract.decode_decimals((18).to_bytes(32), VAULT) == 18
    assert contract.decode_units((2**256 - 1).to_bytes(32), VAULT, "totalSupply()") == 2**256 - 1


@pytest.mark.parametrize("answer", [b"", bytes(31), bytes(32), b"\xff" * 32])
def test_an_asset_that_is_no_address_is_refused(answer: bytes) -> None:
    with pytest.raises(Invalid, match=r"0xfa.* answers asset\(\) with"):
        contract.decode_asset(answer, VAULT)


def test_decimals_that_no_word_can_hold_are_refused() -> None:
    with pytest.raises(Invalid, match="answers decimals"):
        contract.decode_decimals((78).to_bytes(32), Address(VAULT))
    with pytest.raises(Invalid, match="78 decimals"):
        contract.convert_to_assets(78)
