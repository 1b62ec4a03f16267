"""Rounds of vaults: when each began and ended, what it brought, and what it gave in points."""

from typing import NamedTuple

from loyalty.core.amounts import format_units
from loyalty.core.facts import RoundRolled
from loyalty.core.times import time_text
from loyalty.jobs.accrue import CLOSED
from loyalty.jobs.settle import PROVISIONAL
from loyalty.program.rules import Token
from loyalty.reports.paging import Cut, page
from loyalty.reports.points import in_points, moving, scores, status_of
from loyalty.reports.shapes import Shape, pool_of, time_or_none
from loyalty.reports.snapshot import Snapshot
from loyalty.state import points, pool_tokens, round_rolls, rounds, vaults
from loyalty.state.points import PeriodRow
from loyalty.state.rounds import RoundRow
from loyalty.state.vaults import Vault


class _Round(NamedTuple):
    """A round between the roll that began it and the one that ended it, and what is counted of it."""

    vault: Vault
    asset: Token
    number: int
    start: RoundRolled | None
    end: RoundRolled | None
    begun: RoundRow | None
    holders: int
    counted: tuple[PeriodRow, ...]
    totals: dict[str, int]


def vault_rounds(snapshot: Snapshot, cut: Cut) -> Shape:
    """One page of the rounds of every vault that has them, the newest first."""
    found = [
        each
        for vault in vaults.all_vaults(snapshot.connection)
        if vault.pool.protocol == "stream_vault" and vault.home_pool_id is None
        for each in _rounds(snapshot, vault)
    ]
    rows, after = page(found, _newest_first, "rounds", cut)
    return {"items": [_shape(snapshot, each) for each in rows], "after": after, **moving(snapshot, scores(snapshot))}


def _rounds(snapshot: Snapshot, vault: Vault) -> list[_Round]:
    connection, pool = snapshot.connection, vault.pool
    rolls = {roll.round: roll for roll in round_rolls.of_vault(connection, pool.id)}
    asset = snapshot.rules.tokens[pool_tokens.symbols(connection, pool)[0]]
    begun, held = rounds.of_pool(connection, pool.id), rounds.holders(connection, pool.id)
    counted, totals = points.periods(connection, pool.id, "round"), points.period_totals(connection, pool.id, "round")
    named = scores(snapshot)
    return [
        _Round(
            vault,
            asset,
            number,
            rolls.get(number - 1),
            rolls.get(number),
            begun.get(number),
            held.get(number, 0),
            tuple(counted[score, number] for score in named if (score, number) in counted),
            {score: totals.get((score, number), 0) for score in named},
        )
        for number in sorted({*rolls, *(roll + 1 for roll in rolls)})
    ]


def _newest_first(each: _Round) -> tuple[int | str, ...]:
    start = each.start.time if each.start else 0
    return (-start, each.vault.pool.chain_id, each.vault.pool.address, -each.number)


def _shape(snapshot: Snapshot, each: _Round) -> Shape:
    shares, asset, begun = each.vault.share_decimals, each.asset, each.begun
    reasons = sorted({period.reason for period in each.counted if period.reason})
    return {
        **pool_of(each.vault.pool.chain_id, each.vault.pool.address),
        "round": each.number,
        "asset": asset.symbol,
        "start": time_text(each.start.time) if each.start else None,
        "end": time_or_none(each.end.time if each.end else None),
        "price_per_share": format_units(each.start.price_per_share, asset.decimals) if each.start else None,
        "yield": format_units(each.end.yield_units, asset.decimals) if each.end else None,
        "shares_minted": format_units(each.end.shares_minted, shares) if each.end else None,
        "participants": each.holders if begun else None,
        "in_flight_shares": format_units(begun.in_flight_shares, shares) if begun else None,
        "unclaimed_shares": format_units(begun.unclaimed_shares, shares) if begun else None,
        "points": [{"score": period.score, "points": in_points(each.totals[period.score])} for period in each.counted],
        "reason": "; ".join(reasons) or None,
        "status": _status(snapshot, each),
    }


def _status(snapshot: Snapshot, each: _Round) -> str:
    """A round that gives no points is over as far as its epoch is."""
    if each.end is None or each.start is None or any(period.status != CLOSED for period in each.counted):
        return PROVISIONAL
    return status_of(snapshot, each.start.time, CLOSED)
