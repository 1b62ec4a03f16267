"""A real anvil node on a loopback port of its own, whose blocks come only when asked for and at the time asked for."""

import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import LoyaltyError, Unavailable
from tools.evm.packages import anvil_binary
from tools.evm.rpc import Connection, RpcError

BLOCK_SECONDS = 12
CHAIN_ID = 31337
"""Of a node that is told no other."""
_GAS = hex(12_000_000)
_FLAGS = (
    *("--host", "127.0.0.1", "--port", "0", "--no-mining", "--order", "fifo", "--auto-impersonate"),
    # London has no random number in its headers: the same transactions at the same times give the same hashes.
    *("--hardfork", "london", "--accounts", "1", "--gas-price", "0", "--block-base-fee-per-gas", "0"),
    *("--disable-min-priority-fee", "--disable-block-gas-limit", "--no-cors", "--disable-default-create2-deployer"),
)


class RevertedError(LoyaltyError):
    """A transaction that failed on the chain."""

    code = "reverted"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What `sender` (any address: none needs a key or ether here) sends; `to` is None when it creates a contract."""

    sender: Address
    to: Address | None
    data: bytes

    def as_json(self) -> dict[str, str]:
        fields = {"from": self.sender, "data": "0x" + self.data.hex(), "gas": _GAS, "gasPrice": "0x0"}
        return fields if self.to is None else {**fields, "to": self.to}


@dataclass(frozen=True, slots=True)
class Block:
    """A mined block and the receipts of its transactions, in order, as the node writes them."""

    header: Header
    receipts: Sequence[dict[str, Any]]


class Node:
    """One anvil process. Use as a context manager, or call `stop`."""

    def __init__(self, time: int, flags: Sequence[str] = (), *, chain_id: int = CHAIN_ID) -> None:
        """Starts anvil with the genesis block at `time` (unix seconds) and waits until it listens.

        `flags` are added to the command line, such as "--slots-in-an-epoch", "32" or "--prune-history".
        """
        command = [str(anvil_binary()), *_FLAGS, "--timestamp", str(time), "--chain-id", str(chain_id), *flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        self._output: IO[str] = self._process.stdout
        self.port = self._wait_for_port()
        self._drain = threading.Thread(target=self._read_output, daemon=True)
        self._drain.start()
        self._connection = Connection("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        """Where JSON-RPC is spoken."""
        return f"http://127.0.0.1:{self.port}"

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC request; raises RpcError."""
        return self._connection.request(method, *params)

    def header(self, block: int | str = "latest") -> Header:
        """The header of a block, by number or tag."""
        found = self.rpc("eth_getBlockByNumber", hex(block) if isinstance(block, int) else block, False)
        return Header(int(found["number"], 16), found["hash"], found["parentHash"], int(found["timestamp"], 16))

    def mine(self, transactions: Sequence[Transaction] = (), time: int | None = None) -> Block:
        """A block with exactly these transactions in this order, at `time` or 12 seconds after the last block.

        Raises RevertedError when one of them fails; the block stays.
        """
        at = self.header().time + BLOCK_SECONDS if time is None else time
        for transaction in transactions:
            self.rpc("eth_sendTransaction", transaction.as_json())
        self.rpc("evm_mine", {"timestamp": at})
        header = self.header()
        receipts = self.rpc("eth_getBlockReceipts", hex(header.number)) if transactions else []
        self._demand_success(transactions, receipts, header.number)
        return Block(header, receipts)

    def mine_at(self, time: int) -> Header:
        """An empty block at `time`."""
        return self.mine(time=time).header

    def call(self, to: Address, data: bytes, block: int | str = "latest", sender: Address | None = None) -> bytes:
        """What the contract `to` answers, in the state after `block`; raises RevertedError."""
        fields = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        try:
            answer: str = self.rpc("eth_call", fields, hex(block) if isinstance(block, int) else block)
        except RpcError as error:
            raise RevertedError(f"a call to {to} failed: {error}") from error
        return bytes.fromhex(answer[2:])

    def create(self, sender: Address, code: bytes) -> Address:
        """The address of the contract that `code` (creation code with its arguments) creates, in a block of its own."""
        receipt = self.mine([Transaction(sender, None, code)]).receipts[0]
        return Address(receipt["contractAddress"].lower())

    def snapshot(self) -> str:
        """Remembers the present state; `revert` goes back to it."""
        name: str = self.rpc("evm_snapshot")
        return name

    def revert(self, snapshot: str) -> None:
        """Back to `snapshot`, which is used up; raises RpcError when there is none of that name."""
        if not self.rpc("evm_revert", snapshot):
            raise RpcError(f"evm_revert: there is no snapshot {snapshot}")

    def stop(self) -> None:
        """Ends the process and waits for its end."""
        self._connection.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._drain.join()
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _wait_for_port(self) -> int:
        """anvil binds a free port by itself and says which: nobody else can take it in between."""
        said = []
        for line in self._output:
            said.append(line.strip())
            if line.startswith("Listening on "):
                return int(line.rsplit(":", 1)[1])
        code = self._process.wait()
        self._output.close()
        raise Unavailable(f"anvil ended with exit code {code} before it listened: {' '.join(said)[-300:]}")

    def _read_output(self) -> None:
        """anvil writes a line for each request; a full pipe would stop it."""
        while self._output.read(65_536):
            pass

    def _demand_success(
        self, transactions: Sequence[Transaction], receipts: Sequence[dict[str, Any]], block: int
    ) -> None:
        if len(receipts) != len(transactions):
            raise RevertedError(f"block {block} took {len(receipts)} of {len(transactions)} transactions")
        for number, (transaction, receipt) in enumerate(zip(transactions, receipts, strict=True)):
            if receipt["status"] != "0x1":
                raise RevertedError(f"transaction {number} of block {block} failed: {self._reason(transaction, block)}")

    def _reason(self, transaction: Transaction, block: int) -> str:
        """Why it failed, as far as a call in the state before its block tells."""
        try:
            self.rpc("eth_call", transaction.as_json(), hex(block - 1))
        except RpcError as error:
            return str(error)
        return "it succeeds in the state before its block, so an earlier transaction of the block is in its way"
