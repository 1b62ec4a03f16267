"""Settle: every epoch that has begun is evaluated; one that is due and that nothing blocks is closed for good.

The same pure function computes a provisional epoch and a settled one. Wall clock enters nothing: an epoch is due by the
time of the chains' final blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.amounts import format_decimal
from loyalty.core.errors import Conflict, Unavailable
from loyalty.jobs.epoch_blocks import Blocks, blocks_of
from loyalty.jobs.pricing.epoch_prices import prices_at, prices_in_force
from loyalty.jobs.rules import latest_rules, rules_in_force
from loyalty.program.budget import Budget, epoch_budgets, own_budget
from loyalty.program.cells import Cell
from loyalty.program.digest import epoch_digest
from loyalty.program.rules import Epoch, Rules
from loyalty.program.settlement import EpochResult, evaluate_epoch
from loyalty.state import StateTransaction, audit, blocks, chains, days, epochs
from loyalty.state.engine import State
from loyalty.state.epochs import BudgetRow, EpochRow, ParticipationRow, RewardRow

PROVISIONAL, COMPUTED, SETTLED = "provisional", "computed", "settled"

_LEFT = "due: `loyalty settle` or the worker settles it"


class Evaluated(NamedTuple):
    """An epoch as it stands. `due`: its time has come; then `reasons` are what an operator must look at."""

    number: int
    status: str
    due: bool
    reasons: tuple[str, ...]
    digest: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An epoch evaluated on one snapshot of the database, not written yet."""

    rules_version: int
    rules: Rules
    epoch: Epoch
    cells: list[Cell]
    result: EpochResult
    as_of_time: int


def settle(
    state: State, now: int, until: int | None = None, grid_tokens: frozenset[str] = frozenset()
) -> list[Evaluated]:
    """Evaluate the unsettled epochs in order, settle those that can be (up to `until`), and say what became of each.

    A blocked epoch holds back the later ones; `until` 0 settles none. `grid_tokens` are those whose prices come on the
    hourly grid.
    """
    with state.read() as connection:
        first = number = epochs.settled_count(connection) + 1
    done: list[Evaluated] = []
    while True:
        judge = partial(_judge, number=number, first=first, until=until, grid_tokens=grid_tokens)
        with state.read() as connection:
            blocked = judge(connection)
            if blocked is None:
                break
            evaluation = None if blocked.settles else evaluate(connection, number)
        done.append(_keep(state, evaluation, blocked) if evaluation else _close(state, number, judge, now))
        number += 1
        first = number if done[-1].status == SETTLED else first
    _forget_unbegun(state, number)
    return done


def _forget_unbegun(state: State, number: int) -> None:
    """Evaluations of epochs that had begun on a chain that is no longer this one: a reorg can go back over midnight."""
    with state.read() as connection:
        stale = any(row.number >= number for row in epochs.all_epochs(connection))
    if stale:
        with StateTransaction(state) as connection:
            if _begun(connection, number) is None:
                epochs.delete_unsettled(connection, number)


def _judge(
    connection: Connection, *, number: int, first: int, until: int | None, grid_tokens: frozenset[str]
) -> Blocks | None:
    """What keeps the epoch from being settled now; None before it has begun."""
    if (begun := _begun(connection, number)) is None:
        return None
    blocked = blocks_of(connection, begun.rules, begun.rules.epoch(number), grid_tokens)
    if blocked.due and number > first:
        return blocked.also(f"epochs settle in order: {first} is not settled yet")
    if blocked.due and until is not None and number > until:
        return blocked.also(_LEFT)
    return blocked


def _keep(state: State, evaluation: Evaluation, blocked: Blocks) -> Evaluated:
    """The evaluation of an epoch that is not settled; the next one takes its place."""
    with StateTransaction(state) as connection:
        return _write(connection, evaluation, blocked, None)


def _close(state: State, number: int, judge: Callable[[Connection], Blocks | None], now: int) -> Evaluated:
    """Judged, evaluated and settled in one transaction: no hold and no price can come in between."""
    with StateTransaction(state, durable=True) as connection:
        blocked, evaluation = judge(connection), evaluate(connection, number)
        if blocked is None or evaluation is None:
            raise Conflict(f"epoch {number} was rewound while it was settled; it is looked at again at the next turn")
        if not blocked.settles:
            return _write(connection, evaluation, blocked, None)
        digest = digest_of(connection, evaluation)
        detail = {"epoch": number, "digest": digest, "rules_version": evaluation.rules_version}
        audit.write(connection, now, "worker", "settle", detail)
        return _write(connection, evaluation, blocked, digest)


class _Begun(NamedTuple):
    """An epoch that has begun: the rules in force in it, and up to where the program has been seen."""

    rules_version: int
    rules: Rules
    seen_time: int


def _begun(connection: Connection, number: int) -> _Begun | None:
    seen_time, newest = latest_time(connection), latest_rules(connection)
    if newest is None or seen_time is None or number > newest.epochs or seen_time < newest.epoch(number).start:
        return None
    return _Begun(*rules_in_force(connection, number), seen_time)


def evaluate(connection: Connection, number: int) -> Evaluation | None:
    """Epoch `number` from what is stored; None before it has begun."""
    if (begun := _begun(connection, number)) is None:
        return None
    rules, epoch = begun.rules, begun.rules.epoch(number)
    as_of_time = min(begun.seen_time, epoch.end)
    cells = [Cell(*row) for row in days.cells(connection, epoch.days)]
    budgets = _budgets(connection, rules, epoch, as_of_time)
    result = evaluate_epoch(rules, epoch, cells, qualifying_before(connection, number), budgets)
    return Evaluation(begun.rules_version, rules, epoch, cells, result, as_of_time)


def digest_of(connection: Connection, evaluation: Evaluation) -> str:
    """Hex SHA-256 as docs/digest.md describes it."""
    prices = prices_in_force(connection, evaluation.rules, evaluation.epoch)
    return epoch_digest(evaluation.rules, evaluation.result, evaluation.cells, prices)


def latest_time(connection: Connection) -> int | None:
    """The time of the newest indexed block of any chain: up to where the program has been seen."""
    times = [header.time for chain in chains.all_chains(connection) if (header := blocks.last(connection, chain.id))]
    return max(times, default=None)


def qualifying_before(connection: Connection, number: int) -> dict[Address, int]:
    """Each provider's qualifying epochs before epoch `number`, as the rules in force in each epoch count them.

    Where a lapse resets, only the epoch before can have left a count; where it pauses, the one before that speaks.
    """
    counts: dict[Address, int] = {}
    for earlier in range(number - 1, 0, -1):
        for row in epochs.participations(connection, earlier):
            counts.setdefault(row.provider, row.participation_epoch)
        if rules_in_force(connection, earlier)[1].on_lapse == "reset":
            break
    return counts


def carried_in(connection: Connection, number: int) -> dict[str, int]:
    """By symbol what the epoch before carried out."""
    return {row.token: row.carried_out_units for row in epochs.budgets(connection, number - 1)} if number > 1 else {}


def _budgets(connection: Connection, rules: Rules, epoch: Epoch, as_of_time: int) -> tuple[Budget, ...]:
    """The epoch's budgets; before its end a USD share is worth what the prices of now make it.

    A share without any price has no budget of its own yet: zero is shown, and `blocks_of` keeps the epoch open.
    """
    known = prices_at(connection, rules, as_of_time) | prices_at(connection, rules, epoch.end)
    carried = carried_in(connection, epoch.number)
    try:
        return epoch_budgets(rules, epoch.number, known, carried)
    except Unavailable:
        return tuple(_without_price(rules, epoch, reward.token, carried) for reward in rules.rewards)


def _without_price(rules: Rules, epoch: Epoch, symbol: str, carried: Mapping[str, int]) -> Budget:
    reward = next(reward for reward in rules.rewards if reward.token == symbol)
    own = 0 if reward.usd_share else own_budget(reward, epoch.number, rules.epochs)
    return Budget(symbol, own, carried.get(symbol, 0))


def _write(connection: Connection, evaluation: Evaluation, blocked: Blocks, digest: str | None) -> Evaluated:
    """The evaluation in the place of the epoch's earlier one; with a digest it is settled."""
    status = SETTLED if digest is not None else COMPUTED if blocked.final else PROVISIONAL
    result = evaluation.result
    row = EpochRow(
        number=result.epoch.number,
        status=status,
        digest=digest,
        rules_version=evaluation.rules_version,
        providers=result.providers,
        usd_micro_days=result.usd_micro_days,
        reasons=blocked.reasons,
        as_of_time=evaluation.as_of_time,
    )
    epochs.write(connection, row, budget_rows(result), participation_rows(result), _reward_rows(result))
    return Evaluated(row.number, status, blocked.due, blocked.reasons, row.digest)


def budget_rows(result: EpochResult) -> list[BudgetRow]:
    """The ledgers as they are stored."""
    return [
        BudgetRow(
            ledger.token,
            ledger.own_units,
            ledger.carried_in_units,
            ledger.paid_units,
            ledger.carried_out_units,
            ledger.unallocated_units,
        )
        for ledger in result.ledgers
    ]


def participation_rows(result: EpochResult) -> list[ParticipationRow]:
    """The participations as they are stored."""
    return [
        ParticipationRow(
            each.provider,
            each.usd_micro_days,
            each.participation_epoch,
            each.tier,
            format_decimal(each.multiplier),
            format_decimal(each.weight),
        )
        for each in result.participations
    ]


def _reward_rows(result: EpochResult) -> list[RewardRow]:
    return [
        RewardRow(result.epoch.number, token, provider, units)
        for token, rewards in result.rewards.items()
        for provider, units in rewards.items()
    ]
