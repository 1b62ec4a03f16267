"""ERC-20 tokens: OpenZeppelin's, whose creator can mint."""

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from tools.evm.artifacts import TOKEN, creation_code
from tools.evm.functions import function
from tools.evm.node import Node

MAX_UINT256 = 2**256 - 1
MINT = function("mint", ["address", "uint256"])
APPROVE = function("approve", ["address", "uint256"])
BALANCE_OF = function("balanceOf", ["address"], ["uint256"])
DECIMALS = function("decimals", (), ["uint8"])
_DEFAULT_DECIMALS = 18
_DECIMALS_SLOT = 6
"""Where this contract keeps its decimals, in the lowest byte, beside `paused`."""


def create_token(node: Node, creator: Address, name: str, symbol: str, decimals: int) -> Address:
    """A new token. The contract knows only 18 decimals, so any others are written into its storage."""
    token = node.create(creator, creation_code(TOKEN, name, symbol))
    if decimals != _DEFAULT_DECIMALS:
        node.rpc("anvil_setStorageAt", token, f"{_DECIMALS_SLOT:#066x}", f"{decimals:#066x}")
        node.mine()
    (found,) = DECIMALS.answer(node.call(token, DECIMALS()))
    if found != decimals:
        raise Inconsistent(
            f"{symbol} at {token} says {found} decimals, not {decimals}: its storage is laid out otherwise"
        )
    return token
