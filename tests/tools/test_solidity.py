"""The compiler: sources of the project become contracts that run on the node, and faults are told."""

from pathlib import Path

import pytest

from loyalty.core.address import Address
from loyalty.core.errors import Invalid, NotFound
from tools.evm.functions import function
from tools.evm.node import Node, Transaction
from tools.evm.solidity import creation_code

DEPLOYER = Address("0x" + "de" * 20)
ALICE = Address("0x" + "a1" * 20)
CURVE = Path(__file__).parent.parent / "contracts" / "curve"


def test_a_compiled_contract_does_on_the_node_what_its_source_says() -> None:
    mint = function("mint", ["address", "uint256"])
    supply = function("totalSupply", results=["uint256"])
    decimals = function("decimals", results=["uint8"])
    with Node(1_700_000_000) as node:
        coin = node.create(DEPLOYER, creation_code(CURVE, "Coin", "A coin", "COIN", 6))
        node.mine([Transaction(ALICE, coin, mint(ALICE, 1_234_567))])
        assert supply.answer(node.call(coin, supply())) == (1_234_567,)
        assert decimals.answer(node.call(coin, decimals())) == (6,)


def test_a_contract_that_no_source_has_is_told() -> None:
    with pytest.raises(NotFound, match="no source has a contract Purse"):
        creation_code(CURVE, "Purse")


def test_sources_that_do_not_compile_are_told_with_the_compilers_words(tmp_path: Path) -> None:
    (tmp_path / "Wrong.sol").write_text("pragma solidity ^0.8.20; contract Wrong { uint256 a = true; }")
    with pytest.raises(Invalid, match="Type bool is not implicitly convertible"):
        creation_code(tmp_path, "Wrong")
