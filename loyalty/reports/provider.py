"""A provider: what it holds, its last 30 days, its tier and how it came to it, its rewards."""

from collections import Counter
from typing import NamedTuple

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.spans import Span
from loyalty.core.times import day_of, day_text
from loyalty.jobs.settle import SETTLED
from loyalty.reports.epochs import reward
from loyalty.reports.paging import Cut, page
from loyalty.reports.shapes import Shape, amounts, pool_of, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.standing import Standings, next_tier
from loyalty.state import balances, days, epochs, payments, providers
from loyalty.state.days import DailyCell
from loyalty.state.epochs import ParticipationRow, RewardRow

DAYS_SHOWN = 30
EPOCHS_SHOWN = 5
DAYS_MOST = 1_000


class Known(NamedTuple):
    """An address that facts speak of."""

    address: Address
    id: int


def known(snapshot: Snapshot, address: Address) -> Known:
    """Raises NotFound for an address that no fact of the program's pools speaks of."""
    number = providers.find(snapshot.connection, address)
    if number is None:
        raise NotFound(f"{checksum(address)} has never had liquidity in the program's pools")
    return Known(address, number)


def provider(snapshot: Snapshot, address: Address) -> Shape:
    """What a provider looks up. Amounts of the past count settled epochs; what runs is told apart as provisional."""
    who = known(snapshot, address)
    standings = Standings.of(snapshot)
    history = epochs.participation_history(snapshot.connection, who.id)
    held = balances.balances(snapshot.connection, who.id)
    return {
        "address": checksum(address),
        "usd": usd(sum(each.usd_micro for each in held)),
        "usd_in_range": usd(sum(each.usd_micro_in_range for each in held)),
        "balances": [
            {**pool_of(each.chain, each.pool), "usd": usd(each.usd_micro), "usd_in_range": usd(each.usd_micro_in_range)}
            for each in held
        ],
        "epoch": standings.epoch or None,
        **standings.shape(address),
        "next_tier": _next_tier(snapshot, standings, address),
        "progression": [_progress(snapshot, number, part) for number, part in history.items()],
        "days": _daily_items(snapshot, who, _last_days(snapshot, DAYS_SHOWN)),
        "last_rewards": _last_rewards(snapshot, who, history),
        **_sums(snapshot, who),
        "excluded": snapshot.excluded_now().get(address),
        **snapshot.moving(),
    }


def _next_tier(snapshot: Snapshot, standings: Standings, address: Address) -> Shape | None:
    found = standings.tier_of(address)
    reached = found[1].participation_epoch if found else 0
    tier = next_tier(snapshot, reached)
    if tier is None:
        return None
    return {
        "tier": tier.name,
        "from_epoch": tier.from_epoch,
        "multiplier": format_decimal(tier.multiplier),
        "minimum_usd": format_units(tier.minimum_usd_micro, USD_DECIMALS),
        "epochs_to_go": tier.from_epoch - reached,
    }


def _progress(snapshot: Snapshot, number: int, part: ParticipationRow) -> Shape:
    days_counted = snapshot.rules.epoch(number).days.length
    return {
        "epoch": number,
        "participation_epoch": part.participation_epoch,
        "tier": part.tier,
        "multiplier": part.multiplier,
        "usd_days": usd(part.usd_micro_days),
        "epoch_average_usd": usd(part.usd_micro_days // days_counted),
        "weight": part.weight,
        "status": snapshot.epochs[number].status,
    }


def _sums(snapshot: Snapshot, who: Known) -> Shape:
    """Rewards of settled epochs, those not settled yet, and what payments have transferred."""
    earned: Counter[str] = Counter()
    provisional: Counter[str] = Counter()
    for row in epochs.reward_history(snapshot.connection, who.id):
        settled = snapshot.epochs[row.epoch].status == SETTLED
        (earned if settled else provisional)[row.token] += row.units
    tokens = [each.token for each in snapshot.rules.rewards]
    paid = {token: payments.paid_units(snapshot.connection, token).get(who.address, 0) for token in tokens}
    rules = snapshot.rules
    return {
        "earned": amounts(rules, earned),
        "provisional": amounts(rules, provisional),
        "transferred": amounts(rules, paid),
    }


def _last_rewards(snapshot: Snapshot, who: Known, history: dict[int, ParticipationRow]) -> list[Shape]:
    rows = epochs.reward_history(snapshot.connection, who.id)
    newest = sorted({row.epoch for row in rows}, reverse=True)[:EPOCHS_SHOWN]
    return [_reward(snapshot, row, history[row.epoch]) for row in rows if row.epoch in newest]


def _reward(snapshot: Snapshot, row: RewardRow, part: ParticipationRow) -> Shape:
    return reward(snapshot.rules_in(row.epoch), row, part, snapshot.epochs[row.epoch].status)


def rewards(snapshot: Snapshot, address: Address, cut: Cut) -> Shape:
    """Every reward of a provider, newest epoch first."""
    who = known(snapshot, address)
    history = epochs.participation_history(snapshot.connection, who.id)
    every = epochs.reward_history(snapshot.connection, who.id)
    rows, after = page(every, lambda row: (-row.epoch, row.token), f"rewards of {address}", cut)
    return {"items": [_reward(snapshot, row, history[row.epoch]) for row in rows], "after": after, **snapshot.moving()}


def daily(snapshot: Snapshot, address: Address, first: int | None, last: int | None, cut: Cut) -> Shape:
    """A provider's days from `first` through `last` (the last 30 without), by date, chain and pool."""
    who = known(snapshot, address)
    span = _asked_days(snapshot, first, last)
    order = f"daily of {address}"
    cells = days.cells(snapshot.connection, span, who.id)
    rows, after = page(cells, lambda cell: (cell.day, cell.chain, cell.pool), order, cut)
    return {"items": [_day(snapshot, cell) for cell in rows], "after": after, **snapshot.moving()}


def _asked_days(snapshot: Snapshot, first: int | None, last: int | None) -> Span:
    recent = _last_days(snapshot, DAYS_SHOWN)
    end = recent.end if last is None else last + 1
    span = Span(max(0, end - DAYS_SHOWN) if first is None else first, end)
    if span.length > DAYS_MOST or span.end < span.start:
        raise Invalid(f"`from` and `to` must name 1 to {DAYS_MOST} days, with `from` not after `to`")
    return span


def _last_days(snapshot: Snapshot, count: int) -> Span:
    """The `count` days up to and with the newest indexed block's, or the program's last day."""
    time = snapshot.rules.start if snapshot.time is None else min(snapshot.time, snapshot.rules.end - 1)
    return Span(max(0, day_of(time) + 1 - count), day_of(time) + 1)


def _daily_items(snapshot: Snapshot, who: Known, span: Span) -> list[Shape]:
    return [_day(snapshot, cell) for cell in days.cells(snapshot.connection, span, who.id)]


def _day(snapshot: Snapshot, cell: DailyCell) -> Shape:
    return {
        "date": day_text(cell.day),
        **pool_of(cell.chain, cell.pool),
        "usd_days": usd(cell.usd_micro_days),
        "usd_days_in_range": usd(cell.usd_micro_days_in_range),
        "status": snapshot.status_of_day(cell.day),
    }
