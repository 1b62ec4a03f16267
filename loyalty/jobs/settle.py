"""Settle: every epoch that has begun is evaluated; one that is due and that nothing blocks is closed for good.

The same pure function computes a provisional epoch and a settled one. Wall clock enters nothing: an epoch is due by the
time of the chains' final blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.amounts import format_decimal
from loyalty.core.errors import Unavailable
from loyalty.jobs.epoch_blocks import Blocks, blocks_of
from loyalty.jobs.epoch_prices import prices_at, prices_in_force
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
        with state.read() as connection:
            evaluation = evaluate(connection, number)
            if evaluation is None:
                return done
            blocked = blocks_of(connection, evaluation.rules, evaluation.epoch, grid_tokens)
            if blocked.due and number > first:
                blocked = blocked.also(f"epochs settle in order: {first} is not settled yet")
            elif blocked.due and until is not None and number > until:
                blocked = blocked.also(_LEFT)
            digest = digest_of(connection, evaluation) if blocked.settles else None
        done.append(_write(state, evaluation, blocked, digest, now))
        number += 1
        first = number if blocked.settles else first


def evaluate(connection: Connection, number: int) -> Evaluation | None:
    """Epoch `number` from what is stored; None before it has begun."""
    as_of_time = latest_time(connection)
    newest = latest_rules(connection)
    if newest is None or as_of_time is None or number > newest.epochs or as_of_time < newest.epoch(number).start:
        return None
    version, rules = rules_in_force(connection, number)
    epoch = rules.epoch(number)
    as_of_time = min(as_of_time, epoch.end)
    cells = [Cell(*row) for row in days.cells(connection, epoch.days)]
    budgets = _budgets(connection, rules, epoch, as_of_time)
    result = evaluate_epoch(rules, epoch, cells, qualifying_before(connection, number), budgets)
    return Evaluation(version, rules, epoch, cells, result, as_of_time)


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

    A share without any price has no budget of its own yet: zero is shown, and `blocks_of` keeps the epoch from settling.
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


def _write(state: State, evaluation: Evaluation, blocked: Blocks, digest: str | None, now: int) -> Evaluated:
    settles = digest is not None
    status = SETTLED if settles else COMPUTED if blocked.final else PROVISIONAL
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
    with StateTransaction(state, durable=settles) as connection:
        epochs.write(connection, row, _budget_rows(result), _participation_rows(result), _reward_rows(result))
        if settles:
            detail = {"epoch": row.number, "digest": digest, "rules_version": row.rules_version}
            audit.write(connection, now, "worker", "settle", detail)
    return Evaluated(row.number, status, blocked.due, blocked.reasons, row.digest)


def _budget_rows(result: EpochResult) -> list[BudgetRow]:
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


def _participation_rows(result: EpochResult) -> list[ParticipationRow]:
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
