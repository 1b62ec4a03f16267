"""How long the demo takes to stand at week 22: indexed, priced, accrued and settled, into a new database.

python -m benchmarks.demo [--json]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from loyalty.config import load_settings
from loyalty.service import Engine

ROOT = Path(__file__).parent.parent
RECORDING = ROOT / "loyalty/demo/recording.jsonl.gz"
BEGINS = "2026-09-14T00:00:00Z"
"""The start of week 22, where the demo's clock begins."""
WANTED_SECONDS = 20


class Stage(NamedTuple):
    name: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    stages = measure()
    if parser.parse_args().json:
        print(json.dumps({stage.name: stage.seconds for stage in stages}))
        return
    for stage in stages:
        print(f"{stage.name:10} {stage.seconds:6.2f} s")
    print(f"{'together':10} {sum(stage.seconds for stage in stages):6.2f} s; under {WANTED_SECONDS} s is wanted")


def measure() -> list[Stage]:
    """Each job once, in the worker's order, with the demo's clock standing at its beginning."""
    stages: list[Stage] = []

    def timed(name: str, job: Callable[[], object]) -> None:
        began = time.perf_counter()
        job()
        stages.append(Stage(name, time.perf_counter() - began))

    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "LOYALTY_PROGRAM": str(ROOT / "programs/demo-one-chain.toml"),
            "LOYALTY_DATABASE": str(Path(folder) / "loyalty.db"),
            "LOYALTY_RPC_DEMO": f"file:{RECORDING}?from={BEGINS}",
        }
        with Engine.open(load_settings(variables, None)) as engine, engine.lock():
            timed("prepare", engine.prepare)
            timed("price", engine.price)
            timed("index", lambda: [engine.index(chain.id) for chain in engine.program.chains])
            timed("accrue", engine.accrue)
            timed("settle", engine.settle)
    return stages


if __name__ == "__main__":
    main()
