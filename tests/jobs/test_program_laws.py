"""Laws of a whole program, with random people coming and going: nothing hangs on when or in which order it was done."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS, HOUR_SECONDS
from loyalty.jobs.accrue import Accruer, compute_day, indexed_to
from loyalty.jobs.histories.uniswap_v3 import UniswapHistory
from loyalty.jobs.verify import verify
from loyalty.program.rules import Reward
from loyalty.state import State, StateTransaction, days, pools
from tests.jobs.stage import CHAIN, PEOPLE, POOLS, START, START_DAY, Stage, exclusion, share

LIFE = 6 * DAY_SECONDS
AFEW = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a whole program an example: to shrink one takes too long
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Stay(NamedTuple):
    """Somebody supplies liquidity over some hours of the program, or of the day before it."""

    who: str
    pool: str
    usd: int
    first_hour: int
    hours: int


people = st.sampled_from(sorted(PEOPLE))
stays = st.lists(
    st.builds(
        Stay, people, st.sampled_from(["one", "two"]), st.integers(1, 10**6), st.integers(-24, 140), st.integers(0, 90)
    ),
    max_size=8,
)
exclusions = st.lists(
    st.builds(exclusion, people, st.one_of(st.none(), st.integers(0, 5)), st.one_of(st.none(), st.integers(0, 6))),
    max_size=2,
)


class World(NamedTuple):
    """What happens, and under which rules."""

    stays: list[Stay]
    excluded: list[object]
    on_lapse: str
    counted: str
    minimum: int
    total: int


worlds = st.builds(
    World,
    stays,
    exclusions,
    st.sampled_from(["reset", "pause"]),
    st.sampled_from(["full", "in_range"]),
    st.sampled_from([0, 500]),
    st.integers(0, 10**20),
)


def build(state: State, world: World) -> Stage:
    """The world's facts stored, nothing seen yet."""
    stage = Stage(state)
    weights = tuple(
        replace(rule, weight=weight)
        for rule, weight in zip(stage.rules.pools, (Fraction(1), Fraction(5, 2)), strict=True)
    )
    stage.set_up(
        rewards=(Reward("R", world.total, None, None), share("S", "R", "0.3")),
        pools=weights,
        exclusions=tuple(world.excluded),
        on_lapse=world.on_lapse,
        count=world.counted,
        minimum_usd_micro=world.minimum * 10**6,
    )
    stage.price("R", 0, "0.7", "fixed")
    stage.price("S", 0, "1.3", "fixed")
    events = [(stay.first_hour, "mint", stay) for stay in world.stays]
    events += [(stay.first_hour + stay.hours, "burn", stay) for stay in world.stays]
    for hour, verb, stay in sorted(events, key=lambda event: (event[0], event[1] == "burn")):
        if hour * HOUR_SECONDS <= LIFE:
            sign = 1 if verb == "mint" else -1
            stage._change(START + hour * HOUR_SECONDS, stay.who, Fraction(sign * stay.usd), (stay.pool,))
    return stage


@pytest.fixture
def reference(new_state: Callable[[], State]) -> Callable[[World], Stage]:
    def played(world: World) -> Stage:
        stage = build(new_state(), world)
        stage.seen(START + LIFE + 3_600)
        stage.accrue()
        stage.settle()
        return stage

    return played


@AFEW
@given(world=worlds)
def test_paid_and_unallocated_are_the_total_and_each_epoch_divides_what_it_has(
    reference: Callable[[World], Stage], world: World
) -> None:
    stage = reference(world)
    ledgers = [stage.ledger(number) for number in (1, 2, 3)]
    assert sum(ledger.budget_units for ledger in ledgers) == world.total
    assert sum(ledger.paid_units for ledger in ledgers) + ledgers[-1].unallocated_units == world.total
    for number, ledger in enumerate(ledgers, 1):
        assert sum(stage.rewards(number).values()) == ledger.paid_units
        share_of_it = stage.ledger(number, "S")
        assert share_of_it.budget_units == ledger.budget_units * 7 * 3 // 130
        assert (share_of_it.paid_units > 0) <= (ledger.paid_units > 0) or share_of_it.budget_units > 0
    shares = [stage.ledger(number, "S") for number in (1, 2, 3)]
    assert sum(s.budget_units for s in shares) == sum(s.paid_units for s in shares) + shares[-1].unallocated_units
    assert verify(stage.state).faults == ()


@AFEW
@given(world=worlds, hours=st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_whenever_it_is_looked_at_the_same_is_settled(
    reference: Callable[[World], Stage], new_state: Callable[[], State], world: World, hours: list[int]
) -> None:
    """Accrued and settled at any cadence, the chain seen in any steps: the same rows and the same digests."""
    straight = reference(world)
    stage = build(new_state(), world)
    passed = 0
    for step in hours:
        passed += step
        if passed * HOUR_SECONDS < LIFE:
            stage.seen(START + passed * HOUR_SECONDS)
            stage.accrue()
            stage.settle()
    stage.seen(START + LIFE + 3_600)
    stage.accrue()
    stage.settle()
    assert settled_rows(stage) == settled_rows(straight)


def settled_rows(stage: Stage) -> dict[str, object]:
    """Ids of providers are given in the order of their coming, so by name; as_of stands where the chain was seen."""
    return {
        "cells": stage.cells(),
        "digests": [stage.epoch(number).digest for number in (1, 2, 3)],
        "rewards": [stage.rewards(number, symbol) for number in (1, 2, 3) for symbol in "RS"],
        "ledgers": [stage.ledger(number, symbol) for number in (1, 2, 3) for symbol in "RS"],
    }


def compute_alone(stage: Stage, pool: Address, day: int) -> bool:
    """One pool-day, without the days before it."""
    with stage.state.read() as connection:
        row = pools.find(connection, CHAIN, pool)
        assert row is not None
        as_of = indexed_to(connection, row)
        assert as_of is not None
        history = UniswapHistory(connection, stage.rules, row, frozenset())
        result = compute_day(connection, row, history, START_DAY + day, as_of, frozenset())
        return Accruer(stage.state, stage.rules, frozenset())._write(row, history, result)


@AFEW
@given(world=worlds, order=st.permutations([(pool, day) for pool in ("one", "two") for day in range(6)]))
def test_pool_days_computed_alone_in_any_order_are_the_same(
    reference: Callable[[World], Stage], world: World, order: list[tuple[str, int]]
) -> None:
    stage = reference(world)
    before = stage.cells()
    with StateTransaction(stage.state) as connection:
        for row in pools.all_pools(connection):
            days.delete_from(connection, row.id, 0)
    for pool, day in order:
        assert compute_alone(stage, POOLS[pool], day)
    assert stage.cells() == before
    assert verify(stage.state).faults == ()


@AFEW
@given(world=worlds, day=st.integers(0, 5))
def test_what_is_forgotten_is_computed_again_to_the_last_unit(
    reference: Callable[[World], Stage], world: World, day: int
) -> None:
    stage = reference(world)
    before = stage.dump()
    with StateTransaction(stage.state) as connection:
        for row in pools.all_pools(connection):
            days.delete_from(connection, row.id, START_DAY + day)
    stage.accrue()
    stage.settle()
    assert stage.dump() == before
