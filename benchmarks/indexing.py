"""How fast logs come over HTTP into SQLite, beside a plain web3.py loop, and how much memory that takes.

    python -m benchmarks.indexing [--logs N] [--plain-logs N] [--memory-logs N N] [--json]

A local server answers from logs that are serialised already. `loyalty` indexes them as always, with all checks on; the
loop does get_logs, process_log and executemany. Each measurement is a process of its own.
"""

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.made_chain import CHAIN_ID, MANAGER, POOL, START_TIME
from benchmarks.made_server import TOKEN0, TOKEN1, serving
from loyalty.cli.application import collect_seldom
from loyalty.config import load_settings
from loyalty.core.times import time_text
from loyalty.service import Engine

WANTED_RATIO = 20
PLAIN_SPAN_BLOCKS = 2_000
ROUNDS = 2
MIB = 2**20


class Measured(NamedTuple):
    """One run: logs taken over HTTP, seconds, and the most memory that the process held, in MiB."""

    name: str
    logs: int
    seconds: float
    memory_mib: float

    @property
    def rate(self) -> float:
        return self.logs / self.seconds


def main() -> None:
    options = _arguments()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options.url)))
        return
    rows = measure(options.logs, options.plain_logs, options.memory_logs)
    if options.json:
        print(json.dumps([row._asdict() | {"rate": row.rate} for row in rows]))
    else:
        _print(rows)


def measure(logs: int, plain_logs: int, memory_logs: list[int]) -> list[Measured]:
    """`loyalty` over `logs` and the plain loop over `plain_logs`, the faster of two runs of each, taken in turns, for
    other work on the machine comes and goes; and `loyalty` over each of `memory_logs`."""
    turns = [
        (_of_child("loyalty", "loyalty", logs), _of_child("web3.py loop", "plain", plain_logs)) for _ in range(ROUNDS)
    ]
    return [
        *(min(rows, key=lambda row: row.seconds) for rows in zip(*turns, strict=True)),
        *(_of_child(f"loyalty, {count:,} logs", "loyalty", count) for count in memory_logs),
    ]


def _of_child(name: str, child: str, logs: int) -> Measured:
    with serving(logs) as url:
        command = [sys.executable, "-m", "benchmarks.indexing", "--child", child, "--url", url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measured(name, *json.loads(done.stdout))


def index_with_loyalty(url: str) -> tuple[int, float, float]:
    """The program's own path: endpoint, adapter, ledger with every check, one transaction a step."""
    collect_seldom()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.toml"
        program.write_text(_PROGRAM)
        variables = {
            "LOYALTY_PROGRAM": str(program),
            "LOYALTY_DATABASE": str(Path(folder) / "loyalty.db"),
            "LOYALTY_RPC_MADE": url,
        }
        with Engine.open(load_settings(variables, None)) as engine, engine.lock():
            engine.prepare()
            began = time.perf_counter()
            logs = 0
            while (step := engine.index_step(CHAIN_ID)) is not None:
                logs += getattr(step, "logs", 0)
            seconds = time.perf_counter() - began
    return logs, seconds, _memory_mib()


def index_plainly(url: str) -> tuple[int, float, float]:
    """get_logs over spans, process_log for each, executemany for each span."""
    from web3 import HTTPProvider, Web3

    web3 = Web3(HTTPProvider(url))
    contract = web3.eth.contract(abi=_ABI)
    events = {bytes(web3.keccak(text=_signature(abi))): contract.events[abi["name"]]() for abi in _ABI}
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder) / "plain.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "CREATE TABLE logs (block INTEGER, log_index INTEGER, address TEXT, event TEXT, arguments TEXT, "
            "transaction_hash BLOB, PRIMARY KEY (block, log_index))"
        )
        began = time.perf_counter()
        logs, head = 0, web3.eth.get_block("latest")["number"]
        for start in range(0, head + 1, PLAIN_SPAN_BLOCKS):
            span = {"fromBlock": start, "toBlock": min(start + PLAIN_SPAN_BLOCKS - 1, head)}
            found = web3.eth.get_logs({**span, "address": [web3.to_checksum_address(a) for a in (POOL, MANAGER)]})
            decoded = [events[bytes(log["topics"][0])].process_log(log) for log in found]
            rows = [
                (
                    e["blockNumber"],
                    e["logIndex"],
                    e["address"],
                    e["event"],
                    json.dumps(dict(e["args"])),
                    e["transactionHash"],
                )
                for e in decoded
            ]
            database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?)", rows)
            database.commit()
            logs += len(rows)
        seconds = time.perf_counter() - began
    database.close()
    return logs, seconds, _memory_mib()


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def _signature(abi: dict[str, Any]) -> str:
    return f"{abi['name']}({','.join(each['type'] for each in abi['inputs'])})"


def _event(name: str, *inputs: str) -> dict[str, Any]:
    """An ABI entry; "type name" or "type indexed name"."""
    listed = [
        {"type": words[0], "name": words[-1], "indexed": "indexed" in words}
        for words in (each.split() for each in inputs)
    ]
    return {"type": "event", "name": name, "anonymous": False, "inputs": listed}


_TICKS = ("int24 indexed tickLower", "int24 indexed tickUpper", "uint128 amount", "uint256 amount0", "uint256 amount1")
_ABI = [
    _event("Initialize", "uint160 sqrtPriceX96", "int24 tick"),
    _event("Mint", "address sender", "address indexed owner", *_TICKS),
    _event("Burn", "address indexed owner", *_TICKS),
    _event(
        "Swap",
        *("address indexed sender", "address indexed recipient", "int256 amount0", "int256 amount1"),
        *("uint160 sqrtPriceX96", "uint128 liquidity", "int24 tick"),
    ),
    _event("IncreaseLiquidity", "uint256 indexed tokenId", "uint128 liquidity", "uint256 amount0", "uint256 amount1"),
    _event("DecreaseLiquidity", "uint256 indexed tokenId", "uint128 liquidity", "uint256 amount0", "uint256 amount1"),
    _event("Transfer", "address indexed from", "address indexed to", "uint256 indexed tokenId"),
]
CHILDREN = {"loyalty": index_with_loyalty, "plain": index_plainly}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--logs", type=int, default=200_000)
    parser.add_argument("--plain-logs", type=int, default=20_000)
    parser.add_argument("--memory-logs", type=int, nargs=2, default=[100_000, 400_000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", choices=tuple(CHILDREN), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    return parser.parse_args()


def _print(rows: list[Measured]) -> None:
    for row in rows:
        speed = f"{row.seconds:>7.2f} s {row.rate:>9,.0f} logs/s"
        print(f"{row.name:22} {row.logs:>9,} logs {speed} {row.memory_mib:>5.0f} MiB")
    print(f"{rows[0].rate / rows[1].rate:.1f} times the web3.py loop; at least {WANTED_RATIO} is wanted")


_PROGRAM = f"""
[program]
name = "made"
start = {time_text(START_TIME)}
[[rewards]]
token = "A"
total = "1000"
[[chains]]
name = "made"
id = {CHAIN_ID}
rpc = ["http://127.0.0.1"]
position_managers = [{{ address = "{MANAGER}", start_block = 0 }}]
[[tokens]]
symbol = "A"
chain = "made"
address = "{TOKEN0}"
decimals = 18
price = {{ fixed = "1" }}
[[tokens]]
symbol = "B"
chain = "made"
address = "{TOKEN1}"
decimals = 18
price = {{ fixed = "1" }}
[[pools]]
chain = "made"
protocol = "uniswap_v3"
address = "{POOL}"
start_block = 0
tokens = ["A", "B"]
"""

if __name__ == "__main__":
    main()
