"""Two nodes as two chains of one program, kept in step: neither has a block that is older than the other's last."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loyalty.config import load_settings
from loyalty.core.times import time_text
from loyalty.service import Engine
from tests.integration.scene import GENESIS_TIME, START, write_prices
from tools.evm.node import BLOCK_SECONDS, CHAIN_ID, Block, Node, Transaction
from tools.evm.uniswap import DEPLOYER

AWAY_CHAIN_ID = 31338
_FINAL = ("--slots-in-an-epoch", "2")
"""Final four blocks behind the head."""
_CHECKOUT = Path(__file__).resolve().parents[2]
_AWAY_NONCE = 1_000
"""What is deployed there first has another address than anything on the home chain."""


@dataclass(frozen=True)
class Side:
    """One chain by its name in the program file."""

    name: str
    id: int
    node: Node


@dataclass(frozen=True)
class TwoChains:
    """`home` and `away`, and the folder in which programs and databases are made."""

    home: Side
    away: Side
    folder: Path

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.home, self.away

    @property
    def now(self) -> int:
        """The time of the newest block of both."""
        return max(side.node.header().time for side in self.sides)

    def mine(self, side: Side, transactions: Sequence[Transaction], time: int | None = None) -> Block:
        """A block on one side, at `time` or 12 seconds after the newest block of both."""
        return side.node.mine(transactions, self.now + BLOCK_SECONDS if time is None else time)

    def pass_time(self, time: int) -> None:
        """An empty block at `time` on both."""
        for side in self.sides:
            side.node.mine_at(time)

    def finish(self, time: int) -> None:
        """Empty blocks on both until the block at `time` is final."""
        self.pass_time(time)
        for _ in range(6):
            self.pass_time(self.now + BLOCK_SECONDS)

    def variables(self, program: Path, database: Path) -> dict[str, str]:
        """The environment of an installation over both nodes."""
        return {
            "LOYALTY_PROGRAM": str(program),
            "LOYALTY_DATABASE": str(database),
            "LOYALTY_BACKUP_FOLDER": str(database.parent / "backups"),
            **{f"LOYALTY_RPC_{side.name.upper()}": side.node.url for side in self.sides},
        }

    @contextmanager
    def engine(self, program: Path, database: str = "loyalty.db") -> Iterator[Engine]:
        """An engine over both nodes that holds the worker lock, prepared."""
        settings = load_settings(self.variables(program, self.folder / database), None)
        with Engine.open(settings) as engine, engine.lock():
            engine.prepare()
            yield engine

    def index_and_kill(self, program: Path, database: str, side: Side, block: int) -> None:
        """A process that indexes one chain up to a block, killed while it goes on once it has said that it indexed."""
        command = [sys.executable, "-m", "loyalty", "index", "--chain", side.name, "--until", str(block)]
        variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_CHECKOUT), "LOYALTY_LOG_LEVEL": "debug"}
        variables |= self.variables(program, self.folder / database)
        with subprocess.Popen(
            command, cwd=self.folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "indexed" in line:
                    process.kill()
                    return
        raise AssertionError(f"it ended by itself: {''.join(said)[-2_000:]}")

    def program(self, *tables: str, file_name: str = "program.toml", managers: str = "", epochs: int = 3) -> Path:
        """A program file of epochs of a day with `tables`, which the scenes write; prices lie beside it.

        `managers` are the home chain's position managers, as a list of inline tables.
        """
        write_prices(self.folder / "one.csv")
        path = self.folder / file_name
        chains = (_chain(self.home, managers), _chain(self.away, ""))
        head = _HEAD % {"start": time_text(START), "epochs": epochs}
        path.write_text("".join((head, *chains, *tables)))
        return path


_HEAD = """
[program]
name = "A program over two chains"
start = %(start)s
epochs = %(epochs)s
epoch = "1d"
settle_after = "1h"

[[rewards]]
token = "PAY"
total = "1000"

[[tokens]]
symbol = "PAY"
decimals = 18
price = { fixed = "0.5" }
"""


def _chain(side: Side, managers: str) -> str:
    return table(
        "chains",
        name=quoted(side.name),
        id=str(side.id),
        rpc=f'["{side.node.url}"]',
        position_managers=f"[{managers}]",
    )


def table(array: str, /, **keys: str) -> str:
    """One table of an array; values as TOML writes them, keys without a value left out."""
    lines = [f"{key.rstrip('_')} = {value}" for key, value in keys.items() if value]
    return "\n".join([f"\n[[{array}]]", *lines]) + "\n"


def quoted(text: str) -> str:
    return f'"{text}"'


def texts(*each: str) -> str:
    """A list of texts."""
    return f"[{', '.join(map(quoted, each))}]"


def token(symbol: str, side: Side, address: str, decimals: int, price: str = '{ fixed = "1" }') -> str:
    """A token of a chain; `price` as the program file writes its sources."""
    keys = {"symbol": quoted(symbol), "chain": quoted(side.name), "address": quoted(address)}
    return table("tokens", **keys, decimals=str(decimals), price=price)


@contextmanager
def two_chains(folder: Path) -> Iterator[TwoChains]:
    """Two new nodes, both with their genesis block a while before the program's start.

    Home forgets old states; the other chain keeps them, as answers of contracts on a grid of past blocks need it.
    """
    with (
        Node(GENESIS_TIME, (*_FINAL, "--prune-history")) as home,
        Node(GENESIS_TIME, _FINAL, chain_id=AWAY_CHAIN_ID) as away,
    ):
        away.rpc("anvil_setNonce", DEPLOYER, hex(_AWAY_NONCE))
        yield TwoChains(Side("home", CHAIN_ID, home), Side("away", AWAY_CHAIN_ID, away), folder)
