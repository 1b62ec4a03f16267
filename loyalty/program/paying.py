"""Paying: what is owed to whom through an epoch, what is paid now, and the dust that waits for the next payment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, Inconsistent, Invalid


class PaymentLine(NamedTuple):
    """`units` of the plan's token for `provider`."""

    provider: Address
    units: int


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """A payment of one token through one epoch; lines in ascending order of address.

    `lines` are paid. `carried` are owed too, but less than `dust_below_units` each: they stay owed and are looked at
    again at the next payment, together with what has come by then.
    """

    epoch: int
    token: str
    dust_below_units: int
    lines: tuple[PaymentLine, ...]
    carried: tuple[PaymentLine, ...]

    @property
    def total_units(self) -> int:
        return sum(line.units for line in self.lines)

    @property
    def carried_units(self) -> int:
        return sum(line.units for line in self.carried)


def owed(cumulative: Mapping[Address, int], paid: Mapping[Address, int]) -> dict[Address, int]:
    """What each provider has earned and was not paid, above zero, in ascending order of address.

    `cumulative` are the rewards of one token through an epoch, `paid` everything paid of it so far. Raises Conflict
    where more was paid than earned: then a later epoch's payment already covers this one.
    """
    result: dict[Address, int] = {}
    for provider in sorted({*cumulative, *paid}):
        difference = cumulative.get(provider, 0) - paid.get(provider, 0)
        if difference < 0:
            raise Conflict(
                f"{provider} has earned {cumulative.get(provider, 0)} units through this epoch and was paid "
                f"{paid[provider]}: a payment of a later epoch covers this one; pay the newest epoch instead"
            )
        if difference:
            result[provider] = difference
    return result


def plan_payment(
    epoch: int,
    token: str,
    cumulative_rewards: Mapping[Address, int],
    paid_before: Mapping[Address, int],
    dust_below_units: int,
) -> PaymentPlan:
    """The payment of `token` through `epoch`: whoever is owed at least `dust_below_units` is paid everything owed.

    A threshold of 0 or 1 pays all. Checked: earned = paid before + paid now + carried, to the unit.
    """
    if dust_below_units < 0:
        raise Invalid(f"a dust threshold of {dust_below_units} units is not possible: expected 0 or more")
    due = [PaymentLine(provider, units) for provider, units in owed(cumulative_rewards, paid_before).items()]
    lines = tuple(line for line in due if line.units >= dust_below_units)
    carried = tuple(line for line in due if line.units < dust_below_units)
    plan = PaymentPlan(epoch, token, dust_below_units, lines, carried)
    _check_sum(plan, sum(cumulative_rewards.values()), sum(paid_before.values()))
    return plan


def _check_sum(plan: PaymentPlan, earned: int, paid_before: int) -> None:
    accounted = paid_before + plan.total_units + plan.carried_units
    if accounted != earned:
        raise Inconsistent(
            f"the payment of {plan.token} through epoch {plan.epoch} does not add up: "
            f"{earned} units were earned, {accounted} are paid or carried"
        )
