"""Score rules: which points a pool has in which epoch, under the rules in force there."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.spans import Span
from loyalty.core.times import day_of
from loyalty.jobs.rules import latest_rules, rules_in_force
from loyalty.jobs.settle import latest_time
from loyalty.program.in_force import pool_days
from loyalty.program.rules import PointsRule, PoolKey, Rules


class Term(NamedTuple):
    """A score's rule for a pool on the days of an epoch on which the pool is part of the program."""

    rules: Rules
    rule: PointsRule
    days: Span

    def on(self, day: int) -> bool:
        return self.days.start <= day < self.days.end


def terms(connection: Connection) -> dict[PoolKey, list[Term]]:
    """By pool the terms of every epoch that has begun; empty in a program without points."""
    found: dict[PoolKey, list[Term]] = {}
    for pool, term in _terms(connection):
        found.setdefault(pool, []).append(term)
    return found


def _terms(connection: Connection) -> Iterator[tuple[PoolKey, Term]]:
    seen_time, newest = latest_time(connection), latest_rules(connection)
    if newest is None or seen_time is None:
        return
    for number in range(1, newest.epochs + 1):
        epoch = newest.epoch(number)
        if epoch.start > seen_time:
            return
        rules = rules_in_force(connection, number)[1]
        days = pool_days(rules, epoch) if rules.points else {}
        begun = Span(0, day_of(seen_time) + 1)
        for rule in rules.points:
            for pool in (*rule.per_usd_per_round, *rule.per_usd_day):
                if pool in days:
                    yield pool, Term(rules, rule, days[pool].intersect(begun))
