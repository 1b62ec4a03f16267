"""Points: what an address has in every score, line by line, and who has how many."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_decimal, format_units, format_units_fixed, parse_decimal
from loyalty.core.errors import Inconsistent, NotFound
from loyalty.core.times import DAY_SECONDS, day_of, day_text, time_text
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.settle import PROVISIONAL
from loyalty.program.points import (
    POINTS_DECIMALS,
    DayPoints,
    Place,
    Reason,
    RoundPoints,
    ShareScale,
    leaderboard,
)
from loyalty.program.rules import PoolKey
from loyalty.reports.paging import Cut, page
from loyalty.reports.provider import known
from loyalty.reports.shapes import Shape, pool_of, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.state import points, pool_tokens, pools, vaults
from loyalty.state.points import ProviderLine


class Scored(NamedTuple):
    """A line with its score, the beginning of its round or day, and how firm it is."""

    score: str
    start: int
    status: str
    line: RoundPoints | DayPoints


def scores(snapshot: Snapshot) -> list[str]:
    """The program's scores, in its order."""
    return [rule.name for rule in snapshot.rules.points]


def in_points(points_micro: int) -> str:
    """Points with exactly 6 decimals."""
    return format_units_fixed(points_micro, POINTS_DECIMALS)


# One address ---------------------------------------------------------------------------------------------------------


def provider_points(snapshot: Snapshot, address: Address, cut: Cut) -> Shape:
    """An address's points in every score, and a page of its lines, the newest first."""
    lines = lines_of(snapshot, address)
    rows, after = page(lines, _newest_first, f"points {address}", cut)
    return {
        "address": checksum(address),
        "scores": [_total(snapshot, score, address) for score in scores(snapshot)],
        "items": [_line(each) for each in rows],
        "after": after,
        **moving(snapshot, scores(snapshot)),
    }


def lines_of(snapshot: Snapshot, address: Address) -> list[Scored]:
    """Every line of an address in the program's scores; NotFound where no fact speaks of it."""
    who, named = known(snapshot, address), set(scores(snapshot))
    scales: dict[int, tuple[PoolKey, ShareScale]] = {}
    found = []
    for row in points.of_provider(snapshot.connection, who.id):
        if row.score in named:
            if row.pool_id not in scales:
                scales[row.pool_id] = _scale(snapshot, row.pool_id)
            found.append(_scored(snapshot, address, row, *scales[row.pool_id]))
    return found


def _scale(snapshot: Snapshot, pool_id: int) -> tuple[PoolKey, ShareScale]:
    """The pool, and the decimals of its shares, its asset and the asset's price (0 for shares that it has none of)."""
    pool, vault = pools.get(snapshot.connection, pool_id), vaults.find(snapshot.connection, pool_id)
    token = snapshot.rules.tokens[pool_tokens.symbols(snapshot.connection, pool)[0]]
    decimals = ShareScale(vault.share_decimals if vault else 0, token.decimals, token.price_decimals)
    return PoolKey(pool.chain_id, pool.address), decimals


def _scored(snapshot: Snapshot, address: Address, row: ProviderLine, pool: PoolKey, scale: ShareScale) -> Scored:
    start = row.number * DAY_SECONDS if row.period == "day" else row.start_time
    reason: Reason | None = None if row.reason is None else "excluded" if row.reason == "excluded" else "unstaked"
    rate = parse_decimal(row.rate)
    if start is None or (row.period == "round" and None in (row.shares, row.price_per_share, row.price)):
        raise Inconsistent(f"round {row.number} of {pool.address} has points, but its start is not stored")
    line: RoundPoints | DayPoints = DayPoints(pool, row.number, address, row.usd_micro, rate, row.points_micro, reason)
    if row.period == "round":
        line = RoundPoints(
            pool,
            row.number,
            start,
            address,
            row.shares or 0,
            row.price_per_share or 0,
            row.price or 0,
            scale,
            row.usd_micro,
            rate,
            row.points_micro,
            reason,
        )
    return Scored(row.score, start, status_of(snapshot, start, row.status), line)


def status_of(snapshot: Snapshot, start: int, period_status: str) -> str:
    """How firm a round or a day is: what is counted for good is as firm as the epoch that it began in."""
    return snapshot.status_of_day(day_of(start)) if period_status == CLOSED else PROVISIONAL


def _newest_first(each: Scored) -> tuple[int | str, ...]:
    number = each.line.round if isinstance(each.line, RoundPoints) else each.line.day
    return (-each.start, each.score, each.line.pool.chain, each.line.pool.address, number)


def _line(each: Scored) -> Shape:
    line = each.line
    by_round = isinstance(line, RoundPoints)
    return {
        "score": each.score,
        **pool_of(line.pool.chain, line.pool.address),
        "period": "round" if by_round else "day",
        "start": time_text(each.start),
        **(_round_part(line) if isinstance(line, RoundPoints) else _day_part(line)),
        "rate": format_decimal(line.rate),
        "points": in_points(line.points_micro),
        "reason": line.reason,
        "status": each.status,
    }


def _round_part(line: RoundPoints) -> Shape:
    return {
        "round": line.round,
        "date": None,
        "shares": format_units(line.shares, line.scale.share_decimals),
        "price_per_share": format_units(line.price_per_share, line.scale.asset_decimals),
        "price": format_units(line.price, line.scale.price_decimals),
        "usd": usd(line.usd_micro),
    }


def _day_part(line: DayPoints) -> Shape:
    return {
        "round": None,
        "date": day_text(line.day),
        "shares": None,
        "price_per_share": None,
        "price": None,
        "usd": usd(line.usd_micro_days),
    }


# Everybody -----------------------------------------------------------------------------------------------------------


def _total(snapshot: Snapshot, score: str, address: Address) -> Shape:
    found = points.totals(snapshot.connection, score)
    mine = found.get(address, 0)
    rank = 1 + sum(others > mine for others in found.values()) if mine else None
    return {"score": score, "points": in_points(mine), "rank": rank}


def leaders(snapshot: Snapshot, cut: Cut, score: str | None = None) -> Shape:
    """One page of the addresses with points in a score (the program's first), most points first."""
    name = score_named(snapshot, score)
    places = leaderboard(points.totals(snapshot.connection, name)) if name is not None else []
    shared: dict[int, int] = {}
    for place in places:
        shared[place.rank] = shared.get(place.rank, 0) + 1
    told = moving(snapshot, [] if name is None else [name])
    rows, after = page(places, lambda each: (-each.points_micro, each.address), f"leaderboard {name}", cut)
    return {
        "score": name,
        "scores": scores(snapshot),
        "items": [_leader(each, shared, told["status"]) for each in rows],
        "after": after,
        **told,
    }


def score_named(snapshot: Snapshot, score: str | None) -> str | None:
    """The score that is meant: the first where none is named, None in a program without points."""
    names = scores(snapshot)
    if score is None:
        return names[0] if names else None
    if score not in names:
        told = f"there are {', '.join(names)}" if names else "the program has no points"
        raise NotFound(f"there is no score {score!r}: {told}")
    return score


def moving(snapshot: Snapshot, names: Sequence[str]) -> Shape:
    """What an answer about these scores says of itself: provisional while a round or day of them goes on."""
    told = snapshot.moving()
    goes_on = any(points.any_open(snapshot.connection, name) for name in names)
    return told | {"status": PROVISIONAL} if goes_on else told


def _leader(place: Place, shared: Mapping[int, int], status: str) -> Shape:
    return {
        "rank": place.rank,
        "shared_by": shared[place.rank],
        "address": checksum(place.address),
        "points": in_points(place.points_micro),
        "status": status,
    }
