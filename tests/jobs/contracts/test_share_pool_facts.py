"""A Curve pool's contracts are asked once; what contradicts the program file is refused with both sides."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from loyalty.chain.chain import Chain
from loyalty.config import PoolSettings, Program, load_program, load_settings
from loyalty.core.address import Address, checksum
from loyalty.core.errors import Conflict, Invalid
from loyalty.jobs.contracts.contract_facts import contract_facts
from loyalty.jobs.contracts.share_pool_facts import SharePoolFacts
from loyalty.jobs.prepare import Prepared, prepare, unknown_pools
from loyalty.protocols.curve.contract import LP_TOKEN, TOKEN, TOTAL_SUPPLY, coins
from loyalty.protocols.curve.pool import NATIVE_COIN
from loyalty.protocols.view_call import DECIMALS
from loyalty.state import State, share_pools
from tests.jobs.played_chain import CHAIN, PlayedEndpoint
from tests.jobs.stage import NOW
from tests.jobs.test_prepare import TEXT

POOL, LP, GAUGE, STRANGER = (Address("0x" + digits * 20) for digits in ("99", "97", "6a", "0f"))
A, B = Address("0x" + "a1".rjust(40, "0")), Address("0x" + "b2".rjust(40, "0"))
CURVE = PoolSettings(CHAIN, "river", "curve", POOL, 5, ("A", "B"), None, None, None, None, Fraction(1), LP, (GAUGE,))

Read = Callable[..., Program]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def program(**other: Any) -> Program:
        path = tmp_path / "program.toml"
        path.write_text(TEXT)
        return replace(load_program(path, load_settings({}, None)), pools=(replace(CURVE, **other),))

    return program


def word(value: int | str) -> bytes:
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32)


def contracts(oldest: bool = False, **changed: Any) -> dict[tuple[Address, bytes], bytes]:
    """A pool of two coins with a separate LP token, which it tells, and a gauge; None takes an answer away."""
    answers = {
        (POOL, coins(0, oldest=oldest).payload): word(changed.get("coin0", A)),
        (POOL, coins(1, oldest=oldest).payload): word(B),
        (A, DECIMALS.payload): word(18),
        (B, DECIMALS.payload): word(changed.get("decimals", 6)),
        (POOL, LP_TOKEN.payload): word(changed.get("told", LP)),
        (LP, TOTAL_SUPPLY.payload): word(0),
        (GAUGE, LP_TOKEN.payload): word(changed.get("staked", LP)),
        **changed.get("more", {}),
    }
    return {key: answer for key, answer in answers.items() if key not in changed.get("without", ())}


def ask(program: Program, answers: dict[tuple[Address, bytes], bytes], **endpoint: Any) -> SharePoolFacts:
    chain = Chain("river", CHAIN, [PlayedEndpoint([], 50, answers=answers, **endpoint)])
    found = asyncio.run(contract_facts(chain, program.pools[0]))
    assert isinstance(found, SharePoolFacts)
    return found


def bind(state: State, program: Program, facts: SharePoolFacts | None) -> Prepared:
    unknown = unknown_pools(state, program, CHAIN)
    return prepare(state, program, {pool.key: facts for pool in unknown if facts is not None}, NOW)


@pytest.mark.parametrize("oldest", [False, True])
def test_coins_decimals_and_lp_token_are_what_the_contracts_say(read: Read, oldest: bool) -> None:
    assert ask(read(), contracts(oldest=oldest)) == SharePoolFacts((A, B), (18, 6), LP)


def test_a_pool_that_tells_no_lp_token_is_its_own_where_the_file_names_none(read: Read) -> None:
    answers = contracts(without=[(POOL, LP_TOKEN.payload)], more={(POOL, TOTAL_SUPPLY.payload): word(5)})
    assert ask(read(lp_token=None, gauges=()), answers).lp_token == POOL


def test_what_was_found_is_stored_and_a_second_start_asks_nothing(state: State, read: Read) -> None:
    program = read()
    assert bind(state, program, ask(program, contracts())) == Prepared(1, ())
    assert bind(state, program, None) == Prepared(1, ())
    with state.read() as connection:
        (stored,) = share_pools.all_on(connection, CHAIN)
    assert (stored.pool.address, stored.pool.next_block, stored.lp_token, stored.gauges) == (POOL, 5, LP, (GAUGE,))
    assert [(coin, token.symbol) for coin, token in stored.coins] == [(A, "A"), (B, "B")]


THIRD = {(POOL, coins(2).payload): word(STRANGER)}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"without": [(POOL, coins(0).payload)]}, r"is no Curve pool \(it does not answer coins\(0\)\)"),
        ({"without": [(POOL, coins(1).payload)]}, r"\.tokens names 2 coins, but the pool has 1 \("),
        ({"more": THIRD}, rf"\.tokens names 2 coins, but the pool has 3 or more \(.*{checksum(STRANGER)}"),
        ({"coin0": NATIVE_COIN}, "holds the chain's native coin, which moves without logs"),
        ({"coin0": B}, "has 2 coins, two or more different ones are needed"),
        ({"told": STRANGER}, rf"lp_token is {checksum(LP)}, but the pool says {checksum(STRANGER)}"),
        ({"more": {(POOL, TOKEN.payload): word(STRANGER)}}, f"but the pool says {checksum(STRANGER)}"),
        ({"without": [(LP, TOTAL_SUPPLY.payload)]}, rf"{checksum(LP)} is no token \(it does not answer totalSupply"),
        ({"staked": STRANGER}, f"{checksum(GAUGE)} holds {checksum(STRANGER)}, but the pool's LP token is"),
        ({"without": [(GAUGE, LP_TOKEN.payload)]}, f"{checksum(GAUGE)} is no gauge"),
        ({"without": [(B, DECIMALS.payload)]}, "refused|reverted"),
    ],
)
def test_contracts_that_contradict_the_file_are_refused_by_name(read: Read, answers: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        ask(read(), contracts(**answers))


def test_an_address_without_a_contract_is_refused(read: Read) -> None:
    with pytest.raises(Invalid, match=rf"pools\[{checksum(POOL)}\]: there is no contract at this address on river"):
        ask(read(), contracts(), bare=frozenset([POOL]))


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"coin0": STRANGER}, rf"\.tokens\[0\] is A \({checksum(A)}\), but the pool's coin 0 is {checksum(STRANGER)}"),
        ({"decimals": 8}, rf"tokens\[B\]\.decimals is 6, but the contract {checksum(B)} has 8"),
    ],
)
def test_coins_that_are_not_the_file_s_tokens_are_refused_and_nothing_is_stored(
    state: State, read: Read, answers: dict[str, Any], told: str
) -> None:
    program = read()
    more = {(STRANGER, DECIMALS.payload): word(18)}
    facts = ask(program, contracts(**answers, more=more))
    with pytest.raises(Invalid, match=told):
        bind(state, program, facts)
    assert unknown_pools(state, program, CHAIN) == [program.pools[0]]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"tokens": ("B", "A")}, r"\.tokens: B, A, but the database was indexed with A, B"),
        ({"gauges": ()}, rf"\.gauges: none, but the database was indexed with {checksum(GAUGE)}"),
        ({"lp_token": None}, rf"\.lp_token: {checksum(POOL)}, but the database was indexed with {checksum(LP)}"),
        ({"protocol": "uniswap_v3"}, r'\.protocol is "uniswap_v3", but the database was indexed with "curve"'),
        ({"start_block": 6}, r"\.start_block is 6, but the database was indexed from 5"),
    ],
)
def test_a_file_that_contradicts_what_was_indexed_is_refused(
    state: State, read: Read, other: dict[str, Any], told: str
) -> None:
    program = read()
    bind(state, program, ask(program, contracts()))
    with pytest.raises(Conflict, match=told):
        bind(state, read(**other), None)
