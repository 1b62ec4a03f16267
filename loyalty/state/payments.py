"""Payments: a settled epoch's rewards in a token, paid once, with the transaction; dust carried, not lost."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, Inconsistent, NotFound
from loyalty.state import epochs, providers, tokens
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import payment_lines
from loyalty.state.schema import payments as table


class PaymentRow(NamedTuple):
    """The payment of an epoch in a token, in units; amounts owed below `dust_below_units` were carried."""

    epoch: int
    token: str
    transaction_hash: str
    dust_below_units: int
    total_units: int
    paid_time: int


def add(connection: Connection, payment: PaymentRow, paid: Mapping[Address, int]) -> None:
    """Mark an epoch paid in a token, once.

    Conflict where it is paid already, or not settled; Inconsistent where the lines are not the total.
    """
    stored = get(connection, payment.epoch, payment.token)
    if stored is not None:
        raise Conflict(f"epoch {payment.epoch} is paid in {payment.token} already, by {stored.transaction_hash}")
    epoch = epochs.get(connection, payment.epoch)
    if epoch is None or epoch.status != epochs.SETTLED:
        raise Conflict(f"epoch {payment.epoch} is not settled: it cannot be paid yet")
    if sum(paid.values()) != payment.total_units:
        raise Inconsistent(
            f"epoch {payment.epoch}: the lines in {payment.token} add up to {sum(paid.values())} units, "
            f"not to the total of {payment.total_units}"
        )
    _write(connection, payment, paid)


def _write(connection: Connection, payment: PaymentRow, paid: Mapping[Address, int]) -> None:
    token_id = tokens.ids(connection).get(payment.token)
    if token_id is None:
        raise NotFound(f"token {payment.token} is not in the database")
    dust, total = str(payment.dust_below_units), str(payment.total_units)
    row = (payment.epoch, token_id, payment.transaction_hash, dust, total, payment.paid_time)
    insert_rows(connection, table, [row])
    provider_ids = providers.ids_of(connection, paid)
    lines = ((provider_ids[address], payment.epoch, token_id, str(units)) for address, units in paid.items())
    insert_rows(connection, payment_lines, lines)


_SELECT = (
    "SELECT epoch, symbol, transaction_hash, dust_below_units, total_units, paid_time FROM payments "
    "JOIN tokens ON tokens.id = token_id"
)


def get(connection: Connection, epoch: int, token: str) -> PaymentRow | None:
    """The payment of an epoch in a token; None where it is not paid."""
    statement = text(f"{_SELECT} WHERE epoch = :epoch AND symbol = :token")
    row = connection.execute(statement, {"epoch": epoch, "token": token}).first()
    return None if row is None else _payment(row)


def all_payments(connection: Connection) -> list[PaymentRow]:
    """Every payment, by epoch and token id."""
    return [_payment(row) for row in connection.execute(text(f"{_SELECT} ORDER BY epoch, token_id"))]


def lines(connection: Connection, epoch: int, token: str) -> dict[Address, int]:
    """What each provider was paid with an epoch's payment, in units, by address."""
    statement = text(
        "SELECT providers.address AS address, units FROM payment_lines JOIN tokens ON tokens.id = token_id "
        "JOIN providers ON providers.id = provider_id WHERE epoch = :epoch AND symbol = :token "
        "ORDER BY providers.address"
    )
    rows = connection.execute(statement, {"epoch": epoch, "token": token})
    return {Address(row.address): int(row.units) for row in rows}


def paid_units(connection: Connection, token: str) -> dict[Address, int]:
    """What each provider was paid of a token by all payments together, in units."""
    statement = text(
        "SELECT providers.address AS address, units FROM payment_lines JOIN tokens ON tokens.id = token_id "
        "JOIN providers ON providers.id = provider_id WHERE symbol = :token"
    )
    total: dict[Address, int] = {}
    for row in connection.execute(statement, {"token": token}):
        total[Address(row.address)] = total.get(Address(row.address), 0) + int(row.units)
    return total


def _payment(row: Any) -> PaymentRow:
    epoch, token, transaction_hash, dust, total, paid_time = row
    return PaymentRow(epoch, token, transaction_hash, int(dust), int(total), paid_time)
