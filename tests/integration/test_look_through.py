"""Look-through on a real node: whoever stands behind a contract has, day by day, what a second opinion says."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from loyalty.api.models.epochs import EpochWithUnresolved
from loyalty.api.models.providers import Positions
from loyalty.api.models.status import StatusAnswer
from loyalty.core.address import ZERO_ADDRESS, Address, checksum
from loyalty.core.errors import Inconsistent
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, day_of
from loyalty.jobs.check_supplies import SupplyChecker, share_tokens
from loyalty.jobs.verify import verify
from loyalty.program.cells import Cell
from loyalty.reports.epochs import epoch
from loyalty.reports.explain import explained
from loyalty.reports.paging import Cut
from loyalty.reports.positions import positions
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.status import status
from loyalty.service import Engine
from loyalty.state import balances, days
from tests.integration import curve_scene
from tests.integration.holder_oracle import curve_stretches, curve_usd, uniswap_stretches, uniswap_usd
from tests.integration.holder_play import HolderPlay
from tests.integration.holder_scene import HolderScene
from tests.integration.points_oracle import cells
from tests.integration.scene import GENESIS_TIME, START, Scene, catch_up, decimals_of, everything, hourly_price, play
from tests.integration.vault_calls import PEOPLE
from tools.evm.node import Node

DAY = DAY_SECONDS
DAYS = 3
END = START + DAYS * DAY
SEED = 11
STEPS = 60
Keyed = dict[tuple[int, str], int]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A node on which the newest forty blocks are not final."""
    with Node(GENESIS_TIME, ("--slots-in-an-epoch", "20")) as node:
        yield play(node, tmp_path)


def played(scene: Scene) -> HolderScene:
    told = HolderScene.deploy(scene, curve_scene.deploy(scene))
    HolderPlay(Random(SEED), told).open()
    told.pass_time(START)
    return told


def go_on(told: HolderScene, until: int, steps: int, seed: int = SEED) -> None:
    """So many steps, at random seconds, up to one more block at `until`."""
    random, now = Random(seed), told.scene.now
    step = HolderPlay(random, told).step
    for time in sorted(random.sample(range(now + 1, until), steps)):
        step(time)
    told.pass_time(until)


def third(second: int) -> Fraction:
    return Fraction(hourly_price(second))


def pair(told: HolderScene, second: int) -> tuple[Fraction, Fraction]:
    """USD per smallest unit of token0 and token1: ONE by the file, TWO a dollar."""
    pool = told.scene.pool
    decimals = [decimals_of(told.node, token) for token in (pool.token0, pool.token1)]
    first, other = (third(second) if each == 18 else Fraction(1) for each in decimals)
    return first / 10 ** decimals[0], other / 10 ** decimals[1]


def expected(told: HolderScene, *, through: bool = True) -> dict[Address, Keyed]:
    """By pool: the day and whoever stands behind, to micro-dollar-days."""
    return {
        told.scene.pool.address: cells(
            uniswap_stretches(told, START, END, lambda second: pair(told, second), through=through)
        ),
        told.curve.ng.pool: cells(curve_stretches(told, START, END, third, through=through)),
    }


def stored(engine: Engine) -> list[Cell]:
    with engine.state.read() as connection:
        return days.cells(connection, Span(day_of(START), day_of(END)))


def check_cells(found: list[Cell], wanted: dict[Address, Keyed], most: int) -> None:
    """To what is rounded: once a contract that a part came through, and once a holder."""
    for pool, each in wanted.items():
        own = {(cell.day, cell.provider): cell.usd_micro_days for cell in found if cell.pool == pool}
        for key in own.keys() | each.keys():
            assert abs(own.get(key, 0) - each.get(key, 0)) <= most, (pool, key, own.get(key), each.get(key))


def day_sums(found: list[Cell]) -> dict[tuple[Address, int], tuple[int, int]]:
    sums: dict[tuple[Address, int], tuple[int, int]] = {}
    for cell in found:
        total, in_range = sums.get((cell.pool, cell.day), (0, 0))
        key = cell.pool, cell.day
        sums[key] = total + cell.usd_micro_days, in_range + cell.usd_micro_days_in_range
    return sums


def without(text: str, kind: str = "") -> str:
    """The program file without the contracts that are looked through, or without those that do not name `kind`."""
    parts = text.split("\n[[")
    return "\n[[".join(part for part in parts if not part.startswith("look_through") or (kind and kind in part))


def test_everyone_has_what_stands_behind_contracts_to_the_unit(scene: Scene) -> None:
    told = played(scene)
    go_on(told, START + 2 * DAY + DAY // 2, STEPS)
    going_on = told.moments[-1]
    with scene.engine(program=told.program()) as engine:
        catch_up(engine)
        check_now(told, engine)
        assert going_on.time == told.scene.now
        go_on(told, END, STEPS // 4, seed=12)
        told.pass_time(END + 2 * 3_600)
        mine(scene, 50)
        catch_up(engine)
        found = stored(engine)
        check_cells(found, expected(told), 4)
        assert verify(engine.state).faults == ()
        check_explained(told, engine, found)
        check_positions(told, engine)
        check_unresolved(told, engine)
        first = everything(engine.state)
    check_spans(told, first)
    check_conserved(told, found)


def check_now(told: HolderScene, engine: Engine) -> None:
    """What everyone has at the newest block, behind all contracts, floored once."""
    moment = told.moments[-1]
    prices = pair(told, moment.time - 1)
    coins = {0: Fraction(1, 10**6), 1: Fraction(1, 10**18), 2: third(moment.time - 1) / 10**8}
    contracts = contracts_of(told)
    wanted = {
        told.scene.pool.address: uniswap_usd(told, moment, *prices),
        told.curve.ng.pool: curve_usd(told, moment, coins),
    }
    with engine.state.read() as connection:
        rows = balances.balances(connection)
    for pool, each in wanted.items():
        own = {row.provider: row.usd_micro for row in rows if row.pool == pool}
        people = {holder: usd * 10**6 for holder, usd in each.items() if holder not in contracts}
        assert own.keys() == people.keys()
        for holder, usd in people.items():
            assert abs(own[Address(holder)] - usd) <= 2


def check_explained(told: HolderScene, engine: Engine, found: list[Cell]) -> None:
    """Every cell is taken apart into lines that add up to it; they say through which contract a part came."""
    names: dict[str, set[Address]] = {}
    with engine.state.read() as connection:
        snapshot = Snapshot.of(connection)
        for number in range(1, DAYS + 1):
            for provider in {cell.provider for cell in found if cell.day == day_of(START) + number - 1}:
                for day in explained(snapshot, provider, number).days:
                    assert day.detail is not None
                    for line in day.detail.positions:
                        names.setdefault(line.position, set()).add(provider)
                    if provider in contracts_of(told):
                        assert day.not_counted == "looked through: nobody stands behind this part"
    for contract in told.share_contracts:
        shares = f"behind {checksum(contract)} (shares of {checksum(contract)})"
        assert len(names[shares]) > 1
    for staker in (told.staker, told.user_staker):
        assert any(name.endswith(f", staked in {checksum(staker)}") for name in names)
    assert names["left with the contract: nobody stands behind"] <= contracts_of(told)


def check_positions(told: HolderScene, engine: Engine) -> None:
    """What everyone has now of contracts that hold something, and of NFTs in stakers, is what these say."""
    moment = told.moments[-1]
    staked = {
        (each.depositor, checksum(each.owner), str(each.token_id)): str(each.liquidity)
        for each in moment.positions
        if each.depositor != ZERO_ADDRESS and each.liquidity
    }
    shares = {
        (person, checksum(contract)): str(held)
        for contract in told.share_contracts
        for person, held in moment.shares[contract].items()
        if person not in contracts_of(told)
    }
    with engine.state.read() as connection:
        snapshot = Snapshot.of(connection)
        found = [(person, each) for person in PEOPLE for each in positions(snapshot, person, Cut(500, None))["items"]]
    Positions.model_validate({"items": [each for _, each in found], "after": None, "as_of": [], "status": "computed"})
    behind = {(person, each["through"]): each["liquidity"] for person, each in found if each["kind"] == "behind"}
    assert behind == shares
    assert staked == {
        (person, each["through"], each["token_id"]): each["liquidity"]
        for person, each in found
        if each["kind"] == "token" and each["through"]
    }
    gauge = checksum(told.curve.ng.gauge)
    assert {each["through"] for _, each in found if each["kind"] == "staked"} <= {gauge}


def check_unresolved(told: HolderScene, engine: Engine) -> None:
    """The staker with an NFT that was sent astray stands in the list, and whoever is no contract does not."""
    with engine.state.read() as connection:
        snapshot = Snapshot.of(connection)
        lines = StatusAnswer.model_validate(status(snapshot)).unresolved
        of_first = EpochWithUnresolved.model_validate(epoch(snapshot, 1)).unresolved
    assert lines == []  # every epoch is settled
    assert checksum(told.staker) in {each.address for each in of_first}
    assert {each.address for each in of_first} <= {checksum(each) for each in contracts_of(told)}


def contracts_of(told: HolderScene) -> set[Address]:
    return {told.staker, told.user_staker, *told.share_contracts}


def check_spans(told: HolderScene, first: dict[str, object]) -> None:
    """Indexed again in other steps it is the same to the last row."""
    with told.scene.engine("again.db", program=told.program()) as again:
        again.price()
        chain = again.program.chains[0].id
        for until in range(7, told.node.header().number, 29):
            again.index(chain, until)
        catch_up(again)
        other = everything(again.state)
    for name in first:
        assert other[name] == first[name], name


def check_conserved(told: HolderScene, found: list[Cell]) -> None:
    """The cells of a pool-day add up to the same, to the unit, whether contracts are looked through or not.

    An NFT staker's positions are its depositors' before anything is rounded: of these each is rounded down by itself.
    """
    staked = plain_cells(told, "staked.db", "nft_staker")
    assert day_sums(found) == day_sums(staked)
    contracts = plain_cells(told, "plain.db")
    check_cells(contracts, expected(told, through=False), 2)
    of_contracts = day_sums(contracts)
    for (pool, day), (total, _) in day_sums(found).items():
        most = len(PEOPLE) if pool == told.scene.pool.address else 0
        assert 0 <= of_contracts[pool, day][0] - total <= most


def plain_cells(told: HolderScene, database: str, kind: str = "") -> list[Cell]:
    path = told.program()
    path.write_text(without(path.read_text(), kind))
    with told.scene.engine(database, program=path) as plain:
        catch_up(plain)
        return stored(plain)


def test_a_reorg_leaves_what_a_database_says_that_has_only_seen_the_new_chain(scene: Scene) -> None:
    told = played(scene)
    go_on(told, START + DAY // 2, 15)
    with scene.engine(program=told.program()) as engine:
        before = scene.node.snapshot()
        kept = len(told.moments)
        go_on(told, START + DAY + 3_600, 20, seed=13)
        catch_up(engine)
        old = stored(engine)
        scene.node.revert(before)
        del told.moments[kept:]
        go_on(told, START + DAY + 7_200, 22, seed=14)
        catch_up(engine)
        catch_up(engine)
        found = everything(engine.state)
        assert stored(engine) != old
    with scene.engine("fresh.db", program=told.program()) as fresh:
        catch_up(fresh)
        expected_rows = everything(fresh.state)
    for name in expected_rows:
        assert found[name] == expected_rows[name], name


def test_shares_whose_history_begins_too_late_are_noticed_by_their_supply(scene: Scene) -> None:
    told = played(scene)
    late = told.node.header().number
    mine(scene, 60)
    path = told.program()
    vault = checksum(told.lp_vault.address)
    text = path.read_text().split("\n[[")
    place = next(n for n, part in enumerate(text) if part.startswith("look_through") and vault.lower() in part.lower())
    text[place] = text[place].rstrip() + f"\nstart_block = {late}\n"
    path.write_text("\n[[".join(text))
    with scene.engine(program=path) as engine:
        told_of = rf"look_through\[{vault}\]: the shares {vault} are \d+ at block \d+ of"
        with pytest.raises(Inconsistent, match=told_of) as no:
            catch_up(engine)
        assert "add up to 0: holders are missing. Set start_block to its creation" in str(no.value)
        with pytest.raises(Inconsistent, match="holders are missing"):
            engine.index(engine.program.chains[0].id)  # told at every turn
        told.pass_time(START + 2 * 3_600)
        mine(scene, 60)
        with pytest.raises(Inconsistent, match="holders are missing"):
            engine.index(engine.program.chains[0].id)


def test_supplies_are_asked_once_an_hour_of_the_chains_time(scene: Scene) -> None:
    told = played(scene)
    mine(scene, 60)
    with scene.engine(program=told.program()) as engine:
        chain = engine.program.chains[0].id
        engine.index(chain)
        checker = SupplyChecker(engine.state, engine.chains[chain].chain)
        with engine.state.read() as connection:
            tokens = {each.token for each in share_tokens(connection, chain)}
        assert tokens == {told.curve.ng.lp_token, told.curve.ng.gauge, *told.share_contracts}
        assert [engine.chains[chain].run(checker.turn()) for _ in range(2)] == [len(tokens), 0]
        told.pass_time(START + 3_600)
        mine(scene, 60)
        assert engine.chains[chain].run(checker.turn()) == 0  # not indexed up to there yet
        engine.index(chain)
        assert engine.chains[chain].run(checker.turn()) == len(tokens)


def mine(scene: Scene, blocks: int) -> None:
    for _ in range(blocks):
        scene.node.mine()
