"""Prepare: the database is bound to its program; what the file changes is written down, what contradicts is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty.config import Program, load_program, load_settings
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.facts import PricePoint
from loyalty.jobs.contracts.pool_facts import PoolFacts
from loyalty.jobs.prepare import Prepared, prepare, unknown_pools
from loyalty.jobs.price import store_points
from loyalty.state import State, StateTransaction, days, epochs, followed_contracts, pools, program_config
from loyalty.state.epochs import EpochRow
from tests.jobs.stage import NOW

TEXT = """
[program]
name = "A river"
start = 2024-10-04
epochs = 3
epoch = "2d"

[[rewards]]
token = "R"
total = "300"

[[chains]]
name = "river"
id = 7
rpc = ["http://127.0.0.1:9"]

[[tokens]]
symbol = "A"
chain = "river"
address = "0x00000000000000000000000000000000000000a1"
decimals = 18
max_age = "2h"
price = { fixed = "1" }

[[tokens]]
symbol = "B"
chain = "river"
address = "0x00000000000000000000000000000000000000b2"
decimals = 6
price = { fixed = "1" }

[[tokens]]
symbol = "R"
decimals = 0

[[pools]]
chain = "river"
protocol = "uniswap_v3"
address = "0x1111111111111111111111111111111111111111"
start_block = 5
tokens = ["A", "B"]
"""

MANAGERS = '[{ address = "0x3333333333333333333333333333333333333333", start_block = 1 }]'
Read = Callable[..., Program]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def program(*exchanges: tuple[str, str]) -> Program:
        text = TEXT
        for before, after in exchanges:
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "program.toml"
        path.write_text(text)
        return load_program(path, load_settings({}, None))

    return program


def contract(program: Program) -> PoolFacts:
    a, b = (program.rules.tokens[symbol].address for symbol in "AB")
    assert a is not None
    assert b is not None
    return PoolFacts(a, b, 18, 6, 500, 10)


def bound(state: State, program: Program, facts: PoolFacts | None = None) -> Prepared:
    found = {pool.key: facts or contract(program) for pool in unknown_pools(state, program, 7)}
    return prepare(state, program, found, NOW)


def settle_first(state: State) -> None:
    with StateTransaction(state) as connection:
        epochs.write(connection, EpochRow(1, "settled", "ab", 1, 0, 0, (), 1), [], [], [])
        epochs.write(connection, EpochRow(2, "provisional", None, 1, 0, 0, (), 1), [], [], [])


def versions(state: State) -> list[tuple[int, int]]:
    with state.read() as connection:
        return [(each.version, each.effective_from_epoch) for each in program_config.all_versions(connection)]


def test_the_first_start_stores_the_program_and_the_second_changes_nothing(state: State, read: Read) -> None:
    assert bound(state, read()) == Prepared(1, ())
    assert bound(state, read()) == Prepared(1, ())
    assert versions(state) == [(1, 1)]
    with state.read() as connection:
        (row,) = pools.all_pools(connection)
    assert (row.token0, row.token1, row.fee_pips, row.start_block, row.next_block) == ("A", "B", 500, 5, 5)


def test_an_edit_is_a_version_from_the_first_unsettled_epoch_on(state: State, read: Read) -> None:
    bound(state, read())
    settle_first(state)
    done = bound(state, read(('epoch = "2d"', 'epoch = "2d"\nminimum_usd = "5"')))
    assert [(change.key, change.before, change.after) for change in done.changes] == [("program.minimum_usd", "0", "5")]
    assert versions(state) == [(1, 1), (2, 2)]


def test_what_was_evaluated_under_the_old_rules_and_is_not_settled_is_forgotten(state: State, read: Read) -> None:
    bound(state, read())
    settle_first(state)
    bound(state, read(('epoch = "2d"', 'epoch = "2d"\nminimum_usd = "5"')))
    with state.read() as connection:
        assert [row.number for row in epochs.all_epochs(connection)] == [1]


def test_unsettled_days_are_computed_again_where_prices_may_be_older_or_must_be_younger(
    state: State, read: Read
) -> None:
    program = read()
    bound(state, program)
    settle_first(state)
    first = program.rules.start // 86_400
    with StateTransaction(state) as connection:
        for day in range(first, first + 4):
            days.write(connection, 1, day, "closed", None, 9, 9, {})
    bound(state, read(('max_age = "2h"', 'max_age = "1h"')))
    with state.read() as connection:
        assert list(days.states(connection, 1)) == [first, first + 1]


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (('name = "A river"', 'name = "A lake"'), "that is a different program"),
        (("start = 2024-10-04", "start = 2024-10-05"), "that is a different program"),
        (('epoch = "2d"', 'epoch = "3d"'), "that is a different program"),
        (('total = "300"', 'total = "600"'), "epoch 1 is settled with a budget of 100"),
        (("decimals = 6", "decimals = 8"), "decimals 6"),
        (("start_block = 5", "start_block = 6"), "the database was indexed from 5"),
        (("id = 7\n", f"id = 7\nposition_managers = {MANAGERS}\n"), "position_managers differ"),
    ],
)
def test_what_contradicts_the_database_is_refused_and_nothing_is_changed(
    state: State, read: Read, exchange: tuple[str, str], told: str
) -> None:
    bound(state, read())
    settle_first(state)
    with pytest.raises(Conflict, match=told):
        bound(state, read(exchange))
    assert versions(state) == [(1, 1)]
    with state.read() as connection:
        assert [row.number for row in epochs.all_epochs(connection)] == [1, 2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"decimals1": 8}, r"tokens\[B\].decimals is 6, but the contract .* has 8"),
        ({"token1": "0x00000000000000000000000000000000000000c3"}, "names B, but the pool's tokens are"),
    ],
)
def test_a_pool_whose_contract_says_otherwise_is_refused(
    state: State, read: Read, change: dict[str, object], told: str
) -> None:
    program = read()
    with pytest.raises(Invalid, match=told):
        bound(state, program, contract(program)._replace(**change))  # type: ignore[arg-type]
    assert versions(state) == []


def test_the_fee_and_tick_spacing_of_the_file_must_be_the_contracts(state: State, read: Read) -> None:
    program = read(("start_block = 5", "start_block = 5\nfee_pips = 3000"))
    with pytest.raises(Invalid, match="fee_pips is 3000, but the contract has 500"):
        bound(state, program)


def test_a_known_pools_tokens_cannot_be_exchanged_for_others(state: State, read: Read) -> None:
    bound(state, read())
    third = '[[tokens]]\nsymbol = "C"\ndecimals = 6\nprice = { fixed = "1" }\n\n[[tokens]]\nsymbol = "R"'
    with pytest.raises(Conflict, match="tokens are A and C, but the database was indexed with A and B"):
        bound(state, read(('tokens = ["A", "B"]', 'tokens = ["A", "C"]'), ('[[tokens]]\nsymbol = "R"', third)))


def test_a_price_stored_before_an_edit_stays(state: State, read: Read) -> None:
    program = read()
    bound(state, program)
    point = PricePoint(0, 10**8, "fixed", NOW)
    assert store_points(state, program.rules, program.rules.tokens["A"], [point]) == (1, 0)
    edited = read(('epoch = "2d"', 'epoch = "2d"\nminimum_usd = "5"'))
    bound(state, edited)
    assert store_points(state, edited.rules, edited.rules.tokens["A"], [point]) == (0, 0)


THROUGH = """
[[look_through]]
chain = "river"
address = "0x00000000000000000000000000000000000000c3"
shares = "0x00000000000000000000000000000000000000c3"
"""
EARLIER_POOL = """
[[pools]]
chain = "river"
protocol = "uniswap_v3"
address = "0x0000000000000000000000000000000000000022"
start_block = 3
tokens = ["A", "B"]
"""
LAST_LINE = 'tokens = ["A", "B"]\n'


def test_a_pool_that_comes_later_does_not_move_the_start_of_a_contract_that_is_looked_through(
    state: State, read: Read
) -> None:
    """Nothing in the file says when it starts: it stays as it was first followed."""
    bound(state, read((LAST_LINE, LAST_LINE + THROUGH)))
    program = read((LAST_LINE, LAST_LINE + EARLIER_POOL + THROUGH))
    found = {pool.key: contract(program) for pool in program.pools}
    prepare(state, program, found, NOW)
    with state.read() as connection:
        (followed,) = followed_contracts.on_chain(connection, 7)
    assert followed.start_block == 5
    with pytest.raises(Conflict, match="start_block is 4 here, but 5 in the database"):
        prepare(state, read((LAST_LINE, LAST_LINE + EARLIER_POOL + THROUGH + "start_block = 4\n")), {}, NOW)
