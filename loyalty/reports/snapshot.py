"""A snapshot: one committed state of a program, with what every answer says of itself."""

from dataclasses import dataclass

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.checkpoint import Header
from loyalty.core.errors import NotFound, Unavailable
from loyalty.core.spans import Span
from loyalty.core.times import DAY_SECONDS, day_of, time_text
from loyalty.jobs.accrue import counted_days
from loyalty.jobs.rules import rules_in_force
from loyalty.jobs.settle import PROVISIONAL, latest_time
from loyalty.program.epochs import epoch_at
from loyalty.program.in_force import excluded_days, exclusion_days, exclusions_in_force
from loyalty.program.rules import Epoch, Rules
from loyalty.program.rules_text import rules_from_json
from loyalty.reports.shapes import Shape
from loyalty.state import blocks, chains, days, epochs, pools, program_config
from loyalty.state.epochs import EpochRow


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`rules` are the newest version's; `time` is the newest indexed block's, None before the first one.

    `epochs` are those evaluated so far, by number.
    """

    connection: Connection
    version: int
    rules: Rules
    time: int | None
    epochs: dict[int, EpochRow]

    @classmethod
    def of(cls, connection: Connection) -> "Snapshot":
        """Raises Unavailable in a database without a program."""
        newest = program_config.latest(connection)
        if newest is None:
            raise Unavailable("the database has no program yet: start the worker (`loyalty run`) and ask again")
        rules = rules_from_json(newest.rules)
        rows = {row.number: row for row in epochs.all_epochs(connection)}
        return cls(connection, newest.version, rules, latest_time(connection), rows)

    @property
    def newest(self) -> EpochRow | None:
        """The newest evaluated epoch: the one that runs, or the last one after the end."""
        return self.epochs[max(self.epochs)] if self.epochs else None

    @property
    def running(self) -> Epoch | None:
        """The epoch that the newest indexed block lies in; None before the start and after the end."""
        return None if self.time is None else epoch_at(self.rules, self.time)

    @property
    def epoch_rules(self) -> Rules:
        """The rules in force in the newest evaluated epoch; before, those of the first."""
        return self.rules_in(self.newest.number if self.newest else 1)

    def rules_in(self, number: int) -> Rules:
        return rules_in_force(self.connection, number)[1]

    def row(self, number: int) -> EpochRow:
        """An evaluated epoch; NotFound, with the reason, where there is none."""
        if (found := self.epochs.get(number)) is not None:
            return found
        if not 1 <= number <= self.rules.epochs:
            raise NotFound(f"epoch {number} does not exist: the program has epochs 1 to {self.rules.epochs}")
        start = time_text(self.rules.epoch(number).start)
        raise NotFound(f"epoch {number} is not evaluated yet: it starts at {start}")

    def status_of_day(self, day: int) -> str:
        """The status of the epoch that a day belongs to."""
        time = day * DAY_SECONDS
        epoch = epoch_at(self.rules, time)
        row = self.epochs.get(epoch.number) if epoch else None
        return row.status if row else PROVISIONAL

    def excluded_now(self) -> dict[Address, str]:
        """Who is excluded on the newest indexed block's day, with the reason."""
        epoch = self.running
        if epoch is None or self.time is None:
            return {}
        rules, today = self.rules_in(epoch.number), day_of(self.time)
        excluded = excluded_days(rules, epoch)
        return {
            each.address: each.reason
            for each in exclusions_in_force(rules, epoch)
            if today in excluded[each.address] and exclusion_days(each, epoch).contains(today)
        }

    def moving(self) -> Shape:
        """What every answer that moves says of itself: up to which blocks it counts, and how firm it is."""
        return {"as_of": counted_to(self), "status": self.newest.status if self.newest else PROVISIONAL}

    def moving_in(self, row: EpochRow) -> Shape:
        """The same of one epoch: when it is over, it rests on the blocks that closed its days and moves no more."""
        epoch = self.rules.epoch(row.number)
        over = closed_by(self, epoch.days) if row.as_of_time >= epoch.end else []
        return {"as_of": over or counted_to(self), "status": row.status}


def counted_to(snapshot: Snapshot) -> list[Shape]:
    """Per chain the block up to which balances and rewards count; a chain of which nothing is counted is left out.

    It is the earliest of its pools' newest computed days; pools that have left the program say nothing of now.
    """
    found: list[Shape] = []
    for chain in chains.all_chains(snapshot.connection):
        counted = _pools_counted_to(snapshot, chain.id)
        if counted:
            block, time = min(counted)
            found.append(_place(snapshot.connection, chain.id, block, time))
    return found


def counted_time(snapshot: Snapshot) -> int | None:
    """The time up to which the balances of every chain count; None before the first."""
    known = [_pools_counted_to(snapshot, chain.id) for chain in chains.all_chains(snapshot.connection)]
    return min((min(counted)[1] for counted in known if counted), default=None)


def _pools_counted_to(snapshot: Snapshot, chain_id: int) -> list[tuple[int, int]]:
    """(block, time) of each running pool's newest computed day; where none runs any more, the newest of all."""
    ended: list[tuple[int, int]] = []
    running: list[tuple[int, int]] = []
    for pool in pools.all_pools(snapshot.connection, chain_id):
        states = days.states(snapshot.connection, pool.id)
        if states:
            last = states[max(states)]
            over = last.day >= counted_days(snapshot.rules, pool).end - 1 and last.status != "open"
            (ended if over else running).append((last.as_of_block, last.as_of_time))
    return running or ([max(ended)] if ended else [])


def closed_by(snapshot: Snapshot, span: Span) -> list[Shape]:
    """Per chain the newest block that the computed days of `span` hang on."""
    chain_of = {pool.id: pool.chain_id for pool in pools.all_pools(snapshot.connection)}
    newest: dict[int, tuple[int, int]] = {}
    for state in days.all_states(snapshot.connection, span):
        place = (state.as_of_block, state.as_of_time)
        newest[chain_of[state.pool_id]] = max(newest.get(chain_of[state.pool_id], (0, 0)), place)
    return [_place(snapshot.connection, chain_id, *place) for chain_id, place in sorted(newest.items())]


def indexed_to(snapshot: Snapshot) -> list[Shape]:
    """Per chain the newest indexed block: for what follows from facts alone."""
    found = []
    for chain in chains.all_chains(snapshot.connection):
        last = blocks.last(snapshot.connection, chain.id)
        if last is not None:
            found.append(_place(snapshot.connection, chain.id, last.number, last.time, last))
    return found


def _place(connection: Connection, chain_id: int, block: int, time: int, known: Header | None = None) -> Shape:
    """`block_hash` is null where the hash is not kept any more: of final blocks one a day is."""
    header = known or blocks.at_or_before(connection, chain_id, block)
    block_hash = header.hash if header is not None and header.number == block else None
    return {"chain": chain_id, "block": block, "block_hash": block_hash, "time": time_text(time)}
