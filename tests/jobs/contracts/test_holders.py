"""Contracts that are looked through are asked once; what contradicts the chain or the database is refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty.chain.chain import Chain
from loyalty.config import LookThroughSettings, Program, load_program, load_settings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Conflict, Invalid
from loyalty.jobs.contracts.holders import check_holder, unknown_holders
from loyalty.jobs.followers.nft_staker import staker_of
from loyalty.jobs.prepare import Prepared, prepare, unknown_pools
from loyalty.protocols.vaults.erc4626.contract import TOTAL_SUPPLY
from loyalty.state import State, StateTransaction, days, followed_contracts
from tests.jobs.played_chain import CHAIN, PlayedEndpoint
from tests.jobs.stage import NOW
from tests.jobs.test_prepare import MANAGERS, TEXT, contract

VAULT, SHARES, STAKER = (Address("0x" + digits * 20) for digits in ("aa", "ab", "bb"))
BY_SHARES = f"""
[[look_through]]
chain = "river"
address = "{VAULT}"
shares = "{SHARES}"
"""
BY_EVENTS = f"""
[[look_through]]
chain = "river"
address = "{STAKER}"
kind = "nft_staker"
withdraw = "Withdrawn(uint256 tokenId)"
"""
HOLDER = LookThroughSettings(CHAIN, "river", VAULT, SHARES, "shares", 5)

Read = Callable[..., Program]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def program(*more: str) -> Program:
        path = tmp_path / "program.toml"
        path.write_text(TEXT.replace("id = 7\n", f"id = 7\nposition_managers = {MANAGERS}\n") + "".join(more))
        return load_program(path, load_settings({}, None))

    return program


def bound(state: State, program: Program, silent: frozenset[int] = frozenset()) -> Prepared:
    found = {} if silent else {pool.key: contract(program) for pool in unknown_pools(state, program, CHAIN)}
    return prepare(state, program, found, NOW, silent)


def ask(answers: dict[tuple[Address, bytes], bytes], *bare: Address) -> None:
    endpoint = PlayedEndpoint([], 50, answers=answers, bare=frozenset(bare))
    asyncio.run(check_holder(Chain("river", CHAIN, [endpoint]), HOLDER))


def test_a_contract_whose_shares_tell_their_supply_is_right() -> None:
    ask({(SHARES, TOTAL_SUPPLY): bytes(32)})


@pytest.mark.parametrize(
    ("bare", "told"),
    [
        ((VAULT,), rf"look_through\[{checksum(VAULT)}\].address: there is no contract at {checksum(VAULT)} on river"),
        ((SHARES,), rf"look_through\[{checksum(VAULT)}\].shares: there is no contract at {checksum(SHARES)} on river"),
        ((), rf"look_through\[{checksum(VAULT)}\].shares: the contract at {checksum(SHARES)} is no ERC-20 token"),
    ],
)
def test_what_is_not_there_or_no_token_is_refused_at_its_place(bare: tuple[Address, ...], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        ask({}, *bare)


def test_contracts_are_followed_from_the_first_start_on(state: State, read: Read) -> None:
    program = read(BY_SHARES, BY_EVENTS)
    assert [each.address for each in unknown_holders(state, program, CHAIN)] == [VAULT, STAKER]
    bound(state, program)
    assert unknown_holders(state, program, CHAIN) == []
    with state.read() as connection:
        vault, staker = followed_contracts.on_chain(connection, CHAIN)
    assert (vault.kind, vault.address, vault.share_token, vault.next_block) == ("shares", VAULT, SHARES, 5)
    found = staker_of(staker)
    assert (found.contract, found.manager) == (STAKER, Address("0x" + "33" * 20))
    assert [shape.name for shape in found.shapes] == ["DepositTransferred", "Withdrawn"]


def test_another_event_of_a_followed_staker_is_a_contradiction(state: State, read: Read) -> None:
    bound(state, read(BY_EVENTS))
    with pytest.raises(Conflict, match="events or decimals"):
        bound(state, read(BY_EVENTS.replace("Withdrawn", "Taken")))


def test_an_edit_computes_the_days_of_epochs_that_are_not_settled_again(state: State, read: Read) -> None:
    program = read()
    bound(state, program)
    first = program.rules.start // 86_400
    with StateTransaction(state) as connection:
        days.write(connection, 1, first, "closed", None, 9, 9, {})
    done = bound(state, read(BY_SHARES))
    assert [(change.key, change.after) for change in done.changes] == [(f"look_through[7/{VAULT}]", f"0: {SHARES}")]
    with state.read() as connection:
        assert days.states(connection, 1) == {}


def test_a_contract_of_a_chain_that_is_silent_waits(state: State, read: Read) -> None:
    program = read(BY_SHARES)
    bound(state, program, frozenset({CHAIN}))
    assert [each.address for each in unknown_holders(state, program, CHAIN)] == [VAULT]
