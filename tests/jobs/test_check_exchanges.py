"""What goes in and out of an ERC-4626 vault, against what its contract said."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from prometheus_client import REGISTRY

from loyalty.core.address import ZERO_ADDRESS
from loyalty.core.facts import AssetExchange, TokenTransfer
from loyalty.core.times import DAY_SECONDS
from loyalty.program.rules import PoolKey, PoolRule
from loyalty.state import StateTransaction, asset_exchanges, pools, share_answers, token_transfers, tokens, vaults
from loyalty.state.share_answers import ShareAnswer
from tests.jobs.stage import CHAIN, NOW, PEOPLE, START, Stage, at, block_of, default_rules, token
from tests.protocols.vaults.simulation import VAULT

ALICE = PEOPLE["alice"]
SHARE = 10**6


@pytest.fixture
def vault(stage: Stage) -> Stage:
    """A vault of X whose share is worth 1.25 X at every hour of two days; alice holds two shares of it."""
    rules = default_rules()
    rule = PoolRule(PoolKey(CHAIN, VAULT), ("X",), Fraction(1), None, None)
    stage.set_up(tokens={**rules.tokens, "X": token("X", 6)}, fixed="ABX")
    first = block_of(START - 60)
    minted = TokenTransfer(VAULT, first, 0, START - 60, ZERO_ADDRESS, ALICE, 2 * SHARE, b"\4" * 32)
    with StateTransaction(stage.state) as connection:
        asset = tokens.ids(connection)["X"]
        pool = pools.ensure(connection, CHAIN, VAULT, "erc4626", asset, asset, block_of(START - DAY_SECONDS))
        vaults.ensure(connection, pool, VAULT, 6)
        token_transfers.insert(connection, CHAIN, [minted])
        for time in range(START, START + 2 * DAY_SECONDS + 1, 3_600):
            share_answers.insert(connection, pool, CHAIN, ShareAnswer(time, block_of(time), 1_250_000, NOW))
    stage.new_rules(pools=(*rules.pools, rule))
    return stage


def exchange(vault: Stage, clock: str, assets: int, shares: int) -> None:
    fact = AssetExchange(VAULT, block_of(at(clock)), 0, at(clock), "deposit", ALICE, assets, shares, b"\3" * 32)
    with StateTransaction(vault.state) as connection:
        ids = {row.address: row.id for row in pools.all_pools(connection)}
        asset_exchanges.insert(connection, CHAIN, ids, [fact])


def told(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [line for line in caplog.messages if line.startswith("exchange off the price")]


def counted() -> int:
    return int(REGISTRY.get_sample_value("loyalty_exchange_deviations_total", {"vault": VAULT}) or 0)


def test_one_that_is_off_is_told_and_counted_once_when_its_day_closes(
    vault: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    before = counted()
    exchange(vault, "0d 10:00", 2_700_000, 2 * SHARE)
    vault.play("0d 23:00 seen").accrue()
    assert told(caplog) == []
    vault.play("1d 01:00 seen").accrue()
    line = f"exchange off the price vault={VAULT} time=2024-10-04T10:00:00Z kind=deposit shares=2 ppm=80000"
    assert [each.lower() for each in told(caplog)] == [line.lower()]
    vault.play("2d 01:00 seen").accrue()
    assert len(told(caplog)) == 1
    assert counted() - before == 1


def test_a_fee_of_a_hundredth_and_a_few_wei_at_any_price_are_not(
    vault: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    exchange(vault, "0d 10:00", 2_525_000, 2 * SHARE)
    exchange(vault, "0d 11:00", 10**9, SHARE - 1)
    vault.play("1d 01:00 seen").accrue()
    assert told(caplog) == []
