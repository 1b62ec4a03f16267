"""Plays the demo's story on real nodes with real contracts and writes what the project keeps of it.

    python -m tools.record_demo [--seed SEED] [--into FOLDER] [--only first|second]

writes loyalty/demo/recording.jsonl.gz, programs/demo-prices-*.csv and tests/demo/truth.json of the first chain, and
loyalty/demo/second.jsonl.gz and tests/demo/second-truth.json of the second. The same seed gives the same facts, to the
last hash. The first takes five to nine minutes on two cores, the second some seconds; npm is needed the first time. See
loyalty/demo/README.md.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from loyalty.core.times import HOUR_SECONDS
from tools.demo.calendar import PROGRAM_START, STORY_END, week
from tools.demo.opening import GENESIS, opened
from tools.demo.recorded import interest
from tools.demo.recording_file import write_recording
from tools.demo.second.opening import CHAIN_ID as SECOND_CHAIN_ID
from tools.demo.second.opening import GENESIS as SECOND_GENESIS
from tools.demo.second.opening import opened as second_opened
from tools.demo.second.recording import write_recording as write_second_recording
from tools.demo.second.stage import SecondStage
from tools.demo.second.truth import SecondTruth
from tools.demo.stage import Stage
from tools.demo.truth import Truth
from tools.evm.node import Block, Node

ROOT = Path(__file__).parent.parent
SEED = "loyalty demo 1"
RECORDING = Path("loyalty/demo/recording.jsonl.gz")
SECOND_RECORDING = Path("loyalty/demo/second.jsonl.gz")
TRUTH = Path("tests/demo/truth.json")
SECOND_TRUTH = Path("tests/demo/second-truth.json")
_LOOKS = (1, 8, 12, 22)
"""The weeks at whose starts the contracts are asked, besides the end."""
_ROOM = ("--prune-history", "--transaction-block-keeper", "128")
"""anvil forgets old states and transactions: it would fill gigabytes with them."""


def record(seed: str, into: Path) -> Stage:
    """Plays the story with this seed and writes its files below `into`."""
    with Node(GENESIS, _ROOM) as node:
        stage = opened(seed, node)
        truth = Truth(stage)
        stage.play(STORY_END, {week(number): truth.look for number in _LOOKS})
        truth.look()
    for path in (RECORDING, TRUTH, Path("programs/demo-one-chain.toml")):
        (into / path).parent.mkdir(parents=True, exist_ok=True)
    write_recording(stage, interest(stage), into / RECORDING)
    (into / TRUTH).write_text(
        json.dumps(truth.written(), separators=(",", ":")).replace('"moments"', '\n"moments"') + "\n"
    )
    for symbol in ("WETH", "LOYAL"):
        prices = into / "programs" / f"demo-prices-{symbol.lower()}.csv"
        stage.market.write(symbol, prices, PROGRAM_START - 2 * HOUR_SECONDS, STORY_END)
    return stage


def record_second(seed: str, into: Path) -> SecondStage:
    """Plays the second chain's story with this seed and writes its recording below `into`."""
    with Node(SECOND_GENESIS, ("--prune-history", "--slots-in-an-epoch", "1"), chain_id=SECOND_CHAIN_ID) as node:
        stage = second_opened(seed, node)
        truth = SecondTruth(stage)
        stage.play(STORY_END, {week(number): truth.look for number in _LOOKS})
        truth.look()
        (into / SECOND_RECORDING).parent.mkdir(parents=True, exist_ok=True)
        write_second_recording(stage, ROOT / "programs" / "demo.toml", into / SECOND_RECORDING)
        (into / SECOND_TRUTH).parent.mkdir(parents=True, exist_ok=True)
        (into / SECOND_TRUTH).write_text(json.dumps(truth.moments, separators=(",", ":")) + "\n")
    return stage


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.record_demo", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", default=SEED, help="another seed is another story")
    parser.add_argument("--into", default=ROOT, type=Path, help="write below this folder instead of the project's own")
    parser.add_argument("--only", choices=("first", "second"), help="one of the two chains")
    options = parser.parse_args()
    if options.only != "second":
        began = time.monotonic()
        first = record(options.seed, options.into)
        told("first", first.blocks, options.into / RECORDING, began)
    if options.only != "first":
        began = time.monotonic()
        second = record_second(options.seed, options.into)
        told("second", second.blocks, options.into / SECOND_RECORDING, began)


def told(which: str, blocks: Sequence[Block], path: Path, began: float) -> None:
    """One line of what was recorded."""
    transactions = sum(len(block.receipts) for block in blocks)
    size, seconds = path.stat().st_size, time.monotonic() - began
    print(f"recorded chain={which} blocks={len(blocks)} transactions={transactions} bytes={size} seconds={seconds:.0f}")


if __name__ == "__main__":
    main()
