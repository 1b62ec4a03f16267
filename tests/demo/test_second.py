"""The demo's second chain: what its contracts said follows from the recording, and the whole program settles on it."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty.config import load_settings
from loyalty.core.address import Address
from loyalty.jobs.followers.curve import fold
from loyalty.jobs.followers.stream_vault import vault_ledger
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import epochs, pools, share_pools, vaults
from tests.integration.scene import catch_up

ROOT = Path(__file__).parent.parent.parent
PROGRAM = ROOT / "programs/demo.toml"
MOMENTS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "second-truth.json").read_text())
SECOND_CHAIN_ID = 31338


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Both recordings, whole."""
    folder = tmp_path_factory.mktemp("demo")
    variables = {
        "LOYALTY_PROGRAM": str(PROGRAM),
        "LOYALTY_DATABASE": str(folder / "demo.db"),
        "LOYALTY_RPC_DEMO": f"file:{ROOT / 'loyalty/demo/recording.jsonl.gz'}",
        "LOYALTY_RPC_DEMO_TWO": f"file:{ROOT / 'loyalty/demo/second.jsonl.gz'}",
        "LOYALTY_BACKUP_FOLDER": str(folder / "backups"),
    }
    with Engine.open(load_settings(variables, None)) as opened, opened.lock():
        opened.prepare()
        catch_up(opened)
        yield opened


def units(told: dict[str, str]) -> dict[Address, int]:
    return {Address(holder): int(each) for holder, each in told.items()}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"block {moment['block']}")
def test_the_ledgers_are_what_the_contracts_said(engine: Engine, moment: dict[str, Any]) -> None:
    after = moment["block"] + 1
    with engine.state.read() as connection:
        (curve,) = share_pools.all_on(connection, SECOND_CHAIN_ID)
        (vault,) = vaults.all_vaults(connection)
        ledger, rounds = fold(connection, [curve], after), vault_ledger(connection, vault, after)
    lp_token = ledger.shares(curve.lp_token)
    held = lp_token.balances()
    assert held.pop(curve.gauges[0], 0) == ledger.shares(curve.gauges[0]).supply
    assert (held, lp_token.supply) == (units(moment["lp"]), int(moment["lp_supply"]))
    assert [*ledger.holdings(curve.pool.address).values()] == [int(each) for each in moment["coins"]]
    assert ledger.shares(curve.gauges[0]).balances() == units(moment["gauge"])
    assert rounds.shares() == units(moment["shares"])
    assert (rounds.round, rounds.price_per_share or 0) == (moment["round"], int(moment["price_per_share"]))


def test_thirty_epochs_over_both_chains_settle_and_each_budget_is_paid_whole(engine: Engine) -> None:
    with engine.state.read() as connection:
        rows = epochs.all_epochs(connection)
        budgets = [epochs.budgets(connection, row.number) for row in rows]
    assert [row.status for row in rows] == ["settled"] * 30
    assert all(each.paid_units == each.budget_units + each.carried_in_units for some in budgets for each in some)
    assert not verify(engine.state).faults


def test_the_program_file_names_what_is_recorded(engine: Engine) -> None:
    named = [pool for pool in tomllib.loads(PROGRAM.read_text())["pools"] if pool["chain"] == "demo-two"]
    with engine.state.read() as connection:
        known = {row.address: row.start_block for row in pools.all_pools(connection, SECOND_CHAIN_ID)}
    assert {Address(pool["address"].lower()): pool["start_block"] for pool in named} == known
