"""Uniswap V3's first 25 hours on Ethereum, 2,321 real logs, through the ordinary path: endpoint, indexer, database."""

import gzip
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from loyalty.chain.record import RecordingWriter
from loyalty.chain.recording_format import RecordedChain, RecordedPool, RecordingFacts
from loyalty.config import load_settings
from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.logs import RawLog
from loyalty.jobs.verify import verify
from loyalty.service import Engine

FIRST_DAY = Path(__file__).resolve().parents[3] / "shared" / "data" / "uniswap-v3-first-day" / "logs.jsonl.gz"
POOL_CREATED = "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118"
INITIALIZE = "0x98636036cb66a9c19a37435efc1e90142190214e8abeb821bdba3f2990dd4c95"

pytestmark = pytest.mark.skipif(not FIRST_DAY.exists(), reason="the shared data is not here")


def raw_log(log: dict[str, Any]) -> RawLog:
    return RawLog(
        block=int(log["blockNumber"], 16),
        log_index=int(log["logIndex"], 16),
        time=int(log["blockTimestamp"], 16),
        address=Address(log["address"].lower()),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
        data=bytes.fromhex(log["data"][2:]),
        transaction_hash=bytes.fromhex(log["transactionHash"][2:]),
        block_hash=log["blockHash"],
    )


def created_pools(logs: list[dict[str, Any]]) -> Iterator[RecordedPool]:
    """What the factory said of each pool that was initialized. Decimals are not in the logs: 18 stands in for all."""
    initialized = {log["address"].lower() for log in logs if log["topics"][0] == INITIALIZE}
    for log in logs:
        address = "0x" + log["data"][-40:]
        if log["topics"][0] == POOL_CREATED and address in initialized:
            token0, token1 = ("0x" + topic[-40:] for topic in log["topics"][1:3])
            fee, spacing = int(log["topics"][3], 16), int(log["data"][2:66], 16)
            yield RecordedPool(address, token0, token1, 18, 18, fee, spacing)


def symbol(token: str) -> str:
    return f"T{token[2:14]}"


def program_text(pools: list[RecordedPool], start_block: int) -> str:
    lines = [
        '[program]\nname = "First day"\nstart = 2021-05-04T00:00:00Z\nepochs = 1',
        '[[rewards]]\ntoken = "R"\ntotal = "1000"\n[[tokens]]\nsymbol = "R"\ndecimals = 18',
        '[[chains]]\nname = "ethereum"\nid = 1\nrpc = ["file:first-day.jsonl.gz"]',
    ]
    lines += [
        f'[[tokens]]\nsymbol = "{symbol(token)}"\nchain = "ethereum"\naddress = "{token}"\ndecimals = 18\n'
        'price = { fixed = "0.000001" }'  # with 18 decimals for all of them, dollars would not fit
        for token in sorted({token for pool in pools for token in (pool.token0, pool.token1)})
    ]
    lines += [
        f'[[pools]]\nchain = "ethereum"\nprotocol = "uniswap_v3"\naddress = "{pool.address}"\n'
        f'start_block = {start_block}\ntokens = ["{symbol(pool.token0)}", "{symbol(pool.token1)}"]'
        for pool in pools
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("until", [[], [12_370_000, 12_373_333]], ids=["at once", "in three pieces"])
def test_every_swap_of_the_first_day_agrees_with_the_indexed_positions(tmp_path: Path, until: list[int]) -> None:
    with gzip.open(FIRST_DAY, "rt") as file:
        logs = [json.loads(line) for line in file]
    pools = list(created_pools(logs))
    facts = RecordingFacts(chain=RecordedChain("ethereum", 1), pools=tuple(pools))
    with RecordingWriter.open(tmp_path / "first-day.jsonl.gz", facts) as recording:
        for number, block in groupby(map(raw_log, logs), key=lambda log: log.block):
            of_block = list(block)
            recording.add_block(Header(number, of_block[0].block_hash, "", of_block[0].time), of_block)
    program = tmp_path / "program.toml"
    program.write_text(program_text(pools, int(logs[0]["blockNumber"], 16)))
    environment = {"LOYALTY_PROGRAM": str(program), "LOYALTY_DATABASE": str(tmp_path / "first-day.db")}
    with Engine.open(load_settings(environment, None)) as engine:
        engine.prepare()
        engine.price()
        for block in [*until, None]:
            engine.index(1, block)
        engine.accrue()
        report = verify(engine.state)
    assert len(pools) == 165
    assert report.faults == ()
    assert report.swaps == 1_001 + 165  # each checked against the positions, and each pool's Initialize
