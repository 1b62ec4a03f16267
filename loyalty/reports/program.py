"""The program: its rules as in force now, where it stands, and what became of its budget so far."""

from collections.abc import Iterable

from loyalty.config.rules_shown import dated
from loyalty.core.address import checksum
from loyalty.core.amounts import USD_DECIMALS, format_decimal, format_units
from loyalty.core.times import duration_text, time_text
from loyalty.jobs.settle import SETTLED
from loyalty.program.epochs import position_text
from loyalty.program.rules import Exclusion, PoolRule, Reward, Rules
from loyalty.reports.shapes import Shape, amount, pool_of, time_or_none
from loyalty.reports.snapshot import Snapshot
from loyalty.state import epochs, payments
from loyalty.state.epochs import BudgetRow


def program(snapshot: Snapshot) -> Shape:
    """What a visitor needs first."""
    rules, running = snapshot.rules, snapshot.running
    return {
        "name": rules.name,
        "start": time_text(rules.start),
        "end": time_text(rules.end),
        "epochs": rules.epochs,
        "epoch_length": duration_text(rules.epoch_seconds),
        "phase": phase(snapshot),
        "position": position_text(rules, snapshot.time if snapshot.time is not None else rules.start - 1),
        "time": time_or_none(snapshot.time),
        "current_epoch": running.number if running else None,
        "current_epoch_end": time_text(running.end) if running else None,
        "settled_epochs": sum(row.status == SETTLED for row in snapshot.epochs.values()),
        "count": rules.count,
        "minimum_usd": format_units(rules.minimum_usd_micro, USD_DECIMALS),
        "on_lapse": rules.on_lapse,
        "settle_after": duration_text(rules.settle_after),
        "rules_version": snapshot.version,
        "rewards": [_reward(rules, reward) for reward in rules.rewards],
        "budgets": budgets(snapshot),
        "pools": [_pool(pool) for pool in rules.pools],
        "exclusions": [_exclusion(each) for each in rules.exclusions],
        **snapshot.moving(),
    }


def phase(snapshot: Snapshot) -> str:
    """not_started, running or ended, by the newest indexed block's time."""
    if snapshot.time is None or snapshot.time < snapshot.rules.start:
        return "not_started"
    return "running" if snapshot.running else "ended"


def budgets(snapshot: Snapshot) -> list[Shape]:
    """Per reward token what there is, and what became of it. A USD share has no total before its last epoch."""
    rows = [
        (row.status, line)
        for row in snapshot.epochs.values()
        for line in epochs.budgets(snapshot.connection, row.number)
    ]
    paid = payments.all_payments(snapshot.connection)
    return [
        _budget(
            snapshot.rules,
            reward,
            [(status, line) for status, line in rows if line.token == reward.token],
            sum(payment.total_units for payment in paid if payment.token == reward.token),
        )
        for reward in snapshot.rules.rewards
    ]


def _budget(rules: Rules, reward: Reward, lines: Iterable[tuple[str, BudgetRow]], transferred: int) -> Shape:
    known = list(lines)
    paid = sum(line.paid_units for status, line in known if status == SETTLED)
    provisional = sum(line.paid_units for status, line in known if status != SETTLED)
    unallocated = sum(line.unallocated_units for status, line in known if status == SETTLED)
    total = total_units(reward)

    def of(units: int) -> Shape:
        return amount(rules, reward.token, units)

    return {
        "token": reward.token,
        "total": None if total is None else of(total),
        "paid": of(paid),
        "provisional": of(provisional),
        "unallocated": of(unallocated),
        "left": None if total is None else of(total - paid - unallocated),
        "transferred": of(transferred),
    }


def total_units(reward: Reward) -> int | None:
    """The whole program's units of a token; None where each epoch's prices decide."""
    return reward.total_units if reward.per_epoch_units is None else sum(reward.per_epoch_units)


def _reward(rules: Rules, reward: Reward) -> Shape:
    token, share = rules.tokens[reward.token], reward.usd_share
    return {
        "token": reward.token,
        "decimals": token.decimals,
        "chain": token.chain or None,
        "address": checksum(token.address) if token.address else None,
        "usd_share": {"of": share.of, "fraction": format_decimal(share.fraction)} if share else None,
    }


def _pool(rule: PoolRule) -> Shape:
    return {
        **pool_of(*rule.pool),
        "tokens": list(rule.tokens),
        "weight": format_decimal(rule.weight),
        **dated(rule.from_day, rule.until_day),
    }


def _exclusion(each: Exclusion) -> Shape:
    return {"address": checksum(each.address), "reason": each.reason, **dated(each.from_day, each.until_day)}
