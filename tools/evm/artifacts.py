"""Creation code of the published, compiled contracts."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from loyalty.core.errors import Invalid
from tools.evm.packages import installed

_CORE = "@uniswap/v3-core/artifacts/contracts"
_PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"
FACTORY = f"{_CORE}/UniswapV3Factory.sol/UniswapV3Factory.json"
POSITION_MANAGER = f"{_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"
ROUTER = f"{_PERIPHERY}/SwapRouter.sol/SwapRouter.json"
TOKEN = "@openzeppelin/contracts/build/contracts/ERC20PresetMinterPauser.json"


@cache
def _artifact(path: str) -> dict[str, Any]:
    artifact: dict[str, Any] = json.loads((installed() / Path(path)).read_text())
    return artifact


def creation_code(path: str, *arguments: Any) -> bytes:
    """The code that creates the contract in the artifact at `path` with these constructor arguments."""
    artifact = _artifact(path)
    if artifact["linkReferences"]:
        raise Invalid(f"{path} needs libraries: {', '.join(artifact['linkReferences'])}")
    types = [i["type"] for entry in artifact["abi"] if entry["type"] == "constructor" for i in entry["inputs"]]
    return bytes.fromhex(artifact["bytecode"].removeprefix("0x")) + encode(types, arguments)
