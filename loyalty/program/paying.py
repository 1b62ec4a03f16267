"""Paying: what an epoch's payment transfers to whom, and the dust that waits for the next payment."""

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
    """The payment of one epoch in one token; lines in ascending order of address.

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


def owed(earned: Mapping[Address, int], paid: Mapping[Address, int]) -> dict[Address, int]:
    """What each provider has earned and was not paid, above zero, in ascending order of address.

    `earned` are the rewards of one token in the epochs paid so far and in the one to be paid, `paid` everything paid of
    it so far: the difference is the epoch's reward and the dust carried. Raises Conflict where more was paid than that.
    """
    result: dict[Address, int] = {}
    for provider in sorted({*earned, *paid}):
        difference = earned.get(provider, 0) - paid.get(provider, 0)
        if difference < 0:
            raise Conflict(
                f"{provider} has earned {earned.get(provider, 0)} units in the epochs that are paid and was paid "
                f"{paid[provider]}: the payments do not belong to these rewards; do not pay, run `loyalty verify`"
            )
        if difference:
            result[provider] = difference
    return result


def plan_payment(
    epoch: int,
    token: str,
    earned: Mapping[Address, int],
    paid_before: Mapping[Address, int],
    dust_below_units: int,
) -> PaymentPlan:
    """The payment of `epoch` in `token`: whoever is owed at least `dust_below_units` is paid everything owed.

    `earned` are the rewards of the epochs paid so far and of this one, `paid_before` all that was paid of them.

    A threshold of 0 or 1 pays all. Checked: earned = paid before + paid now + carried, to the unit.
    """
    if dust_below_units < 0:
        raise Invalid(f"a dust threshold of {dust_below_units} units is not possible: expected 0 or more")
    due = [PaymentLine(provider, units) for provider, units in owed(earned, paid_before).items()]
    lines = tuple(line for line in due if line.units >= dust_below_units)
    carried = tuple(line for line in due if line.units < dust_below_units)
    plan = PaymentPlan(epoch, token, dust_below_units, lines, carried)
    _check_sum(plan, sum(earned.values()), sum(paid_before.values()))
    return plan


def _check_sum(plan: PaymentPlan, earned: int, paid_before: int) -> None:
    accounted = paid_before + plan.total_units + plan.carried_units
    if accounted != earned:
        raise Inconsistent(
            f"the payment of epoch {plan.epoch} in {plan.token} does not add up: "
            f"{earned} units were earned, {accounted} are paid or carried"
        )
