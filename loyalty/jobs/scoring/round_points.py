"""Round points: what the holders of a vault's shares get for each round, at the price of its start."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.amounts import format_decimal
from loyalty.core.facts import PricePoint, RoundRolled
from loyalty.core.times import day_of, time_text
from loyalty.jobs.accrue import CLOSED, EMPTY, OPEN, UNPRICED
from loyalty.jobs.pricing.epoch_prices import point_at
from loyalty.jobs.scoring.counted import Counted
from loyalty.jobs.scoring.round_starts import Group, group_of
from loyalty.jobs.scoring.score_rules import Term
from loyalty.program.points import RoundHoldings, ShareScale, points_of_round, unstaked_in
from loyalty.program.rules import PoolKey, Token
from loyalty.state import (
    days,
    points,
    pool_tokens,
    round_rolls,
    rounds,
    vault_events,
    vaults,
)
from loyalty.state.points import PeriodRow, PointLine
from loyalty.state.pools import PoolRow
from loyalty.state.rounds import RoundRow


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

    None where its start has been rewound meanwhile.
    """
    pool, number = group.home.pool, start.round + 1
    begun, waits = rounds.find(connection, pool.id, number), group.waits_for(connection, start)
    if group.head is None or (begun is None and waits is None):
        return None
    token = term.rules.tokens[pool_tokens.symbols(connection, pool)[0]]
    price = point_at(connection, token, start.time)
    holdings = None if begun is None else _holdings(connection, group, begun, token, price)
    missing = waits if holdings is None else _unpriced(holdings, token)
    standing = _standing(connection, group, holdings, missing, end)
    row = PeriodRow(
        term.rule.name,
        pool.id,
        "round",
        number,
        standing.status,
        missing,
        price=None if price is None else price.price,
        rate=format_decimal(term.rule.per_usd_per_round[PoolKey(pool.chain_id, pool.address)]),
        as_of_block=standing.block,
        as_of_time=standing.time,
    )
    lines = [] if holdings is None or missing is not None else _lines(term, holdings)

    def changed(now: Connection) -> bool:
        return (
            group.rewound(now)
            or rounds.find(now, pool.id, number) != begun
            or point_at(now, token, start.time) != price
        )

    return Counted(row, lines, changed)


class _Standing(NamedTuple):
    """A round's status, and the block of the vault's own chain and the time up to which facts are counted in it."""

    status: str
    block: int
    time: int


def _standing(
    connection: Connection, group: Group, holdings: RoundHoldings | None, missing: str | None, end: RoundRolled | None
) -> _Standing:
    """A round is counted for good once it is over and the day it began on is closed for the vault and all its shares:
    its price cannot change any more. It then hangs on what closed those days too."""
    if end is None:
        assert group.head is not None  # a round that has begun was indexed
        here = (group.head.number, group.head.time)
    else:
        here = (end.block, end.time)
    if holdings is None or missing is not None:
        return _Standing(OPEN if holdings is None else UNPRICED, *here)
    day = day_of(holdings.start)
    pool_days = [days.states(connection, each.pool.id).get(day) for each in (group.home, *group.others)]
    known = [each for each in pool_days if each is not None and each.status in (CLOSED, EMPTY)]
    if end is None or len(known) < len(pool_days):
        return _Standing(OPEN, *here)
    return _Standing(CLOSED, max(end.block, known[0].as_of_block), max(end.time, *(each.as_of_time for each in known)))


def _unpriced(holdings: RoundHoldings, token: Token) -> str | None:
    """What is missing; a round that nobody held a share of needs no price."""
    return (
        None
        if holdings.price or not holdings.shares
        else f"{token.symbol}: no valid price at {time_text(holdings.start)}"
    )


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
