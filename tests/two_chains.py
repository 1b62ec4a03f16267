"""The recorded demo chain and beside it the river, a chain that a server on loopback makes up, with one quiet pool."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loyalty.core.address import Address
from loyalty.core.times import parse_time
from loyalty.protocols.uniswap_v3.contract import POOL_CALLS
from loyalty.protocols.view_call import DECIMALS
from tests.chain.rpc_server import Reply, RpcError, Site
from tests.chain.world import World, make_world
from tests.processes import CHECKOUT

RIVER_ID = 7
POOL, ONE, TWO = (Address("0x" + digits * 20) for digits in ("99", "c1", "c2"))
BLOCKS = 300
_ANSWERS = dict(zip((call.payload for call in POOL_CALLS), (int(ONE, 16), int(TWO, 16), 500, 10), strict=True))

_TABLES = f"""
[[chains]]
name = "river"
id = {RIVER_ID}

[[tokens]]
symbol = "ONE"
chain = "river"
address = "{ONE}"
decimals = 18
price = {{ fixed = "1" }}

[[tokens]]
symbol = "TWO"
chain = "river"
address = "{TWO}"
decimals = 18
price = {{ fixed = "1" }}

[[pools]]
chain = "river"
protocol = "uniswap_v3"
address = "{POOL}"
start_block = 10
tokens = ["ONE", "TWO"]
"""


@dataclass
class River(Site):
    """A pool that nobody uses, and its tokens."""

    def eth_call(self, call: dict[str, str], tag: str) -> str:
        payload = bytes.fromhex(call["data"][2:])
        if payload == DECIMALS.payload:
            return "0x" + (18).to_bytes(32).hex()
        if call["to"].lower() != POOL or payload not in _ANSWERS:
            raise RpcError(3, "execution reverted")
        return "0x" + _ANSWERS[payload].to_bytes(32).hex()


def river(start: str = "2026-04-19T23:50:00Z", blocks: int = BLOCKS) -> River:
    """Blocks every 12 seconds from `start` on, final ten below the head."""
    made = make_world(1, blocks, 0)
    first = parse_time(start)
    headers = tuple(header._replace(time=first + 12 * header.number) for header in made.headers)
    contracts = dict.fromkeys((POOL, ONE, TWO), 0)
    return River(World(headers, ()), chain_id=RIVER_ID, finalized=blocks - 11, contracts=contracts)


def down(site: Site, questions: list[dict[str, Any]], honest: Reply) -> Reply:
    """The server is there, and answers nothing."""
    return Reply(b"", 503)


def write_program(folder: Path) -> Path:
    """The demo's program with the river's pool in it, beside copies of its price files."""
    for prices in (CHECKOUT / "programs").glob("demo-prices-*.csv"):
        shutil.copy(prices, folder / prices.name)
    path = folder / "program.toml"
    path.write_text((CHECKOUT / "programs" / "demo-one-chain.toml").read_text() + _TABLES)
    return path
