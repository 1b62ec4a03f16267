"""Recordings: what was written is read, in any spans and at any time of their clock; a damaged one is refused."""

import asyncio
import gzip
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.chain.chain import Chain, open_chain
from loyalty.chain.endpoint import NoneCanAnswer
from loyalty.chain.heard_calls import HeardCalls
from loyalty.chain.record import RecordingWriter, overheard
from loyalty.chain.recording_format import RecordedChain, RecordedPoint, RecordedPool, RecordedPrices, RecordingFacts
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import Invalid, Unavailable
from loyalty.core.logs import RawLog
from loyalty.core.queries import LogQuery
from loyalty.core.spans import Span
from loyalty.core.times import time_text
from tests.chain.patient import CHAIN_ID, HandClock, chain_of, run
from tests.chain.rpc_server import RpcServer, Site
from tests.chain.world import EVENTS, GENESIS_TIME, POOLS, World, make_world

WORLD = make_world(seed=5, blocks=200)
KEPT = [header for header in WORLD.headers if header.number % 3 or header.number == 199]
"""The recording has gaps."""

FACTS = RecordingFacts(
    chain=RecordedChain(name="arbitrum", id=CHAIN_ID),
    finality_seconds=120,
    pools=(RecordedPool(POOLS[0], POOLS[1], POOLS[2], 18, 6, 500, 10, "WETH", "USDC"),),
    program="[program]\nname = 'tBTC'\n",
    prices=(RecordedPrices("WETH", (RecordedPoint(GENESIS_TIME, 2_000_00000000, 8, "coingecko"),)),),
)


def write(path: Path, world: World = WORLD, kept: list[Header] = KEPT, facts: RecordingFacts = FACTS) -> Path:
    with RecordingWriter.open(path, facts) as writer:
        for header in kept:
            writer.add_block(header, [log for log in world.logs if log.block == header.number])
    return path


def recorded_logs() -> list[RawLog]:
    numbers = {header.number for header in KEPT}
    return [log for log in WORLD.logs if log.block in numbers]


def opened(path: Path, options: str = "", clock: HandClock | None = None, not_before: int | None = None) -> Chain:
    url = f"file:{path.name}{options}"
    clock = clock or HandClock()
    return open_chain("arbitrum", CHAIN_ID, [url], base=path.parent, clock=clock.clock(), not_before=not_before)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write(tmp_path / "arbitrum.jsonl.gz")


def test_what_was_recorded_is_read(recording: Path) -> None:
    chain = opened(recording)
    asyncio.run(chain.check())
    assert asyncio.run(chain.head()) == WORLD.headers[199]
    assert asyncio.run(chain.logs([WORLD.query()])) == recorded_logs()
    assert chain.recording_facts() == FACTS
    assert FACTS.pool(POOLS[0]) == FACTS.pools[0]
    assert FACTS.pool(POOLS[1]) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.integers(1, 90), topics=st.sets(st.sampled_from(EVENTS)), pools=st.integers(1, 3))
def test_any_span_sizes_give_the_same_logs(recording: Path, step: int, topics: set[bytes], pools: int) -> None:
    chain = opened(recording)
    words = (tuple(sorted(topics)),) if topics else ()
    whole = LogQuery(POOLS[:pools], words, Span(0, 200))

    async def steps() -> list[RawLog]:
        found, cursor = [], 0
        while cursor < 200:
            end = (await chain.span_end(cursor + step - 1)).number + 1
            found += await chain.logs([whole._replace(span=Span(cursor, end))])
            cursor = end
        return found

    numbers = {header.number for header in KEPT}
    assert asyncio.run(steps()) == [log for log in WORLD.matching(whole) if log.block in numbers]


def test_a_step_ends_at_the_first_recorded_block_and_a_reading_says_which(recording: Path) -> None:
    chain = opened(recording)
    assert asyncio.run(chain.span_end(99)) == WORLD.headers[100]
    heard: list[RawLog] = []

    def listen() -> Any:
        return len((yield [WORLD.query(0, 101)]))

    reading = asyncio.run(chain.read(overheard(listen(), heard), end=101))
    expected = [log for log in recorded_logs() if log.block <= 100]
    assert (reading.result, heard) == (len(expected), expected)
    assert reading.end_header == WORLD.headers[100]


def test_the_first_block_at_a_time_is_the_first_recorded_one(recording: Path) -> None:
    chain = opened(recording)
    assert asyncio.run(chain.first_block_at(WORLD.headers[99].time)) == WORLD.headers[100]
    assert asyncio.run(chain.first_block_at(WORLD.head.time + 1)) is None


def test_the_clock_starts_at_from_and_runs_at_speed(recording: Path) -> None:
    clock = HandClock()
    chain = opened(recording, f"?from={time_text(WORLD.headers[100].time)}&speed=60", clock)
    assert asyncio.run(chain.head()) == WORLD.headers[100]
    assert asyncio.run(chain.finalized()) == WORLD.headers[89]  # 120 s are ten blocks, and block 90 is not recorded
    with pytest.raises(Unavailable, match="block 199 is not there yet, the last one is 100"):
        asyncio.run(chain.logs([WORLD.query()]))
    clock.time += 1.0  # a minute of the chain, five blocks
    assert asyncio.run(chain.head()) == WORLD.headers[104]  # 105 is not recorded
    assert asyncio.run(chain.logs([WORLD.query(0, 105)])) == [log for log in recorded_logs() if log.block <= 104]
    clock.time += 3600.0
    assert asyncio.run(chain.finalized()) == asyncio.run(chain.head()) == WORLD.headers[199]


def test_after_a_restart_the_clock_goes_on(recording: Path) -> None:
    options = f"?from={WORLD.headers[100].time}&speed=60"
    assert asyncio.run(opened(recording, options, not_before=WORLD.headers[151].time).head()) == WORLD.headers[151]
    assert asyncio.run(opened(recording, options, not_before=WORLD.headers[50].time).head()) == WORLD.headers[100]


def test_a_start_without_a_speed_stands_still_and_a_speed_alone_starts_at_the_first_block(recording: Path) -> None:
    clock = HandClock()
    standing = opened(recording, f"?from={WORLD.headers[100].time}", clock)
    playing = opened(recording, "?speed=0.5", clock)
    clock.time += 24
    assert asyncio.run(standing.head()) == WORLD.headers[100]
    assert asyncio.run(playing.head()) == WORLD.headers[2]


def test_before_its_first_block_a_recording_has_no_head(recording: Path) -> None:
    with pytest.raises(Unavailable, match="the recording begins at 2023-11-14T22:13:32Z, after its clock"):
        asyncio.run(opened(recording, "?from=1000").head())


def test_confirmations_count_to_a_recorded_block(recording: Path) -> None:
    chain = open_chain("arbitrum", CHAIN_ID, [f"file:{recording}"], confirmations=13)
    assert asyncio.run(chain.finalized()) == WORLD.headers[185]  # 186 is not recorded


def test_a_recording_answers_the_calls_that_were_heard_and_tells_what_is_missing(
    rpc: RpcServer, tmp_path: Path
) -> None:
    site = rpc.add(Site(WORLD, contracts={POOLS[0]: 50}))

    async def listen(chain: Chain) -> HeardCalls:
        heard = HeardCalls()
        chain.hear(heard)
        await chain.call(POOLS[0], b"\x31", 50)
        await chain.call(POOLS[0], b"\x32")
        with pytest.raises(Invalid):
            await chain.call(POOLS[0], bytes.fromhex("dead"), 50)
        assert [await chain.code_at(pool) for pool in POOLS[:2]] == [b"\x60\x01", b""]
        return heard

    heard = run(chain_of(site), listen)
    assert heard.contracts == (POOLS[0],)
    facts = msgspec.structs.replace(FACTS, calls=heard.calls, contracts=heard.contracts)
    path = write(tmp_path / "calls.gz", facts=facts)

    def asked(payload: bytes, block: int | None, options: str = "") -> bytes:
        return asyncio.run(opened(path, options).call(POOLS[0], payload, block))

    answer = bytes.fromhex(POOLS[0][2:])
    assert (asked(b"\x31", 50), asked(b"\x32", None)) == (answer + b"\x31", answer + b"\x32")
    with pytest.raises(Invalid, match="refused the call when it was recorded"):
        asked(bytes.fromhex("dead"), 50)
    with pytest.raises(
        NoneCanAnswer, match=r"the call 0x31 to 0xa1a1.* at block 51 is not in the recording: record it"
    ):
        asked(b"\x31", 51)
    with pytest.raises(NoneCanAnswer, match="block 50 of a call is later than the recording's head"):
        asked(b"\x31", 50, f"?from={GENESIS_TIME + 12 * 49}")
    assert [asyncio.run(opened(path).code_at(pool)) for pool in POOLS[:2]] == [b"\x01", b""]


def test_a_call_that_is_not_recorded_is_asked_of_the_next_endpoint(rpc: RpcServer, recording: Path) -> None:
    site = rpc.add(Site(WORLD))
    chain = open_chain("arbitrum", CHAIN_ID, [f"file:{recording}", site.url], clock=HandClock().clock())
    assert run(chain, lambda chain: chain.call(POOLS[0], b"\x31", 50)) == bytes.fromhex(POOLS[0][2:]) + b"\x31"


def test_without_calls_the_first_line_is_as_before_there_were_any(recording: Path) -> None:
    line = json.loads(gzip.decompress(recording.read_bytes()).split(b"\n")[0])
    assert list(line) == ["loyalty_recording", "chain", "finality_seconds", "pools", "program", "prices"]


def test_the_last_block_at_a_time_is_the_last_recorded_one(recording: Path) -> None:
    for time_asked in range(KEPT[0].time, KEPT[-1].time, 7):
        expected = [header for header in KEPT if header.time <= time_asked][-1]
        assert asyncio.run(opened(recording).last_block_at(time_asked)) == expected


def test_a_recording_without_calls_tells_what_is_missing(recording: Path) -> None:
    clock = HandClock()
    with pytest.raises(
        Unavailable, match=r"arbitrum endpoint 1: the call 0x to .* at the head is not in the recording"
    ):
        asyncio.run(opened(recording, clock=clock).call(POOLS[0], b""))
    assert clock.slept == []


def test_a_recording_of_another_chain_is_refused(recording: Path) -> None:
    chain = open_chain("base", 8453, [f"file:{recording}"])
    with pytest.raises(
        Invalid, match="base endpoint 1 is of the chain with id 42161, but the program file says id 8453"
    ):
        asyncio.run(chain.check())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("?speed=0", "speed is '0', but must be a number above zero"),
        ("?speed=fast", "speed is 'fast'"),
        ("?form=1", "has no option 'form'"),
        ("?from=today", "'today' is not a time"),
    ],
)
def test_a_wrong_option_is_refused(recording: Path, options: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        opened(recording, options)


def test_the_same_blocks_give_the_same_bytes_and_nothing_else_is_left(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.gz"), write(tmp_path / "b.gz")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gz", "b.gz"]


def test_a_recording_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz")
    before = path.read_bytes()
    with pytest.raises(Invalid, match="block 1 cannot be recorded after block 2"):
        write(path, kept=[WORLD.headers[2], WORLD.headers[1]])
    assert [path.read_bytes()] == [each.read_bytes() for each in tmp_path.iterdir()] == [before]


def test_a_log_of_another_block_is_not_recorded(tmp_path: Path) -> None:
    writer = RecordingWriter.open(tmp_path / "a.gz", FACTS)
    log = next(log for log in WORLD.logs if log.block > 3)
    with pytest.raises(Invalid, match="is not of block 3"):
        writer.add_block(WORLD.headers[3], [log])
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def lines_of(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def with_end(lines: list[bytes]) -> bytes:
    """The lines with a right last line."""
    blocks = [json.loads(line) for line in lines[1:]]
    end = {
        "blocks": len(blocks),
        "logs": sum(len(block["l"]) for block in blocks),
        "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
    }
    return b"".join(lines) + json.dumps({"end": end}, separators=(",", ":")).encode() + b"\n"


def changed_block(lines: list[bytes], **changes: Any) -> bytes:
    block = {**json.loads(lines[8]), **changes}
    return with_end([*lines[:8], json.dumps(block).encode() + b"\n", *lines[9:-1]])


DAMAGES: dict[str, tuple[Callable[[list[bytes]], bytes], str]] = {
    "last line missing": (lambda lines: b"".join(lines[:-1]), "cut short: its last line is missing"),
    "half a line missing": (lambda lines: b"".join(lines)[:-20], "cut short: its last line is not complete"),
    "a block missing": (lambda lines: b"".join([*lines[:9], *lines[10:]]), "cut short: 132 blocks and "),
    "a letter changed": (lambda lines: b"".join(lines).replace(b"tBTC", b"xBTC"), "damaged: its checksum is wrong"),
    "something after the end": (lambda lines: b"".join([*lines, b"{}\n"]), "its last line is missing"),
    "another version": (lambda lines: b"".join(lines).replace(b'recording":1', b'recording":2'), "format version 2"),
    "not a recording": (lambda lines: b'{"hello": 1}\n', "damaged: line 1: .*loyalty_recording"),
    "no JSON": (lambda lines: b"hello\nthere\n", "damaged: line 1"),
    "empty": (lambda lines: b"", "cut short"),
    "blocks out of order": (
        lambda lines: with_end([*lines[:9], lines[10], lines[9], *lines[11:-1]]),
        "damaged: line 11: block .* is not later",
    ),
    "no child of its parent": (lambda lines: changed_block(lines, p="0x" + "77" * 32), "is no child of block"),
    "a hash of 31 bytes": (lambda lines: changed_block(lines, h="0x" + "77" * 31), "31 bytes came where 32"),
    "a log without topics": (lambda lines: changed_block(lines, l=[[1, POOLS[0]]]), "damaged: line 9"),
    "an address in upper case": (
        lambda lines: changed_block(lines, l=[[1, POOLS[0].upper(), [], "0x", "0x" + "11" * 32]]),
        "not an address in lower case",
    ),
    "no block": (lambda lines: with_end(lines[:1]), "holds no block"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_recording_is_refused(recording: Path, damage: str) -> None:
    change, message = DAMAGES[damage]
    recording.write_bytes(gzip.compress(change(lines_of(recording))))
    with pytest.raises(Invalid, match=message) as caught:
        opened(recording)
    assert str(recording) in str(caught.value)


@pytest.mark.parametrize("kept", [0, 5, 0.5, 0.999])
def test_a_recording_cut_short_on_the_disk_is_refused(recording: Path, kept: float) -> None:
    content = recording.read_bytes()
    recording.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])
    with pytest.raises(Invalid, match=r"is (cut short|damaged)"):
        opened(recording)


def test_a_recording_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nowhere\.gz does not exist"):
        opened(tmp_path / "nowhere.gz")
    with pytest.raises(Invalid, match="cannot be read"):
        open_chain("arbitrum", CHAIN_ID, [f"file://{tmp_path}"])
    (tmp_path / "plain.gz").write_text("hello")
    with pytest.raises(Invalid, match="cannot be unpacked"):
        opened(tmp_path / "plain.gz")


def test_a_recording_stands_in_where_a_server_can(recording: Path) -> None:
    chain = open_chain("arbitrum", CHAIN_ID, ["http://127.0.0.1:1/", f"file:{recording}"], clock=HandClock().clock())

    async def read() -> list[RawLog]:
        try:
            return await chain.logs([WORLD.query()])
        finally:
            await chain.close()

    assert asyncio.run(read()) == recorded_logs()


def test_a_large_recording_is_opened_in_no_time(tmp_path: Path) -> None:
    world = make_world(seed=6, blocks=12_000)
    by_block: dict[int, list[RawLog]] = {}
    for log in world.logs:
        by_block.setdefault(log.block, []).append(log)
    path = tmp_path / "large.gz"
    with RecordingWriter.open(path, FACTS) as writer:
        for header in world.headers:
            writer.add_block(header, by_block.get(header.number, []))
    began = time.perf_counter()
    chain = opened(path)
    assert time.perf_counter() - began < 5  # about 0.3 s for 24,000 logs on an idle machine
    found = asyncio.run(chain.logs([LogQuery(POOLS[:1], (), Span(0, 12_000))]))
    assert found == [log for log in world.logs if log.address == Address(POOLS[0])]
