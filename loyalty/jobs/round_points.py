"""Round points: what the holders of a vault's shares get for each round, at the price of its start."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.amounts import format_decimal
from loyalty.core.facts import PricePoint, RoundRolled
from loyalty.core.times import day_of, time_text
from loyalty.jobs.accrue import CLOSED, EMPTY, OPEN, UNPRICED
from loyalty.jobs.epoch_prices import point_at
from loyalty.jobs.round_starts import Group, group_of, round_starts
from loyalty.jobs.score_rules import Term
from loyalty.program.points import RoundHoldings, ShareScale, points_of_round, unstaked_in
from loyalty.program.rules import PoolKey, Rules, Token
from loyalty.protocols.vaults.stream_vault.bridged import GroupStart
from loyalty.state import (
    StateTransaction,
    days,
    epochs,
    points,
    pool_tokens,
    providers,
    round_rolls,
    rounds,
    vault_events,
    vaults,
)
from loyalty.state.engine import State
from loyalty.state.points import PeriodRow, PointLine
from loyalty.state.pools import PoolRow
from loyalty.state.rounds import RoundRow


class Counted(NamedTuple):
    """A period, not written yet. `lines` None: they are those that are stored. `changed` says, within the step that
    writes it, whether what it hangs on is another by now."""

    row: PeriodRow
    lines: list[PointLine] | None
    changed: Callable[[Connection], bool]


# How rounds begin ----------------------------------------------------------------------------------------------------


def keep_round_starts(state: State, pool: PoolRow, pool_terms: Sequence[Term]) -> None:
    """Store the starts of the program's rounds that are not stored yet: facts are folded only where one is missing."""
    with state.read() as connection:
        group = group_of(connection, vaults.get(connection, pool.id))
        missing = _missing(connection, group, pool_terms)
        starts = round_starts(connection, group, missing) if missing else []
    for start in starts:
        with StateTransaction(state) as connection:
            if group.rewound(connection):
                return
            row, shares = stored_start(pool.id, start)
            ids = providers.ids_of(connection, shares)
            rounds.write(connection, row, {ids[address]: units for address, units in shares.items()})


def stored_start(pool_id: int, start: GroupStart) -> tuple[RoundRow, dict[Address, int]]:
    """A round's start as it is stored."""
    home = start.start
    row = RoundRow(
        pool_id,
        home.round,
        home.time,
        home.block,
        home.log_index,
        home.price_per_share,
        start.unclaimed_shares,
        start.in_flight_shares,
    )
    return row, start.shares


def _missing(connection: Connection, group: Group, pool_terms: Sequence[Term]) -> set[int]:
    """The rounds of the program's days that have no start yet and whose chains are all past it."""
    stored = rounds.of_pool(connection, group.home.pool.id)
    return {
        roll.round + 1
        for roll in round_rolls.of_vault(connection, group.home.pool.id)
        if roll.round + 1 not in stored
        and any(term.on(day_of(roll.time)) for term in pool_terms)
        and group.waits_for(connection, roll.time) is None
    }


# What they give ------------------------------------------------------------------------------------------------------


def counted_rounds(connection: Connection, pool: PoolRow, pool_terms: Sequence[Term]) -> Iterator[Counted]:
    """The rounds whose points are not counted for good, and are others than what is stored."""
    group = group_of(connection, vaults.get(connection, pool.id))
    key = PoolKey(pool.chain_id, pool.address)
    stored = points.periods(connection, pool.id, "round")
    rolls = round_rolls.of_vault(connection, pool.id)
    ends = {roll.round: roll for roll in rolls}
    for roll in rolls:
        for term in pool_terms:
            known = stored.get((term.rule.name, roll.round + 1))
            done = known is not None and known.status == CLOSED
            if key in term.rule.per_usd_per_round and term.on(day_of(roll.time)) and not done:
                counted = count_round(connection, group, term, roll, ends.get(roll.round + 1))
                if counted is not None and (kept := _new(connection, counted, known)) is not None:
                    yield kept


def _new(connection: Connection, counted: Counted, known: PeriodRow | None) -> Counted | None:
    """What of it is to be written; None where all of it is stored."""
    if known is None or counted.lines != points.lines(connection, known):
        return counted
    return None if counted.row == known else counted._replace(lines=None)


def count_round(
    connection: Connection, group: Group, term: Term, start: RoundRolled, end: RoundRolled | None
) -> Counted | None:
    """The points of the round that `start` began, as far as it is known; `end` is the roll that ended it.

    It is counted for good once it is over and the price at its start cannot change any more. None where its start has
    been rewound meanwhile.
    """
    pool, number = group.home.pool, start.round + 1
    begun, waits = rounds.find(connection, pool.id, number), group.waits_for(connection, start.time)
    if group.head is None or (begun is None and waits is None):
        return None
    token = term.rules.tokens[pool_tokens.symbols(connection, pool)[0]]
    price = point_at(connection, token, start.time)
    holdings = None if begun is None else _holdings(connection, group, begun, token, price)
    row = PeriodRow(
        term.rule.name,
        pool.id,
        "round",
        number,
        *_standing(connection, group, term.rules, holdings, start, end, waits, token),
        price=None if price is None else price.price,
        rate=format_decimal(term.rule.per_usd_per_round[PoolKey(pool.chain_id, pool.address)]),
        as_of_block=group.head.number if end is None else end.block,
        as_of_time=group.head.time if end is None else end.time,
    )
    lines = [] if holdings is None or row.status == UNPRICED else _lines(term, holdings)

    def changed(now: Connection) -> bool:
        return (
            group.rewound(now)
            or rounds.find(now, pool.id, number) != begun
            or point_at(now, token, start.time) != price
        )

    return Counted(row, lines, changed)


def _standing(
    connection: Connection,
    group: Group,
    rules: Rules,
    holdings: RoundHoldings | None,
    start: RoundRolled,
    end: RoundRolled | None,
    waits: str | None,
    token: Token,
) -> tuple[str, str | None]:
    """Status and reason. A round that nobody held a share of needs no price."""
    if holdings is None:
        return OPEN, waits
    if holdings.shares and not holdings.price:
        return UNPRICED, f"{token.symbol}: no valid price at {time_text(start.time)}"
    is_over = end is not None and _is_final(connection, group, rules, holdings, day_of(start.time))
    return CLOSED if is_over else OPEN, None


def _holdings(
    connection: Connection, group: Group, begun: RoundRow, token: Token, price: PricePoint | None
) -> RoundHoldings:
    """What the round's points follow from; the price is 0 where there is none."""
    pool = group.home.pool
    events = vault_events.unstakes(connection, pool.id, begun.round, begun.start_block)
    return RoundHoldings(
        PoolKey(pool.chain_id, pool.address),
        begun.round,
        begun.start_time,
        rounds.shares(connection, pool.id, begun.round),
        begun.price_per_share,
        0 if price is None else price.price,
        ShareScale(group.home.share_decimals, token.decimals, token.price_decimals),
        unstaked_in(events, begun.round),
    )


def _lines(term: Term, holdings: RoundHoldings) -> list[PointLine]:
    if not holdings.shares:
        return []
    return [
        PointLine(line.address, line.usd_micro, line.points_micro, line.reason)
        for line in points_of_round(term.rule, holdings, term.rules.exclusions)
    ]


def _is_final(connection: Connection, group: Group, rules: Rules, holdings: RoundHoldings, day: int) -> bool:
    """Whether nothing can change the price at the round's start, on `day`, any more.

    A day without liquidity keeps no late price out. Where all shares were on other chains then, a closed day there
    does, or the settled epoch.
    """
    home, *others = (days.states(connection, each.pool.id).get(day) for each in (group.home, *group.others))
    if home is None or home.status != EMPTY or not holdings.shares:
        return home is not None and home.status in (CLOSED, EMPTY)
    is_settled = day < rules.epoch(epochs.settled_count(connection) + 1).days.start
    return is_settled or any(other is not None and other.status == CLOSED for other in others)
