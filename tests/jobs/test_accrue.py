"""Accrue: which pool-days are closed, empty, unpriced or still open, and what they count."""

import pytest

from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from loyalty.state import StateTransaction, balances, blocks, chains, pools
from tests.jobs.stage import CHAIN, ONE, PEOPLE, Stage, at, block_of, cell

DAY = START_OF_DAY = DAY_SECONDS


def test_liquidity_counts_from_the_second_it_comes_to_the_second_it_leaves(stage: Stage) -> None:
    stage.set_up().play("""
        0d 06:00  mint  alice  100
        0d 12:00  mint  bob    300  below
        0d 18:00  burn  alice  40
        1d 00:00  seen
    """)
    stage.accrue()
    held = cell(100, 12 * HOUR_SECONDS) + cell(60, 6 * HOUR_SECONDS) + 1  # one floor for both stretches together
    assert stage.cells() == {
        ("one", "alice", 0): (held, held),
        ("one", "bob", 0): (cell(300, 12 * HOUR_SECONDS), 0),
    }
    assert stage.statuses() == {0: "closed", 1: "open"}
    assert stage.statuses("two") == {0: "empty", 1: "open"}


def test_liquidity_from_before_the_start_counts_from_the_start(stage: Stage) -> None:
    stage.set_up().play("""
        -1d 12:00  mint  alice  100
        1d 00:00   seen
    """)
    stage.accrue()
    assert stage.cells() == {("one", "alice", 0): (cell(100), cell(100))}
    assert -1 not in stage.statuses()


def test_a_pool_counts_only_on_the_days_on_which_it_is_part_of_the_program(stage: Stage) -> None:
    rules = stage.set_up().rules
    first, second = rules.pools
    start_day = rules.start // DAY
    stage.new_rules(
        pools=(first, type(second)(second.pool, second.tokens, second.weight, start_day + 1, start_day + 2))
    )
    stage.play("""
        0d 00:00  mint  alice  100  one
        0d 00:00  mint  bob    100  two
        3d 00:00  seen
    """)
    stage.accrue()
    assert stage.statuses("two") == {1: "closed"}
    assert [key for key in stage.cells() if key[0] == "two"] == [("two", "bob", 1)]


def test_an_event_at_midnight_belongs_to_the_next_day(stage: Stage) -> None:
    stage.set_up().play("""
        1d 00:00  mint  alice  100
        2d 00:00  seen
    """)
    stage.accrue()
    assert stage.cells() == {("one", "alice", 1): (cell(100), cell(100))}
    assert stage.statuses()[0] == "empty"


def test_today_is_counted_up_to_the_last_block_and_again_at_the_next(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        0d 06:00  seen
    """)
    stage.accrue()
    assert stage.cells() == {("one", "alice", 0): (cell(100, 6 * HOUR_SECONDS),) * 2}
    with stage.state.read() as connection:
        (now,) = balances.balances(connection)
    assert (now.provider, now.usd_micro, now.as_of_time) == (PEOPLE["alice"], 99_999_999, at("0d 06:00"))
    stage.play("0d 07:00  seen")
    stage.accrue()
    assert stage.cells() == {("one", "alice", 0): (cell(100, 7 * HOUR_SECONDS),) * 2}


def test_a_day_without_its_price_stays_unpriced_with_the_reason_and_closes_when_the_price_comes(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 10:00")
    stage.play("""
        0d 05:00  mint  alice  100
        1d 00:00  seen
    """)
    done = stage.accrue()
    assert (done.unpriced, stage.statuses()[0], stage.cells()) == (1, "unpriced", {})
    with stage.state.read() as connection:
        row = pools.find(connection, CHAIN, ONE)
        reason = str(connection.exec_driver_sql("SELECT reason FROM pool_days WHERE status = 'unpriced'").scalar_one())
    assert row is not None
    assert "B: no valid price from" in reason
    stage.hourly("B", "0d 11:00", "1d 00:00")
    stage.accrue()
    assert stage.cells() == {("one", "alice", 0): (cell(100, 19 * HOUR_SECONDS),) * 2}


def test_a_day_on_which_nobody_holds_anything_needs_no_price(stage: Stage) -> None:
    stage.set_up(fixed="").play("1d 00:00  seen")
    stage.accrue()
    assert stage.statuses()[0] == "empty"


def test_liquidity_of_no_second_needs_its_price_all_the_same(stage: Stage) -> None:
    """Whether anyone held anything must not hang on who is excluded, or on how long it was held."""
    stage.set_up(fixed="").play("""
        0d 12:00  mint  alice  100
        0d 12:00  burn  alice  100
        1d 00:00  seen
    """)
    stage.accrue()
    assert stage.statuses()[0] == "unpriced"


def test_the_price_of_the_days_last_second_must_be_valid_at_midnight_too(stage: Stage) -> None:
    """23:00 is valid until 01:00 with a max_age of two hours, 21:59:59 only until 23:59:59."""
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 21:00")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 00:00  seen
    """)
    stage.price("B", at("0d 21:59:59"), "1")
    stage.accrue()
    assert stage.statuses()[0] == "unpriced"
    stage.price("B", at("0d 22:00"), "1")
    stage.accrue()
    assert stage.statuses()[0] == "closed"


def test_a_day_waits_for_the_grids_point_at_its_end_until_max_age_has_passed(stage: Stage) -> None:
    stage.set_up(fixed="A")
    stage.hourly("B", "0d 00:00", "0d 23:00")
    stage.play("""
        0d 00:00  mint  alice  100
        1d 01:59  seen
    """)
    stage.accrue(grid_tokens=frozenset("B"))
    assert stage.statuses()[0] == "open"
    stage.play("1d 02:00  seen")
    stage.accrue(grid_tokens=frozenset("B"))
    assert stage.statuses()[0] == "closed"


def test_a_price_that_comes_while_a_day_is_computed_is_not_passed_over(stage: Stage) -> None:
    """The day was computed from the price of 00:00 alone; what came in between makes it be computed again."""
    rules = stage.rules
    long_lived = {**rules.tokens, "B": type(rules.tokens["B"])("B", 0, None, 18, 8, 5 * DAY)}
    stage.set_up(fixed="A", tokens=long_lived)
    stage.play("""
        0d 00:00  price  B  1
        0d 00:00  mint  alice  100
        1d 00:00  seen
    """)

    def price_comes() -> bool:
        stage.price("B", at("0d 12:00"), "3")
        return False

    stage.accrue(stopping=price_comes)
    assert stage.statuses().get(0) != "closed"
    stage.accrue()
    assert stage.cells() == {("one", "alice", 0): (cell(100, DAY // 2) + cell(200, DAY // 2) + 1,) * 2}


def test_a_block_that_was_thinned_out_while_a_day_was_computed_is_not_taken_for_a_rewind(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        1d 05:00  seen
        1d 09:00  seen
    """)

    def thinned() -> bool:
        with StateTransaction(stage.state) as connection:
            blocks.thin(connection, CHAIN, block_of(at("1d 09:00")))
        return False

    stage.accrue(stopping=thinned)
    assert stage.statuses()[0] == "closed"


def test_nothing_is_written_of_a_day_whose_blocks_were_rewound_while_it_was_computed(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        1d 05:00  head
    """)

    def rewound() -> bool:
        with StateTransaction(stage.state) as connection:
            blocks.delete_above(connection, CHAIN, block_of(at("0d 12:00")))
        return False

    stage.accrue(stopping=rewound)
    assert stage.statuses() == {}


def test_a_run_that_is_asked_to_stop_ends_between_two_days(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        4d 00:00  seen
    """)
    answers = iter([False, False, True])
    stage.accrue(stopping=lambda: next(answers, True))
    assert stage.statuses() == {0: "closed", 1: "closed"}


def test_a_day_hangs_on_nothing_later_than_the_first_block_after_it(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  100
        1d 00:07  seen
        2d 05:00  head
    """)
    stage.accrue()
    with stage.state.read() as connection:
        as_of = connection.exec_driver_sql("SELECT as_of_block FROM pool_days WHERE status = 'closed'").scalars().all()
        assert chains.get(connection, CHAIN).finalized_block == block_of(at("1d 00:07"))
    assert block_of(at("1d 00:07")) in as_of


def test_a_value_beyond_nine_trillion_dollars_is_an_error_and_never_wraps(stage: Stage) -> None:
    stage.set_up().play("""
        0d 00:00  mint  alice  10000000000000
        1d 00:00  seen
    """)
    with pytest.raises(Exception, match="does not fit 63 bits"):
        stage.accrue()
    assert stage.cells() == {}
