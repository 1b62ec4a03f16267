"""Points over two real nodes, against an oracle that knows what the contracts said and docs/points.md says."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from loyalty.api import create_app
from loyalty.config import Settings, load_settings
from loyalty.core.address import Address, checksum
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS, day_of, day_text
from loyalty.jobs.rewind import Rewound
from loyalty.jobs.verify import verify
from loyalty.service import Engine
from loyalty.state import days, points, pools, rounds, vaults
from tests.api.client import Client
from tests.cli.conftest import run_main
from tests.integration import points_oracle as oracle
from tests.integration.holder_scene import RECEIPT_STAKE
from tests.integration.holder_scene import SOURCES as HOLDER_SOURCES
from tests.integration.scene import ALICE, BOB, START, catch_up
from tests.integration.two_chains import quoted, table, two_chains
from tests.integration.vault_calls import DECIMALS, MAX_REDEEM, STAKE, TRANSFER, UNSTAKE
from tests.integration.vault_scene import DAY_RATE, ROUND_RATE, VaultScene
from tools.evm.erc20 import APPROVE
from tools.evm.solidity import creation_code
from tools.evm.uniswap import DEPLOYER

DAYS = 3
END = START + DAYS * DAY_SECONDS
Lines = dict[int, list[tuple[str, int, str]]]
"""By round or day: address, micro-points, why none."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultScene]:
    with two_chains(tmp_path_factory.mktemp("points")) as chains:
        played = VaultScene.deploy(chains, seed=11)
        played.play_days(DAYS)
        chains.finish(chains.now + 2 * HOUR_SECONDS)
        yield played


def settings_of(scene: VaultScene, folder: Path, program: Path | None = None) -> Settings:
    return load_settings(scene.chains.variables(program or scene.program(), folder / "loyalty.db"), None)


@contextmanager
def engine_of(scene: VaultScene, folder: Path, program: Path | None = None) -> Iterator[Engine]:
    """An engine over both nodes, prepared."""
    with Engine.open(settings_of(scene, folder, program)) as engine, engine.lock():
        engine.prepare()
        yield engine


def count(engine: Engine) -> None:
    """All of `catch_up` but settling: the program's rules may still change."""
    engine.price()
    for chain in engine.program.chains:
        engine.index(chain.id)
        while engine.ask_shares(chain.id):
            pass
    engine.accrue()
    engine.score()


# What is expected ----------------------------------------------------------------------------------------------------


def round_rows(
    scene: VaultScene,
    excluded: Sequence[oracle.Excluded] = (),
    price: Callable[[int], Fraction | None] = lambda _: Fraction(1),
) -> list[oracle.Row]:
    """Of the rounds that begin within the program."""
    sheets = oracle.round_sheets(
        scene.vault.starts,
        scene.vault.moments,
        [scene.shares.moments],
        decimals=DECIMALS,
        nobodys=scene.nobodys,
    )
    counted = [sheet for sheet in sheets if START <= sheet.time < END]
    return [
        row
        for sheet in counted
        for row in oracle.round_rows(
            sheet, price(sheet.time), Fraction(ROUND_RATE), decimals=DECIMALS, excluded=excluded
        )
        or []
    ]


def by_number(rows: Sequence[oracle.Row]) -> Lines:
    found: Lines = {}
    for row in rows:
        found.setdefault(row.number, []).append((row.address, row.micro_points, row.why_none))
    return found


# What is stored ------------------------------------------------------------------------------------------------------


def stored(engine: Engine, address: Address, period: points.Period) -> Lines:
    with engine.state.read() as connection:
        (pool_id,) = [row.id for row in pools.all_pools(connection) if row.address == address]
        found = {
            number: [(each.provider, each.points_micro, each.reason or "") for each in points.lines(connection, row)]
            for (_, number), row in points.periods(connection, pool_id, period).items()
        }
    return {number: lines for number, lines in found.items() if lines}


def statuses(engine: Engine, scene: VaultScene) -> dict[int, tuple[str, str | None]]:
    """By round its status and reason."""
    with engine.state.read() as connection:
        (pool_id,) = [row.id for row in pools.all_pools(connection) if row.address == scene.vault.address]
        found = points.periods(connection, pool_id, "round")
    return {number: (row.status, row.reason) for (_, number), row in found.items()}


def yield_cells(engine: Engine, scene: VaultScene) -> dict[tuple[int, str], int]:
    with engine.state.read() as connection:
        found = days.cells(connection, Span(day_of(START), day_of(END)))
    return {(cell.day, cell.provider): cell.usd_micro_days for cell in found if cell.pool == scene.yields.address}


# What is so ----------------------------------------------------------------------------------------------------------


def test_every_line_is_what_the_oracle_says(scene: VaultScene, tmp_path: Path) -> None:
    with engine_of(scene, tmp_path) as engine:
        catch_up(engine)
        told = verify(engine.state)
        by_round, by_day = stored(engine, scene.vault.address, "round"), stored(engine, scene.yields.address, "day")
        held = yield_cells(engine, scene)
        status = statuses(engine, scene)
    assert not told.faults
    assert told.point_lines > len(by_round)
    assert by_round == by_number(round_rows(scene))
    assert by_day == by_number(oracle.day_rows(held, Fraction(DAY_RATE)))
    assert any(why == "unstaked" for lines in by_round.values() for _, _, why in lines)
    last = max(by_round)
    assert {number for number, (name, _) in status.items() if name != "closed"} == {last}
    assert status[last] == ("open", None)


def test_the_api_ranks_and_adds_up_as_the_oracle_does(scene: VaultScene, tmp_path: Path) -> None:
    with engine_of(scene, tmp_path) as engine:
        catch_up(engine)
        held = yield_cells(engine, scene)
    droplets = oracle.totals(round_rows(scene))
    drops = oracle.totals(oracle.day_rows(held, Fraction(DAY_RATE)))
    with Client(create_app(settings_of(scene, tmp_path))) as client:
        for name, expected in (("droplets", droplets), ("drops", drops)):
            items = client.json(f"leaderboard?score={name}")["items"]
            assert [(each["rank"], each["address"], each["points"]) for each in items] == [
                (rank, checksum(Address(address)), f"{micro // 10**6}.{micro % 10**6:06}")
                for rank, address, micro in oracle.places(expected)
            ]
        for address in droplets:
            lines = all_items(client, f"points/{address}", 7)
            assert sum(micro(each["points"]) for each in lines) == droplets[address] + drops.get(address, 0)
        told = all_items(client, "rounds", 2)
        assert sum(micro(part["points"]) for each in told for part in each["points"]) == sum(droplets.values())
        assert [each["round"] for each in told] == sorted((each["round"] for each in told), reverse=True)
        check_events(client, scene)
        assert client.get("/api/v1/leaderboard?score=nuggets").status_code == 404


def test_the_commands_print_what_the_api_says(
    scene: VaultScene, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    variables = scene.chains.variables(scene.program(), tmp_path / "loyalty.db") | {"LOYALTY_LOG_LEVEL": "warning"}

    def loyalty(*arguments: str) -> str:
        capfd.readouterr()
        assert run_main(arguments, variables, tmp_path) == 0
        return capfd.readouterr().out

    loyalty("index")
    told = json.loads(loyalty("points", ALICE, "--json"))
    lines = loyalty("points", ALICE).splitlines()
    assert len(lines) == len(told["items"]) + len(told["scores"])
    first, newest = told["scores"][0], told["items"][0]
    assert f"droplets: {first['points']} points, rank {first['rank']}" in lines
    (line,) = [line for line in lines if f" round {newest['round']} (from {newest['start']}): " in line]
    assert f"{newest['shares']} shares x {newest['price_per_share']} x 1 USD = " in line
    rows = json.loads(loyalty("rounds", "--json"))["items"]
    assert len(loyalty("rounds").splitlines()) == len(rows) + 1
    with Client(create_app(settings_of(scene, tmp_path))) as client:
        assert client.json("rounds?limit=500")["items"] == rows
        assert client.json(f"points/{ALICE}?limit=500") == told
    assert "lines of points counted again" in loyalty("verify")


def check_events(client: Client, scene: VaultScene) -> None:
    """Pages of any size say the same; filters leave out what they should."""
    everything = all_items(client, "events", 500)
    assert everything == all_items(client, "events", 9)
    times = [each["time"] for each in everything]
    assert times == sorted(times, reverse=True)
    kinds = {each["kind"] for each in everything}
    assert kinds == {"stake", "instant_unstake", "unstake", "redeem", "roll", "deposit", "withdraw", "transfer"}
    for kind in kinds:
        assert all_items(client, "events", 9, f"kind={kind}") == [each for each in everything if each["kind"] == kind]
    vault, alice = checksum(scene.vault.address), checksum(ALICE)
    there = [each for each in everything if each["pool"] == vault]
    assert all_items(client, "events", 9, f"pool={vault}") == there
    hers = [each for each in everything if alice in (each["address"], each["recipient"])]
    assert all_items(client, "events", 9, f"address={alice}") == hers
    assert hers


def all_items(client: Client, path: str, limit: int, query: str = "") -> list[dict[str, Any]]:
    items, after = [], None
    for _ in range(1_000):
        answer = client.json(f"{path}?limit={limit}&{query}" + (f"&after={after}" if after else ""))
        items += answer["items"]
        if (after := answer["after"]) is None:
            return items
    raise AssertionError("the list does not end")


def micro(written: str) -> int:
    return int(written.replace(".", ""))


def test_an_exclusion_takes_the_points_of_what_is_not_settled(scene: VaultScene, tmp_path: Path) -> None:
    second = day_of(START) + 1
    with engine_of(scene, tmp_path) as engine:
        count(engine)
        assert stored(engine, scene.vault.address, "round") == by_number(round_rows(scene))
    keys = {"address": quoted(BOB), "reason": quoted("too good"), "from": day_text(second)}
    changed = scene.chains.program(
        scene.tables(), scene.points(), table("exclusions", **keys), file_name="changed.toml"
    )
    out = [oracle.Excluded(BOB, second)]
    with engine_of(scene, tmp_path, changed) as engine:
        count(engine)
        by_round, by_day = stored(engine, scene.vault.address, "round"), stored(engine, scene.yields.address, "day")
        held = yield_cells(engine, scene)
        assert not verify(engine.state).faults
    assert by_round == by_number(round_rows(scene, out))
    assert by_day == by_number(oracle.day_rows(held, Fraction(DAY_RATE), out))
    assert any(why == "excluded" for lines in by_round.values() for _, _, why in lines)


def hourly(second: int) -> Fraction:
    """USD per USDX, another one each hour."""
    return 1 + Fraction(second // HOUR_SECONDS % 50, 1000)


def write_hours(path: Path, until: int) -> None:
    hours = range(START - DAY_SECONDS, until, HOUR_SECONDS)
    path.write_text("time,usd\n" + "".join(f"{hour},{float(hourly(hour)):.3f}\n" for hour in hours))


def hourly_until(end: int, second: int) -> Fraction | None:
    """The last price is in force for two hours."""
    return hourly(min(second, end - 1)) if second <= end + HOUR_SECONDS else None


def test_a_round_waits_for_its_price(scene: VaultScene, tmp_path: Path) -> None:
    """Prices come as a file that ends too early, and then is longer."""
    file, early = scene.chains.folder / "usdx.csv", START + DAY_SECONDS
    write_hours(file, early)
    program = scene.chains.program(
        scene.tables({"USDX": '{ file = "usdx.csv" }'}), scene.points(), file_name="priced.toml"
    )
    with engine_of(scene, tmp_path, program) as engine:
        count(engine)
        expected = round_rows(scene, (), partial(hourly_until, early))
        assert stored(engine, scene.vault.address, "round") == by_number(expected)
        waiting = [reason for name, reason in statuses(engine, scene).values() if name == "unpriced"]
        assert waiting
        assert all(reason and reason.startswith("USDX: no valid price at 2023-11-") for reason in waiting)
        write_hours(file, END + DAY_SECONDS)
        count(engine)
        assert stored(engine, scene.vault.address, "round") == by_number(round_rows(scene, (), hourly))
        assert "unpriced" not in {name for name, _ in statuses(engine, scene).values()}


def test_steps_of_any_size_give_the_same_points(scene: VaultScene, tmp_path: Path) -> None:
    """A few blocks of one chain at a time, everything counted in between: rounds wait for the chain that is behind."""
    waited = False
    with engine_of(scene, tmp_path) as engine:
        engine.price()
        for blocks in range(20, 140, 9):
            for place, chain in enumerate(engine.program.chains):
                engine.index(chain.id, until=blocks if not place else blocks // 2)
            engine.accrue()
            engine.score()
            waited |= any(reason and "not indexed past" in reason for _, reason in statuses(engine, scene).values())
        catch_up(engine)
        by_round, by_day = stored(engine, scene.vault.address, "round"), stored(engine, scene.yields.address, "day")
        held = yield_cells(engine, scene)
    assert waited
    assert by_round == by_number(round_rows(scene))
    assert by_day == by_number(oracle.day_rows(held, Fraction(DAY_RATE)))


def test_a_reorg_at_home_changes_who_unstaked(tmp_path: Path) -> None:
    with reorganized(tmp_path) as (scene, engine):
        vault, node = scene.vault, scene.chains.home.node
        before, moments, starts = node.snapshot(), list(vault.moments), list(vault.starts)
        vault.send(ALICE, UNSTAKE, 10**6, time=START + 50)
        scene.bridge.roll(START + 60)
        scene.chains.away.node.mine_at(START + 70)
        first = counted(engine, scene)
        node.revert(before)
        vault.moments[:], vault.starts[:] = moments, starts
        vault.send(BOB, UNSTAKE, 10**7, time=START + 52)
        scene.chains.home.node.mine_at(START + 62)
        vault.note()
        assert counted(engine, scene, rewound=True) != first


def test_a_reorg_of_another_chain_changes_who_held_shares(tmp_path: Path) -> None:
    """The rolls are where they were."""
    with reorganized(tmp_path) as (scene, engine):
        shares, node = scene.shares, scene.chains.away.node
        before, moments = node.snapshot(), list(shares.moments)
        holder, held = next((who, units) for who, units in shares.moments[-1].balances.items() if who != BOB)
        shares.send(holder, TRANSFER, BOB, 1 + held // 2, time=START + 50)
        scene.chains.home.node.mine_at(START + 55)
        scene.bridge.roll(START + 60)
        node.mine_at(START + 70)
        first = counted(engine, scene)
        node.revert(before)
        shares.moments[:] = moments
        node.mine_at(START + 51)
        node.mine_at(START + 72)
        assert counted(engine, scene, rewound=True) != first


@contextmanager
def reorganized(folder: Path) -> Iterator[tuple[VaultScene, Engine]]:
    """A scene of its own, a round of which has just begun in the program, and an engine over it."""
    with two_chains(folder) as chains:
        scene = VaultScene.deploy(chains, seed=11)
        scene.play(START, 60)
        scene.pass_time(START)
        scene.vault.send(ALICE, STAKE, 10**9, ALICE, time=START + 10)
        scene.vault.send(BOB, STAKE, 10**9, BOB, time=START + 20)
        scene.bridge.roll(START + 30)
        scene.pass_time(START + 40)
        with engine_of(scene, folder) as engine:
            yield scene, engine


def counted(engine: Engine, scene: VaultScene, *, rewound: bool = False) -> Lines:
    """The points of all rounds, which are what the oracle says and what verify counts."""
    done: list[object] = []
    for chain in engine.program.chains:
        engine.index(chain.id, told=done.append)
    assert any(isinstance(each, Rewound) for each in done) is rewound
    count(engine)
    found = stored(engine, scene.vault.address, "round")
    assert found == by_number(round_rows(scene))
    assert not verify(engine.state).faults
    return found


def test_shares_in_a_contract_that_is_looked_through_are_those_of_who_stands_behind(tmp_path: Path) -> None:
    """Alice stakes shares of the vault for Bob and herself, and some of hers lie in the contract as nobody's."""
    with two_chains(tmp_path) as chains:
        scene = VaultScene.deploy(chains, seed=11)
        vault, node = scene.vault, chains.home.node
        arguments = (vault.address, "Staked shares", "receipt")
        receipts = node.create(DEPLOYER, creation_code(HOLDER_SOURCES, "ShareStaker", *arguments))
        vault.holders = (*vault.holders, receipts)
        vault.send(ALICE, STAKE, 10**9, ALICE, time=START - 900)
        scene.bridge.roll(START - 800)
        vault.send(ALICE, MAX_REDEEM, time=START - 700)
        staked = [(receipts, RECEIPT_STAKE(250, BOB)), (receipts, RECEIPT_STAKE(10**8, ALICE))]
        calls = [(vault.address, APPROVE(receipts, 10**20)), *staked, (vault.address, TRANSFER(receipts, 77))]
        vault.send_all(*((ALICE, to, call) for to, call in calls), time=START - 600)
        scene.pass_time(START)
        scene.bridge.roll(START + 30)
        chains.finish(START + 100)
        keys = {"chain": quoted("home"), "address": quoted(receipts), "shares": quoted(receipts)}
        program = chains.program(scene.tables(), scene.points(), table("look_through", **keys))
        with engine_of(scene, tmp_path, program) as engine:
            count(engine)
            told = verify(engine.state)
            with engine.state.read() as connection:
                found = {row.round: rounds.shares(connection, row.pool_id, row.round) for row in begun(connection)}
                (unclaimed,) = [row.unclaimed_shares for row in begun(connection)]
    assert not told.faults
    held = vault.starts[-1].shares
    in_contract = held.pop(receipts)
    assert in_contract == 10**8 + 250 + 77
    (shares,) = found.values()
    behind = {ALICE: in_contract * 10**8 // (10**8 + 250), BOB: in_contract * 250 // (10**8 + 250)}
    assert shares == {**held, ALICE: held[ALICE] + behind[ALICE], BOB: behind[BOB]}
    assert unclaimed == in_contract - sum(behind.values())


def begun(connection: Connection) -> list[rounds.RoundRow]:
    return [row for each in vaults.all_vaults(connection) for row in rounds.of_pool(connection, each.pool.id).values()]
