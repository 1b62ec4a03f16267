"""An epoch evaluated: participations, rewards, and a ledger per token that adds up.

Provisional, computed and settled epochs come from the same function; only what they are computed from differs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.program.budget import Budget
from loyalty.program.cells import Cell, holdings
from loyalty.program.rewards import divide
from loyalty.program.rules import Epoch, Rules
from loyalty.program.tiers import Participation, participations_of


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of a token's budget in an epoch: own + carried in = paid + carried out + unallocated, in units.

    Carried out goes to the next epoch; unallocated is what is left after the last one. Each is zero where the other
    can be above zero.
    """

    token: str
    own_units: int
    carried_in_units: int
    paid_units: int
    carried_out_units: int
    unallocated_units: int


@dataclass(frozen=True, slots=True)
class EpochResult:
    """An epoch's participations (ascending by address), rewards by token and provider (above zero), and ledgers.

    `usd_micro_days` is everybody's after exclusions, under `count`, of those too whose epoch does not qualify.
    `providers` counts those with a reward of any token. `ledgers` stand in the order of the rules.
    """

    epoch: Epoch
    participations: tuple[Participation, ...]
    rewards: dict[str, dict[Address, int]]
    ledgers: tuple[Ledger, ...]
    usd_micro_days: int
    providers: int

    @property
    def total_weight(self) -> Fraction:
        """The denominator of every reward, in dollar-days x pool weights x multipliers."""
        return sum((participation.weight for participation in self.participations), Fraction(0))

    @property
    def carried_out(self) -> dict[str, int]:
        """By token what the next epoch is carried in."""
        return {ledger.token: ledger.carried_out_units for ledger in self.ledgers}


def evaluate_epoch(
    rules: Rules,
    epoch: Epoch,
    cells: Iterable[Cell],
    qualifying_before: Mapping[Address, int],
    budgets: Sequence[Budget],
) -> EpochResult:
    """The epoch's result from its cells, the providers' progress before it, and one budget per reward token.

    Raises Inconsistent when a ledger does not add up or a budget is missing.
    """
    _check_budgets(rules, epoch, budgets)
    held = holdings(rules, epoch, cells)
    participations = participations_of(rules, epoch, held, qualifying_before)
    weights: dict[Address, int | Fraction] = {p.provider: p.weight for p in participations}
    rewards = {budget.token: divide(budget.units, weights) for budget in budgets}
    return EpochResult(
        epoch=epoch,
        participations=tuple(participations),
        rewards=rewards,
        ledgers=tuple(_ledger(rules, epoch, budget, rewards[budget.token]) for budget in budgets),
        usd_micro_days=sum(sum(pools.values()) for pools in held.values()),
        providers=len(set().union(*rewards.values())),
    )


def _check_budgets(rules: Rules, epoch: Epoch, budgets: Sequence[Budget]) -> None:
    given = [budget.token for budget in budgets]
    expected = [reward.token for reward in rules.rewards]
    if given != expected:
        raise Inconsistent(f"epoch {epoch.number} has budgets of {given}, the rules name rewards of {expected}")


def _ledger(rules: Rules, epoch: Epoch, budget: Budget, rewards: Mapping[Address, int]) -> Ledger:
    paid = sum(rewards.values())
    left = budget.units - paid
    if left and paid:
        raise Inconsistent(
            f"epoch {epoch.number}: {paid} units of {budget.token} were divided, the budget is {budget.units}"
        )
    last = epoch.number == rules.epochs
    carried_out, unallocated = (0, left) if last else (left, 0)
    return Ledger(budget.token, budget.own_units, budget.carried_in_units, paid, carried_out, unallocated)
