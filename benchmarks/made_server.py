"""Answers JSON-RPC about a made-up chain from answers that are serialised already, as a process of its own.

python -m benchmarks.made_server LOGS        prints its port, and ends with its standard input
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from benchmarks.made_chain import CHAIN_ID, FINAL_BEHIND, MadeChain


def main() -> None:
    chain = MadeChain(1).grow(int(sys.argv[1]))
    threading.Thread(target=_end_with_input, daemon=True).start()
    asyncio.run(_serve(chain))


@contextlib.contextmanager
def serving(logs: int) -> Iterator[str]:
    """The URL of a server with at least so many logs."""
    command = [sys.executable, "-m", "benchmarks.made_server", str(logs)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


async def _serve(chain: MadeChain) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                parts = answer(chain, json.loads(await reader.readexactly(length)))
                size = sum(map(len, parts))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size)
                writer.writelines(parts)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def answer(chain: MadeChain, question: Any) -> list[bytes]:
    """The body's parts; logs are joined as they are."""
    if isinstance(question, list):
        bodies = [b"".join(answer(chain, one)) for one in question]
        return [b"[", b",".join(bodies), b"]"]
    start = b'{"jsonrpc":"2.0","id":%d,"result":' % question["id"]
    params = question["params"]
    match question["method"]:
        case "eth_chainId":
            return [start, b'"%s"}' % hex(CHAIN_ID).encode()]
        case "eth_getLogs":
            wanted = params[0]
            first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            addresses = [wanted["address"]] if isinstance(wanted["address"], str) else wanted["address"]
            logs = chain.select(first, last, addresses, _words(wanted.get("topics", [])))
            return [start, b"[", b",".join(logs), b"]}"]
        case "eth_getBlockByNumber":
            return [start, json.dumps(chain.header(_number(chain, params[0]))).encode(), b"}"]
        case "eth_getCode":
            return [start, b'"0x6001"}']
        case "eth_call":
            return [start, b'"%s"}' % _CALLS[params[0]["data"]].encode()]
    raise ValueError(f"{question['method']} is not served")


def _words(topics: list[Any]) -> list[list[str] | None]:
    return [[each] if isinstance(each, str) else each for each in topics]


def _number(chain: MadeChain, tag: str) -> int:
    head = len(chain.blocks) - 1
    named = {"latest": head, "finalized": max(0, head - FINAL_BEHIND)}
    return named[tag] if tag in named else int(tag, 16)


def _word(value: int) -> str:
    return f"0x{value:064x}"


TOKEN0, TOKEN1 = "0x" + "10" * 20, "0x" + "20" * 20
_CALLS = {
    "0x0dfe1681": _word(int(TOKEN0, 16)),
    "0xd21220a7": _word(int(TOKEN1, 16)),
    "0xddca3f43": _word(3_000),
    "0xd0c93a7c": _word(60),
    "0x313ce567": _word(18),
}
"""What the pool and its tokens answer: token0, token1, fee, tickSpacing, decimals."""

if __name__ == "__main__":
    main()
