"""Two chains in one program: while one lags, nothing of an epoch is called computed, and its reasons name the chain."""

from fractions import Fraction

import pytest

from loyalty.core.address import Address
from loyalty.core.times import time_text
from loyalty.jobs.settle import latest_time
from loyalty.program.rules import PoolKey, PoolRule
from loyalty.reports.snapshot import Snapshot, indexed_to
from loyalty.state import StateTransaction, blocks, chains, cursors, pools
from tests.jobs.stage import CHAIN, START, Stage, at, block_of, default_rules, header

BROOK = CHAIN + 1
BROOK_POOL = Address("0x" + "3" * 40)
DAY = 86_400


@pytest.fixture
def two(stage: Stage) -> Stage:
    """The river, and the brook with a pool of its own that has no liquidity."""
    rules = default_rules()
    brook = PoolRule(PoolKey(BROOK, BROOK_POOL), ("A", "B"), Fraction(1), None, None)
    stage.set_up()
    with StateTransaction(stage.state) as connection:
        row = pools.all_pools(connection, CHAIN)[0]
        chains.ensure(connection, BROOK, "brook")
        pools.ensure(
            connection, BROOK, BROOK_POOL, "uniswap_v3", row.token0_id, row.token1_id, block_of(START - DAY), 500, 10
        )
    stage.new_rules(pools=(*rules.pools, brook))
    return stage


def brook(stage: Stage, final: str, indexed: str) -> None:
    """The brook's endpoint tells a final block; its pool is indexed up to another."""
    tip, reached = header(block_of(at(final))), header(block_of(at(indexed)))
    with StateTransaction(stage.state) as connection:
        blocks.add(connection, BROOK, [(reached, 0)])
        chains.set_tips(connection, BROOK, tip, tip)
        (cursor,) = cursors.all_on(connection, BROOK)
        cursors.advance(connection, cursor, reached.number + 1)


def evaluated(stage: Stage) -> tuple[str, str]:
    stage.accrue()
    first = stage.settle()[0]
    return first.status, "; ".join(first.reasons)


def test_a_chain_without_any_block_keeps_the_epoch_provisional_and_is_named(two: Stage) -> None:
    two.play("0d 00:00  mint  alice  100")
    _river_alone(two, "3d 00:00")
    status, reasons = evaluated(two)
    assert status == "provisional"
    assert "brook is indexed up to no block yet only" in reasons


def test_final_blocks_that_are_not_indexed_do_not_make_an_epoch_computed(two: Stage) -> None:
    """Its endpoint says that the epoch's end is final, but the pool's cursor stands a day before."""
    two.play("0d 00:00  mint  alice  100")
    _river_alone(two, "2d 00:30")
    brook(two, "2d 00:30", "1d 00:00")
    status, reasons = evaluated(two)
    assert status == "provisional"
    assert f"brook is indexed up to {time_text(at('1d 00:00'))} only" in reasons
    brook(two, "2d 00:40", "2d 00:20")
    assert evaluated(two)[0] == "computed"
    assert "brook" not in evaluated(two)[1]


def test_an_epoch_settles_when_every_chain_has_passed_its_end(two: Stage) -> None:
    two.play("0d 00:00  mint  alice  100")
    _river_alone(two, "3d 00:00")
    brook(two, "2d 00:59", "2d 00:59")
    assert evaluated(two)[0] == "computed"
    brook(two, "2d 01:00", "2d 01:00")
    assert evaluated(two)[0] == "settled"


def test_the_program_has_been_seen_up_to_the_foremost_chain_and_every_answer_tells_where_each_stands(
    two: Stage,
) -> None:
    two.play("0d 00:00  mint  alice  100")
    _river_alone(two, "3d 00:00")
    brook(two, "1d 00:00", "1d 00:00")
    two.accrue()
    two.settle()
    with two.state.read() as connection:
        assert latest_time(connection) == at("3d 00:00")
        snapshot = Snapshot.of(connection)
        as_of = snapshot.moving()["as_of"]
        times = {each["chain"]: each["time"] for each in indexed_to(snapshot)}
    assert times == {CHAIN: time_text(at("3d 00:00")), BROOK: time_text(at("1d 00:00"))}
    assert {each["chain"]: each["time"] for each in as_of} == times
    assert snapshot.status_of_day(at("1d 00:00") // DAY) == "provisional"


def _river_alone(stage: Stage, clock: str) -> None:
    """Everything on the river is indexed and final up to then."""
    tip = header(block_of(at(clock)))
    with StateTransaction(stage.state) as connection:
        blocks.add(connection, CHAIN, [(tip, 0)])
        chains.set_tips(connection, CHAIN, tip, tip)
        for cursor in cursors.all_on(connection, CHAIN):
            cursors.advance(connection, cursor, tip.number + 1)
