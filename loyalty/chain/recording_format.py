"""The recording format, version 1: a chain's logs and headers in one gzip file of JSON lines.

First line: {"loyalty_recording": 1, "chain": {"name", "id"}, "finality_seconds", "pools": [{"address", "token0",
"token1", "decimals0", "decimals1", "fee_pips", "tick_spacing", "symbol0", "symbol1"}], "program", "prices": [{"symbol",
"points": [[valid time, price as an integer, its decimals, source], …]}], "calls": [[contract, payload, block or null
for the head, answer or null where the contract refuses], …], "contracts": [address, …]}. `calls` and `contracts`, the
addresses that have code, are left out where none were recorded. `program` is the text of the program file
that the recording was made under, or null; the symbols may be left out.

Then one line a block that has logs or is worth keeping, ascending: {"n": number, "h": hash, "p": parent hash or null,
"t": time, "l": [[log index, address, [topic, …], data, transaction hash], …]}, with hexadecimal strings as in JSON-RPC.

Last line: {"end": {"blocks": N, "logs": M, "sha256": of all the lines before with their line feeds}}.
"""

from typing import Any, NamedTuple

import msgspec

from loyalty.core.address import Address

VERSION = 1


class RecordedPool(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a pool's contract said of itself."""

    address: str
    token0: str
    token1: str
    decimals0: int
    decimals1: int
    fee_pips: int
    tick_spacing: int
    symbol0: str | None = None
    symbol1: str | None = None


class RecordedPoint(NamedTuple):
    """One price: `price` USD per whole token at `decimals`, valid from `valid_time` (unix seconds) on."""

    valid_time: int
    price: int
    decimals: int
    source: str


class RecordedPrices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: str
    points: tuple[RecordedPoint, ...] = ()


class RecordedCall(NamedTuple):
    """What a contract answered at the end of a block (None: at the head); None where it refused. Hexadecimal."""

    to: str
    payload: str
    block: int | None
    answer: str | None


class RecordedChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    id: int


class RecordingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The first line. A block is final when it is `finality_seconds` older than the recording's head or clock."""

    loyalty_recording: int = VERSION
    chain: RecordedChain
    finality_seconds: int = 0
    pools: tuple[RecordedPool, ...] = ()
    program: str | None = None
    prices: tuple[RecordedPrices, ...] = ()
    calls: tuple[RecordedCall, ...] = ()
    contracts: tuple[str, ...] | None = None

    def first_line(self) -> dict[str, Any]:
        """What is written: without calls and contracts where none were recorded, as before there were any."""
        left_out = {"calls"} if not self.calls else set()
        left_out |= {"contracts"} if self.contracts is None else set()
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name not in left_out}

    @property
    def holds_contracts(self) -> bool:
        """Whether it was kept what contracts answered; recordings made by earlier releases do not have it."""
        return self.contracts is not None or bool(self.calls)

    def pool(self, address: Address) -> RecordedPool | None:
        """What the recording says of this pool; None where the pool is not in it."""
        return next((pool for pool in self.pools if pool.address.lower() == address), None)


class Version(msgspec.Struct):
    """Of the first line, what is read before anything else."""

    loyalty_recording: int


class LoggedLine(NamedTuple):
    """One log of a block's line."""

    log_index: int
    address: str
    topics: tuple[str, ...]
    data: str
    transaction_hash: str


class BlockLine(msgspec.Struct, gc=False):
    """One block. Its logs are in the order of their index."""

    n: int
    h: str
    p: str | None
    t: int
    l: tuple[LoggedLine, ...]  # noqa: E741 - the format's word


class EndOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    blocks: int
    logs: int
    sha256: str


class EndLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last line: without it, a recording is cut short."""

    end: EndOf
