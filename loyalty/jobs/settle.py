"""Settle: every epoch that has begun is evaluated; one that is due and that nothing blocks is closed for good.

The same pure function computes a provisional epoch and a settled one. Wall clock enters nothing: an epoch is due by the
time of the chains' final blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address
from loyalty.core.errors import Unavailable
from loyalty.jobs.epoch_blocks import Blocks, blocks_of
from loyalty.jobs.epoch_digest import digest_of
from loyalty.program.budget import Budget, epoch_budgets, tokens_priced_at_end
from loyalty.program.cells import Cell
from loyalty.program.rules import Epoch, Rules
from loyalty.program.rules_text import rules_from_json
from loyalty.program.settlement import EpochResult, evaluate_epoch
from loyalty.state import StateTransaction, audit, blocks, chains, days, epochs, prices, program_config, tokens
from loyalty.state.engine import State

PROVISIONAL, COMPUTED, SETTLED = "provisional", "computed", "settled"


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
    result: EpochResult
    blocks: Blocks
    as_of_time: int


def settle(state: State, now: int, until: int | None = None, grid_tokens: frozenset[str] = frozenset()) -> list[Evaluated]:
    """Evaluate the unsettled epochs in order, settle those that can be (up to `until`), and say what became of each.

    A blocked epoch holds back the later ones. `grid_tokens` are those whose prices come on the hourly grid.
    """
    with state.read() as connection:
        number = epochs.settled_count(connection) + 1
    done: list[Evaluated] = []
    held_back: str | None = None
    while True:
        with state.read() as connection:
            evaluation = evaluate(connection, number, grid_tokens)
        if evaluation is None:
            return done
        may_settle = until is None or number <= until
        evaluated = _write(state, evaluation, held_back, may_settle, now)
        done.append(evaluated)
        if evaluated.status != SETTLED and held_back is None:
            held_back = f"epoch {number} is not settled yet, and epochs settle in order"
        number += 1


def evaluate(connection: Connection, number: int, grid_tokens: frozenset[str] = frozenset()) -> Evaluation | None:
    """Epoch `number` from what is stored; None before it has begun."""
    version = program_config.in_force(connection, number)
    as_of_time = latest_time(connection)
    if version is None or as_of_time is None:
        return None
    rules = rules_from_json(version.rules)
    if number > rules.epochs or as_of_time < rules.epoch(number).start:
        return None
    epoch = rules.epoch(number)
    found = blocks_of(connection, rules, epoch, grid_tokens)
    cells = [Cell(*row) for row in days.cells(connection, epoch.days)]
    budgets = _budgets(connection, rules, epoch)
    result = evaluate_epoch(rules, epoch, cells, qualifying_before(connection, number), budgets)
    return Evaluation(version.version, rules, epoch, result, found, min(as_of_time, epoch.end))


def latest_time(connection: Connection) -> int | None:
    """The time of the newest indexed block of any chain: up to where the program has been seen."""
    times = [header.time for chain in chains.all_chains(connection) if (header := blocks.last(connection, chain.id))]
    return max(times, default=None)


def qualifying_before(connection: Connection, number: int) -> dict[Address, int]:
    """Each provider's qualifying epochs before epoch `number`, as the rules in force in each epoch count them."""
    counts: dict[Address, int] = {}
    for earlier in range(number - 1, 0, -1):
        for row in epochs.participations(connection, earlier):
            counts.setdefault(row.provider, row.participation_epoch)
        version = program_config.in_force(connection, earlier)
        if version is None or rules_from_json(version.rules).on_lapse == "reset":
            break
    return counts


def prices_at(connection: Connection, rules: Rules, time: int) -> dict[str, int]:
    """By symbol the price in force at `time` of the tokens whose price at an epoch's end a budget needs."""
    ids = tokens.ids(connection)
    found = {}
    for symbol in tokens_priced_at_end(rules):
        point = prices.in_force(connection, ids[symbol], time, rules.tokens[symbol].max_age)
        if point is not None:
            found[symbol] = point.price
    return found


def _budgets(connection: Connection, rules: Rules, epoch: Epoch) -> tuple[Budget, ...]:
    """The epoch's budgets. While a price at the end is not known yet, the latest one stands in: such an epoch is blocked."""
    carried = carried_in(connection, epoch.number)
    known = prices_at(connection, rules, epoch.end)
    for symbol in tokens_priced_at_end(rules):
        if symbol not in known and (latest := prices.latest(connection, tokens.ids(connection)[symbol], epoch.end)):
            known[symbol] = latest.price
    try:
        return epoch_budgets(rules, epoch.number, known, carried)
    except Unavailable:  # no price at all so far: `blocks_of` tells it; the share's own budget cannot be shown
        return tuple(
            budget
            for reward in rules.rewards
            for budget in _without_price(rules, epoch, reward.token, known, carried)
        )


def _without_price(
    rules: Rules, epoch: Epoch, symbol: str, known: Mapping[str, int], carried: Mapping[str, int]
) -> tuple[Budget, ...]:
    reward = next(reward for reward in rules.rewards if reward.token == symbol)
    if reward.usd_share is not None:
        return (Budget(symbol, 0, carried.get(symbol, 0)),)
    return tuple(budget for budget in epoch_budgets(rules, epoch.number, known, carried) if budget.token == symbol)


def carried_in(connection: Connection, number: int) -> dict[str, int]:
    """By symbol what the epoch before carried out."""
    return {row.token: row.carried_out_units for row in epochs.budgets(connection, number - 1)} if number > 1 else {}


def _write(state: State, evaluation: Evaluation, held_back: str | None, may_settle: bool, now: int) -> Evaluated:
    reasons = [*evaluation.blocks.reasons, *([held_back] if held_back else [])]
    settles = may_settle and evaluation.blocks.due and not reasons
    status = SETTLED if settles else COMPUTED if evaluation.blocks.final else PROVISIONAL
    with StateTransaction(state, durable=settles) as connection:
        digest = digest_of(connection, evaluation.rules, evaluation.result) if settles else None
        epochs.write(
            connection,
            evaluation.result,
            status=status,
            digest=digest,
            rules_version=evaluation.rules_version,
            reasons=reasons,
            as_of_time=evaluation.as_of_time,
        )
        if settles:
            detail = {"epoch": evaluation.epoch.number, "digest": digest, "rules_version": evaluation.rules_version}
            audit.write(connection, now, "worker", "settle", detail)
    return Evaluated(evaluation.epoch.number, status, evaluation.blocks.due, tuple(reasons), digest)
