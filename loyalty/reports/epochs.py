"""Epochs and their rewards."""

from loyalty.core.address import Address, checksum
from loyalty.core.errors import NotFound
from loyalty.core.times import time_text
from loyalty.program.rules import Rules
from loyalty.reports.paging import Cut, page
from loyalty.reports.shapes import Shape, amount, amounts, usd
from loyalty.reports.snapshot import Snapshot
from loyalty.reports.unresolved import unresolved_of
from loyalty.state import epochs as table
from loyalty.state import payments
from loyalty.state.epochs import EpochRow, ParticipationRow, RewardRow


def epochs(snapshot: Snapshot, cut: Cut) -> Shape:
    """Every epoch that has begun, in order."""
    rows, after = page(snapshot.epochs.values(), lambda row: (row.number,), "epochs", cut)
    return {"items": [_epoch(snapshot, row) for row in rows], "after": after, **snapshot.moving()}


def epoch(snapshot: Snapshot, number: int) -> Shape:
    """One epoch, and the contracts in it behind which nobody is known; NotFound before it has begun."""
    return {**_epoch(snapshot, snapshot.row(number)), "unresolved": unresolved_of(snapshot, number)}


def _epoch(snapshot: Snapshot, row: EpochRow) -> Shape:
    rules = snapshot.rules_in(row.number)
    span = rules.epoch(row.number)
    lines = table.budgets(snapshot.connection, row.number)
    made = [each for each in payments.all_payments(snapshot.connection) if each.epoch == row.number]
    return {
        "number": row.number,
        "start": time_text(span.start),
        "end": time_text(span.end),
        "digest": row.digest,
        "budget": amounts(rules, {line.token: line.budget_units for line in lines}),
        "carried_in": amounts(rules, {line.token: line.carried_in_units for line in lines}),
        "paid": amounts(rules, {line.token: line.paid_units for line in lines}),
        "carried_out": amounts(rules, {line.token: line.carried_out_units for line in lines}),
        "unallocated": amounts(rules, {line.token: line.unallocated_units for line in lines}),
        "providers": row.providers,
        "usd_days": usd(row.usd_micro_days),
        "reasons": list(row.reasons),
        "rules_version": row.rules_version,
        "payments": [
            {
                **amount(rules, each.token, each.total_units),
                "transaction": each.transaction_hash,
                "time": time_text(each.paid_time),
            }
            for each in made
        ],
        **snapshot.moving_in(row),
    }


def epoch_rewards(snapshot: Snapshot, number: int, token: str | None, cut: Cut) -> Shape:
    """An epoch's rewards by token and address; `token` limits them to one."""
    row = snapshot.row(number)
    rules = snapshot.rules_in(number)
    if token is not None and token not in {reward.token for reward in rules.rewards}:
        names = ", ".join(reward.token for reward in rules.rewards)
        raise NotFound(f"{token!r} is not a reward token of epoch {number}: it pays {names}")
    wanted = (each for each in table.rewards(snapshot.connection, number) if token in (None, each.token))
    order = f"epoch rewards {number} {token}"
    rows, after = page(wanted, lambda each: (each.token, each.provider), order, cut)
    known = {each.provider: each for each in table.participations(snapshot.connection, number)}
    items = [reward(rules, each, known[each.provider], row.status) for each in rows]
    return {"items": items, "after": after, **snapshot.moving_in(row)}


def reward(rules: Rules, row: RewardRow, part: ParticipationRow, status: str) -> Shape:
    """A provider's reward of one token in one epoch, with the weight and tier that it follows from."""
    return {
        "epoch": row.epoch,
        "address": checksum(Address(row.provider)),
        **amount(rules, row.token, row.units),
        "weight": part.weight,
        "tier": part.tier,
        "multiplier": part.multiplier,
        "participation_epoch": part.participation_epoch,
        "status": status,
    }
