"""Score: the points of every round and day that are not counted for good, from the stored facts, prices and cells."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.core.address import checksum
from loyalty.core.errors import LoyaltyError
from loyalty.jobs.accrue import CLOSED, OPEN, UNPRICED
from loyalty.jobs.scoring.counted import Counted
from loyalty.jobs.scoring.day_points import counted_day, days_to_count
from loyalty.jobs.scoring.round_points import counted_rounds
from loyalty.jobs.scoring.round_starts import keep_round_starts
from loyalty.jobs.scoring.score_rules import Term, terms
from loyalty.program.rules import PoolKey
from loyalty.state import StateTransaction, points, pools, providers
from loyalty.state.engine import State
from loyalty.state.pools import PoolRow

_log = logging.getLogger(__name__)


class Scored(NamedTuple):
    """What a run wrote: rounds and days counted for good, those that wait for a price, and those that go on."""

    closed: int
    unpriced: int
    open: int


@dataclass(slots=True)
class Scorer:
    """Brings every score up to date, one period a step."""

    state: State
    stopping: Callable[[], bool] = lambda: False

    def run(self) -> Scored:
        """Raises the first failure, once all other pools are counted."""
        with self.state.read() as connection:
            by_pool = terms(connection)
            rows = [row for row in pools.all_pools(connection) if PoolKey(row.chain_id, row.address) in by_pool]
        counts = {OPEN: 0, CLOSED: 0, UNPRICED: 0}
        failures: list[LoyaltyError] = []
        for pool in rows:
            if self.stopping():
                break
            try:
                for counted in self._pool(pool, by_pool[PoolKey(pool.chain_id, pool.address)]):
                    counts[counted.row.status] += 1
            except LoyaltyError as error:  # told at the end: a pool that cannot be counted holds up no other
                failures.append(type(error)(f"points of pool {checksum(pool.address)}: {error}"))
        if failures:
            more = f" (and {len(failures) - 1} pools more)" if len(failures) > 1 else ""
            raise type(failures[0])(f"{failures[0]}{more}") from failures[0]
        return Scored(counts[CLOSED], counts[UNPRICED], counts[OPEN])

    def _pool(self, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[Counted]:
        periods = self._rounds if pool.protocol == "stream_vault" else self._days
        for counted in periods(pool, pool_terms):
            if self.stopping():
                return
            if self._write(counted):
                yield counted

    def _rounds(self, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[Counted]:
        keep_round_starts(self.state, pool, pool_terms)
        with self.state.read() as connection:
            yield from counted_rounds(connection, pool, pool_terms)

    def _days(self, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[Counted]:
        with self.state.read() as connection:
            for term, day in days_to_count(connection, pool, pool_terms):
                yield counted_day(connection, pool, term, day)

    def _write(self, counted: Counted) -> bool:
        """One period, as one step; False, with nothing written, where what it hangs on has changed meanwhile."""
        with StateTransaction(self.state) as connection:
            if counted.changed(connection):
                row = counted.row
                _log.info("not written, it is counted again at the next turn %s=%s", row.period, row.number)
                return False
            if counted.lines is None:
                points.write_period(connection, counted.row)
                return True
            ids = providers.ids_of(connection, [line.provider for line in counted.lines])
            points.write(connection, counted.row, [(ids[line.provider], line) for line in counted.lines])
        return True
