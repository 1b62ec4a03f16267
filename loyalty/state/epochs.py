"""Evaluated epochs: budgets, participations and rewards, written as one. A settled epoch stays as it is."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from loyalty.core.address import Address
from loyalty.core.errors import Conflict, Inconsistent, NotFound
from loyalty.state import providers, tokens
from loyalty.state.bulk import insert_rows
from loyalty.state.schema import epoch_budgets as budgets_table
from loyalty.state.schema import epochs as epochs_table
from loyalty.state.schema import participations as participations_table
from loyalty.state.schema import rewards as rewards_table

SETTLED = "settled"


class EpochRow(NamedTuple):
    """An evaluated epoch. `providers` have a reward; `reasons` block settlement; `digest` once settled."""

    number: int
    status: str
    digest: str | None
    rules_version: int
    providers: int
    usd_micro_days: int
    reasons: tuple[str, ...]
    as_of_time: int


class BudgetRow(NamedTuple):
    """A reward token's ledger in an epoch, in units: budget + carried in = paid + carried out + unallocated."""

    token: str
    budget_units: int
    carried_in_units: int
    paid_units: int
    carried_out_units: int
    unallocated_units: int


class ParticipationRow(NamedTuple):
    """A provider's part in an epoch; `multiplier` and `weight` are exact decimals, as written."""

    provider: Address
    usd_micro_days: int
    participation_epoch: int
    tier: str | None
    multiplier: str
    weight: str


class RewardRow(NamedTuple):
    """What a provider earns of a token in an epoch, in units."""

    epoch: int
    token: str
    provider: Address
    units: int


def write(
    connection: Connection,
    epoch: EpochRow,
    budgets: Iterable[BudgetRow],
    participations: Iterable[ParticipationRow],
    rewards: Iterable[RewardRow],
) -> None:
    """Put the evaluation in the place of the epoch's earlier one. Conflict where that one is settled.

    Inconsistent where a token's ledger does not add up, or its rewards are not what was paid.
    """
    if (stored := get(connection, epoch.number)) is not None and stored.status == SETTLED:
        raise Conflict(f"epoch {epoch.number} is settled with digest {stored.digest}: it changes only by a correction")
    budget_rows, participation_rows, reward_rows = list(budgets), list(participations), list(rewards)
    _check_sums(epoch.number, budget_rows, reward_rows)
    _forget(connection, epoch.number)
    _write_epoch(connection, epoch)
    _write_budgets(connection, epoch.number, budget_rows)
    _write_participations(connection, epoch.number, participation_rows)
    _write_rewards(connection, epoch.number, reward_rows)


def _write_epoch(connection: Connection, epoch: EpochRow) -> None:
    number, status, digest, rules_version, count, usd_micro_days, reasons, as_of_time = epoch
    told = json.dumps(list(reasons), ensure_ascii=False)
    row = (number, status, digest, rules_version, count, str(usd_micro_days), told, as_of_time)
    insert_rows(connection, epochs_table, [row])


def _write_budgets(connection: Connection, number: int, budgets: list[BudgetRow]) -> None:
    token_ids = _token_ids(connection, [row.token for row in budgets])
    rows = ((number, token_ids[row.token], *(str(units) for units in row[1:])) for row in budgets)
    insert_rows(connection, budgets_table, rows)


def _write_participations(connection: Connection, number: int, participations: list[ParticipationRow]) -> None:
    provider_ids = providers.ids_of(connection, [row.provider for row in participations])
    rows = ((provider_ids[row.provider], number, str(row.usd_micro_days), *row[2:]) for row in participations)
    insert_rows(connection, participations_table, rows)


def _write_rewards(connection: Connection, number: int, rewards: list[RewardRow]) -> None:
    token_ids = _token_ids(connection, [row.token for row in rewards])
    provider_ids = providers.ids_of(connection, [row.provider for row in rewards])
    rows = ((provider_ids[row.provider], number, token_ids[row.token], str(row.units)) for row in rewards)
    insert_rows(connection, rewards_table, rows)


def _token_ids(connection: Connection, symbols: Iterable[str]) -> dict[str, int]:
    known = tokens.ids(connection)
    if missing := sorted(set(symbols) - set(known)):
        raise NotFound(f"tokens {', '.join(missing)} are not in the database")
    return known


def _check_sums(number: int, budgets: list[BudgetRow], rewards: list[RewardRow]) -> None:
    paid: dict[str, int] = {}
    for reward in rewards:
        if reward.epoch != number:
            raise Inconsistent(
                f"epoch {number}: a reward of epoch {reward.epoch} for {reward.provider} is among its own"
            )
        paid[reward.token] = paid.get(reward.token, 0) + reward.units
    for row in budgets:
        if paid.pop(row.token, 0) != row.paid_units:
            raise Inconsistent(
                f"epoch {number}: the rewards in {row.token} do not add up to {row.paid_units} units paid"
            )
        if row.budget_units + row.carried_in_units != row.paid_units + row.carried_out_units + row.unallocated_units:
            raise Inconsistent(f"epoch {number}: the ledger of {row.token} does not add up: {row}")
    if paid:
        raise Inconsistent(f"epoch {number}: rewards in {', '.join(sorted(paid))} without a budget")


def _forget(connection: Connection, number: int) -> None:
    for name in ("rewards", "participations", "epoch_budgets"):
        connection.execute(text(f"DELETE FROM {name} WHERE epoch = :epoch"), {"epoch": number})
    connection.execute(text("DELETE FROM epochs WHERE number = :epoch"), {"epoch": number})


def delete_unsettled(connection: Connection, from_number: int = 1) -> int:
    """Forget every evaluation from an epoch on that is not settled, to be made again; returns how many epochs."""
    numbers = [each.number for each in all_epochs(connection) if each.status != SETTLED and each.number >= from_number]
    for number in numbers:
        _forget(connection, number)
    return len(numbers)


_SELECT = "SELECT number, status, digest, rules_version, providers, usd_micro_days, reasons, as_of_time FROM epochs"


def get(connection: Connection, number: int) -> EpochRow | None:
    """An evaluated epoch; None where it has not been evaluated."""
    row = connection.execute(text(f"{_SELECT} WHERE number = :number"), {"number": number}).first()
    return None if row is None else _epoch(row)


def all_epochs(connection: Connection) -> list[EpochRow]:
    """Every evaluated epoch, in order."""
    return [_epoch(row) for row in connection.execute(text(f"{_SELECT} ORDER BY number"))]


def settled_count(connection: Connection) -> int:
    """How many epochs are settled; they settle in order, so that is also the last one's number."""
    statement = text("SELECT count(*) FROM epochs WHERE status = :settled")
    return int(connection.execute(statement, {"settled": SETTLED}).scalar_one())


def _epoch(row: Any) -> EpochRow:
    number, status, digest, rules_version, count, usd, reasons, as_of_time = row
    return EpochRow(number, status, digest, rules_version, count, int(usd), tuple(json.loads(reasons)), as_of_time)


def budgets(connection: Connection, number: int) -> list[BudgetRow]:
    """The reward tokens' ledgers in an epoch, by token id."""
    statement = text(
        "SELECT symbol, budget_units, carried_in_units, paid_units, carried_out_units, unallocated_units "
        "FROM epoch_budgets JOIN tokens ON tokens.id = token_id WHERE epoch = :epoch ORDER BY token_id"
    )
    rows = connection.execute(statement, {"epoch": number})
    return [BudgetRow(symbol, *(int(value) for value in units)) for symbol, *units in rows]


def participations(connection: Connection, number: int) -> list[ParticipationRow]:
    """The providers whose epoch qualifies, by address."""
    statement = text(
        "SELECT address, usd_micro_days, participation_epoch, tier, multiplier, weight FROM participations "
        "JOIN providers ON providers.id = provider_id WHERE epoch = :epoch ORDER BY address"
    )
    rows = connection.execute(statement, {"epoch": number})
    return [ParticipationRow(Address(address), int(usd), *rest) for address, usd, *rest in rows]


_REWARDS = (
    "SELECT rewards.epoch, symbol, providers.address, units FROM rewards JOIN tokens ON tokens.id = token_id "
    "JOIN providers ON providers.id = provider_id"
)


def rewards(connection: Connection, number: int) -> list[RewardRow]:
    """An epoch's rewards, by token id and address."""
    statement = text(f"{_REWARDS} WHERE epoch = :epoch ORDER BY token_id, providers.address")
    return [_reward(row) for row in connection.execute(statement, {"epoch": number})]


def earned_through(connection: Connection, number: int, token: str) -> dict[Address, int]:
    """What each provider earned of a token in the settled epochs up to and with `number`, in units."""
    statement = text(
        f"{_REWARDS} JOIN epochs ON epochs.number = rewards.epoch "
        "WHERE epoch <= :epoch AND symbol = :token AND epochs.status = :settled"
    )
    rows = connection.execute(statement, {"epoch": number, "token": token, "settled": SETTLED})
    total: dict[Address, int] = {}
    for reward in map(_reward, rows):
        total[reward.provider] = total.get(reward.provider, 0) + reward.units
    return total


def reward_history(connection: Connection, provider_id: int) -> list[RewardRow]:
    """A provider's rewards, newest epoch first."""
    statement = text(f"{_REWARDS} WHERE provider_id = :provider_id ORDER BY epoch DESC, token_id")
    return [_reward(row) for row in connection.execute(statement, {"provider_id": provider_id})]


def participation_history(connection: Connection, provider_id: int) -> dict[int, ParticipationRow]:
    """A provider's participations by epoch, in order."""
    statement = text(
        "SELECT epoch, address, usd_micro_days, participation_epoch, tier, multiplier, weight FROM participations "
        "JOIN providers ON providers.id = provider_id WHERE provider_id = :provider_id ORDER BY epoch"
    )
    rows = connection.execute(statement, {"provider_id": provider_id})
    return {epoch: ParticipationRow(Address(address), int(usd), *rest) for epoch, address, usd, *rest in rows}


def _reward(row: Any) -> RewardRow:
    epoch, symbol, address, units = row
    return RewardRow(epoch, symbol, Address(address), int(units))
