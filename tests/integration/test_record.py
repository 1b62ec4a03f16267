"""`loyalty record`: what was read of a node stands in for it, with the prices, and gives the same digests."""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.chain.recording_file import RecordedBlocks, read_recording
from loyalty.chain.recording_format import RecordedChain, RecordedPoint, RecordedPrices, RecordingFacts
from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.core.logs import RawLog
from loyalty.jobs import index as index_job
from loyalty.jobs import listen as listen_job
from loyalty.jobs.price import recorded_points
from loyalty.jobs.record import program_text
from loyalty.jobs.verify import verify
from loyalty.protocols.uniswap_v3 import topics
from tests.integration.scene import ALICE, BOB, CAROL, DAVE, START, Scene, catch_up, everything, write_prices
from tests.integration.test_forged_token import dust, fake, worthless_pool

DAY = 86_400
KEY = "s3cret-key-0f-the-0perator"


@pytest.fixture
def told(scene: Scene) -> Scene:
    """Two days: liquidity and swaps from before the start, owners that change, other pools, a forger."""
    uniswap, manager = scene.uniswap, scene.uniswap.manager
    worthless = worthless_pool(scene)
    first = scene.mint(ALICE, -6_000, 6_000, 40_000)
    for tick in (30, -40, 55):
        scene.swap(tick)
    scene.node.mine_at(START)
    uniswap.pay(CAROL, fake(scene, worthless), dust(scene), time=START + 50)
    uniswap.send(CAROL, manager.multicall([scene.deposit(-60, 120, 700, CAROL), scene.deposit(0, 60, 80, BOB)]))
    scene.swap(-70, time=START + 9_000)
    uniswap.direct_mint(DAVE, scene.pool, scene.middle - 120, scene.middle + 120, 10**12)
    uniswap.transfer_nft(ALICE, BOB, first)
    scene.swap(100, time=START + DAY + 7)
    scene.node.mine_at(START + 2 * DAY)
    scene.node.mine_at(START + 2 * DAY + 4_000)
    for _ in range(6):
        scene.node.mine()
    return scene


@pytest.mark.parametrize("span_blocks", [1, 3, 2_000])
def test_a_recording_gives_the_digests_of_the_node(
    told: Scene, span_blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The price file is gone: the recorded points are taken, with the sources that they came from."""
    recording = told.folder / "told.jsonl.gz"
    with told.engine() as engine:
        catch_up(engine)
        original = everything(engine.state)
        monkeypatch.setattr(listen_job, "SPAN_BLOCKS_FIRST", span_blocks)
        made = engine.record(recording)
    assert made.sha256 == hashlib.sha256(recording.read_bytes()).hexdigest()
    program = told.program()
    (told.folder / "one.csv").write_text("time,usd\n")
    monkeypatch.setattr(index_job, "SPAN_BLOCKS_FIRST", 7 - span_blocks % 5)

    with told.engine("replayed.db", program=program, rpc=f"file:{recording}") as replayed:
        catch_up(replayed)
        found = everything(replayed.state)
        assert verify(replayed.state).faults == ()
    settled = [row for row in original["epochs"] if row[1] == "settled"]
    assert len(settled) == 2
    assert [row for row in found["epochs"] if row[1] == "settled"] == settled
    for name in ("swaps", "liquidity", "transfers", "prices"):
        assert found[name] == original[name], name
    assert of_epochs(found, 2) == of_epochs(original, 2) != []


def of_epochs(rows: dict[str, list[tuple[object, ...]]], last: int) -> list[tuple[object, ...]]:
    return [row for row in rows["rewards"] if int(str(row[0])) <= last]


def test_a_recording_of_a_recording_is_the_same_chain(told: Scene) -> None:
    first, second = told.folder / "first.jsonl.gz", told.folder / "second.jsonl.gz"
    with told.engine() as engine:
        catch_up(engine)
        engine.record(first)
    with told.engine("replayed.db", rpc=f"file:{first}") as replayed:
        catch_up(replayed)
        replayed.record(second)
    (facts, blocks), (again, same) = read_recording(first), read_recording(second)
    assert again == facts
    assert list(logs_of(same)) == list(logs_of(blocks))


def logs_of(blocks: RecordedBlocks) -> Iterator[RawLog]:
    for place in range(len(blocks.headers)):
        yield from blocks.logs_of(place)


def test_a_recording_holds_only_what_the_index_asks_for(told: Scene) -> None:
    """Of the pool every event, once the program runs; before it one swap; of the manager only blocks that name it."""
    recording = told.folder / "told.jsonl.gz"
    with told.engine() as engine:
        catch_up(engine)
        engine.record(recording)
        final = engine.program.rules.start
    facts, blocks = read_recording(recording)
    logs = list(logs_of(blocks))
    swaps_before = [log for log in logs if log.time < final and log.topics[0] == topics.SWAP]
    assert len(swaps_before) == 1
    assert {log.address for log in logs} == {told.pool.address, told.uniswap.manager.address}
    named = {log.block for log in logs if log.topics[0] in (topics.MINT, topics.BURN)}
    of_manager = [log for log in logs if log.address == told.uniswap.manager.address]
    assert {log.block for log in of_manager if log.topics[0] != topics.TRANSFER} <= named
    assert [pool.address for pool in facts.pools] == [told.pool.address]
    assert (facts.pools[0].symbol0, facts.pools[0].symbol1) == (("ONE", "TWO") if told.middle < 0 else ("TWO", "ONE"))
    assert {each.symbol for each in facts.prices} == {"ONE", "TWO", "PAY"}
    assert tomllib.loads(facts.program or "")["program"]["epochs"] == 3


def test_recorded_prices_are_taken_as_they_are_and_sources_asked_only_after_them(told: Scene) -> None:
    """Another price file stands beside the recording: its rows count only after the last recorded point."""
    recording, program = told.folder / "told.jsonl.gz", told.program()
    write_prices(told.folder / "one.csv", days=2)
    with told.engine(program=program) as engine:
        catch_up(engine)
        engine.record(recording)
        recorded = [row for row in everything(engine.state)["prices"] if row[0] == "ONE"]
    last = max(int(str(row[1])) for row in recorded)
    rows = [(START - 1_800, "7"), (START + 5_400, "8"), (last + 1, "9"), (last + 3_600, "2001.5")]
    (told.folder / "one.csv").write_text("".join(["time,usd\n", *(f"{time},{usd}\n" for time, usd in rows)]))
    with told.engine("replayed.db", program=program, rpc=f"file:{recording}") as replayed:
        catch_up(replayed)
        found = [row for row in everything(replayed.state)["prices"] if row[0] == "ONE"]
    assert found == sorted([*recorded, ("ONE", last + 3_600, "200150000000", "file")], key=repr)


def test_recorded_prices_of_another_scale_are_refused(told: Scene) -> None:
    with told.engine() as engine:
        points = (RecordedPoint(START, 180_000, 2, "operator"),)
        recorded = RecordedPrices("ONE", points)
        facts = RecordingFacts(chain=RecordedChain("play", 31337), prices=(recorded, RecordedPrices("OTHER", points)))
        with pytest.raises(Invalid, match=r"tokens\[ONE\]\.price_decimals is 8, but the recording .* at 2: set it"):
            recorded_points([facts], engine.rules, START)
        assert recorded_points([], engine.rules, START) == {}


def test_only_final_blocks_are_recorded(told: Scene) -> None:
    path = told.folder / "told.jsonl.gz"
    with told.engine() as engine:
        catch_up(engine)
        head = told.node.header().number
        with pytest.raises(Conflict, match=f"block {head} of play is not final yet: ask for one up to {head - 4}"):
            engine.record(path, until=head)
        assert not list(told.folder.glob("*told*"))
        engine.record(path)
        assert read_recording(path)[1].headers[-1].number == head - 4
        engine.record(path, until=head - 9)
        assert read_recording(path)[1].headers[-1].number == head - 9


def test_a_recording_that_cannot_be_made_is_told(told: Scene) -> None:
    with told.engine() as engine:
        with pytest.raises(Invalid, match=r"the folder .* does not exist; create it"):
            engine.record(told.folder / "nowhere" / "told.jsonl.gz")
        with pytest.raises(NotFound, match="the program has no chain 'mars': it has play"):
            engine.record(told.folder / "told.jsonl.gz", "mars")


def test_no_key_of_an_endpoint_is_recorded(tmp_path: Path) -> None:
    """Of the program file's endpoints only scheme and host are kept, also where a comment repeats them."""
    url = f"https://rpc.example.org/v2/{KEY}"
    path = tmp_path / "program.toml"
    path.write_text(f'[[chains]]\nname = "a"\nrpc = ["{url}?x=1", "{url}", "file:here.gz"]  # {url} is mine\n')
    text = program_text(path)
    assert KEY not in text
    assert tomllib.loads(text)["chains"][0]["rpc"] == ["https://rpc.example.org/…"] * 2 + ["file:here.gz"]


def test_an_endpoint_written_with_escapes_is_refused_rather_than_recorded(tmp_path: Path) -> None:
    path = tmp_path / "program.toml"
    path.write_text('[[chains]]\nname = "a"\nrpc = ["https://rpc.example.org/v2/\\u0041bc"]\n')
    with pytest.raises(Invalid, match="writes an endpoint with escapes"):
        program_text(path)
