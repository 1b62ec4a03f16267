"""Vaults on two chains, indexed from their nodes: facts and dollars are what the contracts say, to the last unit."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from loyalty.api.models.providers import Positions
from loyalty.core.address import Address, checksum
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, day_of
from loyalty.program.explanation import PoolDayDetail, PositionLine
from loyalty.protocols.erc20 import ShareLedger
from loyalty.protocols.vaults.stream_vault.ledger import VaultLedger
from loyalty.reports.explain import explained
from loyalty.reports.paging import Cut
from loyalty.reports.positions import positions
from loyalty.reports.snapshot import Snapshot
from loyalty.service import Engine
from loyalty.state import days, epochs, token_transfers, vaults
from loyalty.state.vault_facts import ledger_facts
from tests.integration.points_oracle import Stretch, cells
from tests.integration.scene import START
from tests.integration.two_chains import two_chains
from tests.integration.vault_calls import DECIMALS
from tests.integration.vault_checks import check_ledger
from tests.integration.vault_oracle import bridged_stretches, vault_stretches, yield_stretches
from tests.integration.vault_scene import VaultScene

END = START + 3 * DAY_SECONDS
PRICE = Fraction("0.9998")


@pytest.fixture
def played(tmp_path: Path) -> Iterator[VaultScene]:
    with two_chains(tmp_path) as chains:
        scene = VaultScene.deploy(chains, seed=3)
        scene.play_days()
        chains.finish(END + 7_200)
        yield scene


def catch_up(engine: Engine) -> None:
    engine.price()
    for chain in engine.program.chains:
        engine.index(chain.id)
        while engine.ask_shares(chain.id):
            pass
    engine.accrue()


def check_facts(scene: VaultScene, engine: Engine) -> None:
    """What follows from the stored facts at every block that was noted."""
    with engine.state.read() as connection:
        stored = {each.pool.address: each for each in vaults.all_vaults(connection)}
        home = stored[scene.vault.address]
        for moment in scene.vault.moments:
            ledger = VaultLedger(scene.vault.address, DECIMALS)
            for fact in ledger_facts(connection, home, moment.block + 1):
                ledger.apply(fact)
            ledger.close_transaction()
            check_ledger(ledger, moment)
        for venue in (scene.shares, scene.yields):
            for said in venue.moments:
                shares = ShareLedger(venue.address)
                token_id = stored[venue.address].share_token_id
                for transfer in token_transfers.of_tokens(connection, [token_id], before_block=said.block + 1):
                    shares.apply(transfer)
                assert (shares.balances(), shares.supply) == (said.balances, said.supply)


def check_days(engine: Engine, pool: Address, stretches: Iterable[Stretch]) -> None:
    with engine.state.read() as connection:
        found = days.cells(connection, Span(day_of(START), day_of(END)))
    assert {(each.day, each.provider): each.usd_micro_days for each in found if each.pool == pool} == cells(stretches)


def check(scene: VaultScene, engine: Engine) -> None:
    def usd(second: int) -> Fraction:
        return PRICE

    check_facts(scene, engine)
    check_days(engine, scene.vault.address, vault_stretches(scene.vault, START, END, usd, DECIMALS))
    bridged = bridged_stretches(scene.shares, scene.vault, START, END, usd, DECIMALS)
    check_days(engine, scene.shares.address, bridged)
    yields = yield_stretches(scene.yields, START, END, lambda _: Fraction(1), DECIMALS)
    check_days(engine, scene.yields.address, yields)


def check_told(scene: VaultScene, engine: Engine) -> None:
    """Every cell is one line of shares, those that the vault owes too, and follows from its explanation; positions are
    what a holder has at the end."""
    names = set()
    engine.settle()
    with engine.state.read() as connection:
        snapshot = Snapshot.of(connection)
        found = days.cells(connection, Span(day_of(START), day_of(END)))
        for provider in {each.provider for each in found}:
            for number in range(1, len(epochs.all_epochs(connection)) + 1):
                for day in explained(snapshot, provider, number).days:
                    assert day.detail is not None
                    (line,) = day.detail.positions
                    names.add(line.position)
                    assert line.usd_micro_days == worked_out(line, day.detail)
            items = Positions.model_validate(positions(snapshot, provider, Cut(100, None))).items
            said = [each.liquidity for each in items if each.share_token == checksum(scene.yields.address)]
            held = scene.yields.moments[-1].balances.get(provider)
            assert said == ([str(held)] if held else [])
    pools = (scene.vault.address, scene.shares.address, scene.yields.address)
    assert names == {f"shares of vault {checksum(pool)}" for pool in pools}


def worked_out(line: PositionLine, detail: PoolDayDetail) -> Fraction:
    """Micro-dollar-days of a line of shares, from nothing but what the explanation says."""
    (price,) = detail.prices
    total = Fraction(0)
    for held in line.spans:
        told = [each for each in detail.share_worth if each.valid_time < held.span.end]
        cuts = [held.span.start, *(each.valid_time for each in told[1:]), held.span.end]
        for each, (start, end) in zip(told, pairwise(cuts), strict=True):
            seconds = max(0, end - max(start, held.span.start))
            total += Fraction(held.liquidity * each.value * seconds, 10 ** (each.share_decimals + each.decimals))
    return total * Fraction(price.price * 10**6, 10**price.price_decimals * DAY_SECONDS)


def program(scene: VaultScene) -> Path:
    return scene.chains.program(scene.tables({"USDX": '{ fixed = "0.9998" }'}))


def test_vaults_are_counted_as_their_contracts_say(played: VaultScene) -> None:
    with played.chains.engine(program(played)) as engine:
        catch_up(engine)
        check(played, engine)
        check_told(played, engine)


def test_an_index_of_two_chains_that_is_killed_again_and_again_ends_with_the_same(played: VaultScene) -> None:
    file, chains = program(played), played.chains
    for side, block in (
        (chains.home, played.vault.moments[5].block),
        (chains.away, played.shares.moments[3].block),
        (chains.home, played.vault.moments[20].block),
        (chains.away, played.yields.moments[9].block),
    ):
        chains.index_and_kill(file, "killed.db", side, block)
    with chains.engine(file, "killed.db") as engine:
        catch_up(engine)
        check(played, engine)
