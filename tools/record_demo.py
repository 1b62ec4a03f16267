"""Plays the demo's story on a real node with the real contracts and writes what the project keeps of it.

    python -m tools.record_demo [--seed SEED] [--into FOLDER]

writes loyalty/demo/recording.jsonl.gz, programs/demo-prices-*.csv and tests/demo/truth.json. The same seed gives the
same facts, to the last hash. It takes five to nine minutes on two cores, and needs npm the first time. See
loyalty/demo/README.md.
"""

import argparse
import json
import time
from pathlib import Path

from loyalty.core.times import HOUR_SECONDS
from tools.demo.calendar import PROGRAM_START, STORY_END, week
from tools.demo.opening import GENESIS, opened
from tools.demo.recorded import interest
from tools.demo.recording_file import write_recording
from tools.demo.stage import Stage
from tools.demo.truth import Truth
from tools.evm.node import Node

ROOT = Path(__file__).parent.parent
SEED = "loyalty demo 1"
RECORDING = Path("loyalty/demo/recording.jsonl.gz")
TRUTH = Path("tests/demo/truth.json")
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.record_demo", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", default=SEED, help="another seed is another story")
    parser.add_argument("--into", default=ROOT, type=Path, help="write below this folder instead of the project's own")
    options = parser.parse_args()
    began = time.monotonic()
    stage = record(options.seed, options.into)
    transactions = sum(len(block.receipts) for block in stage.blocks)
    size = (options.into / RECORDING).stat().st_size
    seconds = time.monotonic() - began
    print(
        f"recorded blocks={len(stage.blocks)} transactions={transactions} tokens={len(stage.opened)} "
        f"bytes={size} seconds={seconds:.0f}"
    )


if __name__ == "__main__":
    main()
