"""Pay: an epoch's rewards as a list that adds up, and the record that it was paid, once, with the transaction."""

import re
from typing import Any, NamedTuple

from sqlalchemy import Connection

from loyalty.core.address import Address, checksum
from loyalty.core.amounts import format_units, parse_units
from loyalty.core.errors import Conflict, Inconsistent, Invalid, NotFound
from loyalty.program.paying import PaymentPlan, plan_payment
from loyalty.program.rules import Rules, Token
from loyalty.state import audit, epochs, payments
from loyalty.state.engine import State
from loyalty.state.payments import PaymentRow

_TRANSACTION = re.compile(r"0x[0-9a-f]{64}")


class ExportRow(NamedTuple):
    """A provider's reward of one epoch in units; `cumulative_units` are its rewards through this epoch.

    `payable_units` is what the epoch's payment transfers: the reward and the dust carried so far, or nothing where both
    together are dust.
    """

    address: Address
    units: int
    cumulative_units: int
    payable_units: int


class Export(NamedTuple):
    """An epoch's rewards of one token, above zero, by ascending address; checked against the epoch's ledger.

    `total_units` is what the epoch paid, `payable_units` what a payment now would transfer, `dust_units` what it would
    carry to the next payment.
    """

    epoch: int
    token: Token
    digest: str
    total_units: int
    payable_units: int
    dust_units: int
    rows: tuple[ExportRow, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, as docs/api.md and the command line give it."""
        return {
            "epoch": self.epoch,
            "token": self.token.symbol,
            "digest": self.digest,
            "total_units": str(self.total_units),
            "payable_units": str(self.payable_units),
            "dust_units": str(self.dust_units),
            "rewards": [
                {
                    "address": checksum(row.address),
                    "amount": format_units(row.units, self.token.decimals),
                    "amount_units": str(row.units),
                    "cumulative_units": str(row.cumulative_units),
                    "payable_units": str(row.payable_units),
                }
                for row in self.rows
            ],
        }


def export(state: State, rules: Rules, number: int, symbol: str, dust_below: str = "0") -> Export:
    """The rewards of settled epoch `number`, and what its payment transfers (or transferred, where it was made).

    Raises NotFound, Conflict while the epoch is not settled, Inconsistent where the rewards do not add up.
    """
    token = _token(rules, symbol)
    with state.read() as connection:
        row = _settled(connection, number)
        units = _rewards(connection, number, symbol)
        ledger = next((line for line in epochs.budgets(connection, number) if line.token == symbol), None)
        if ledger is None:
            raise NotFound(f"{symbol} is not a reward token of epoch {number}")
        if sum(units.values()) != ledger.paid_units:
            raise Inconsistent(
                f"the rewards of epoch {number} in {symbol} add up to {sum(units.values())}, its ledger says "
                f"{ledger.paid_units}: run `loyalty verify`, and do not pay"
            )
        cumulative = epochs.earned_through(connection, number, symbol)
        made = payments.get(connection, number, symbol)
        plan = _plan(connection, number, token, symbol, dust_below) if made is None else None
        lines = (
            payments.lines(connection, number, symbol)
            if plan is None
            else {line.provider: line.units for line in plan.lines}
        )
    providers = sorted(set(units) | set(lines))
    rows = tuple(
        ExportRow(provider, units.get(provider, 0), cumulative.get(provider, 0), lines.get(provider, 0))
        for provider in providers
    )
    dust = 0 if plan is None else plan.carried_units
    return Export(number, token, row.digest or "", ledger.paid_units, sum(lines.values()), dust, rows)


def mark_paid(
    connection: Connection,
    rules: Rules,
    *,
    epoch: int,
    symbol: str,
    transaction_hash: str,
    dust_below: str,
    actor: str,
    now: int,
) -> dict[str, Any]:
    """Record, with an audit line, that `epoch` was paid in `symbol` by that transaction; Conflict where it was."""
    token = _token(rules, symbol)
    if not _TRANSACTION.fullmatch(transaction_hash.lower()):
        raise Invalid(f"{transaction_hash!r} is not a transaction hash: expected 0x and 64 hexadecimal digits")
    _settled(connection, epoch)
    if (made := payments.get(connection, epoch, symbol)) is not None:
        raise Conflict(f"epoch {epoch} is paid in {symbol} already, by {made.transaction_hash}")
    plan = _plan(connection, epoch, token, symbol, dust_below)
    payment = PaymentRow(epoch, symbol, transaction_hash.lower(), plan.dust_below_units, plan.total_units, now)
    payments.add(connection, payment, {line.provider: line.units for line in plan.lines})
    detail = {
        "epoch": epoch,
        "token": symbol,
        "transaction": transaction_hash.lower(),
        "paid_units": str(plan.total_units),
        "dust_units": str(plan.carried_units),
        "providers": len(plan.lines),
    }
    audit.write(connection, now, actor, "mark paid", detail)
    return detail


def _token(rules: Rules, symbol: str) -> Token:
    if symbol not in {reward.token for reward in rules.rewards}:
        names = ", ".join(sorted(reward.token for reward in rules.rewards))
        raise NotFound(f"{symbol!r} is not a reward token: the program pays {names}")
    return rules.tokens[symbol]


def _settled(connection: Connection, number: int) -> epochs.EpochRow:
    row = epochs.get(connection, number)
    if row is None:
        raise NotFound(f"epoch {number} has not begun")
    if row.status != "settled":
        raise Conflict(f"epoch {number} is {row.status}, not settled: its rewards can still change")
    return row


def _rewards(connection: Connection, number: int, symbol: str) -> dict[Address, int]:
    return {row.provider: row.units for row in epochs.rewards(connection, number) if row.token == symbol}


def _plan(connection: Connection, number: int, token: Token, symbol: str, dust_below: str) -> PaymentPlan:
    """The payment of the epoch, with the dust that earlier payments carried; epochs not paid yet stay out of it."""
    paid_epochs = {made.epoch for made in payments.all_payments(connection) if made.token == symbol}
    earned: dict[Address, int] = {}
    for epoch in sorted(paid_epochs | {number}):
        for provider, units in _rewards(connection, epoch, symbol).items():
            earned[provider] = earned.get(provider, 0) + units
    paid = payments.paid_units(connection, symbol)
    return plan_payment(number, symbol, earned, paid, parse_units(dust_below, token.decimals))
