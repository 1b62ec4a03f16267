"""Explain: a reward taken apart into budget, weight, tier, pools, days and positions, each checked against the next."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from loyalty.core.address import Address
from loyalty.core.errors import Inconsistent
from loyalty.core.times import day_text
from loyalty.program.cells import Cell, counted, holdings
from loyalty.program.explanation import DayLine, Explanation, PoolDayDetail, PoolLine, RewardLine, Standing, TierStep
from loyalty.program.in_force import contracts_looked_through, exclusion_days, exclusions_in_force, pool_days
from loyalty.program.rules import Epoch, PoolKey, Rules
from loyalty.program.settlement import EpochResult
from loyalty.program.tiers import NO_TIER_MULTIPLIER, Participation, average_is_at_least, participations_of

Details = Mapping[tuple[PoolKey, int], PoolDayDetail]
"""By (pool, day): the positions and prices behind a cell, where the caller has them."""


def explain(
    rules: Rules,
    result: EpochResult,
    provider: Address,
    cells: Iterable[Cell],
    qualifying_before: int,
    details: Details | None = None,
) -> Explanation:
    """Why `provider` got what it got in the epoch of `result`, a qualifying one or not.

    `cells` may be everybody's: the provider's days of the epoch are taken from them, those that do not count too.
    `qualifying_before` is the provider's count before the epoch. Raises Inconsistent when participation, reward or a
    day's positions do not follow from what is given.
    """
    epoch = result.epoch
    own = [cell for cell in cells if cell.provider == provider and cell.day in range(*epoch.days)]
    held = holdings(rules, epoch, own).get(provider, {})
    participation = _participation(rules, epoch, provider, held, qualifying_before)
    _check_participation(result, provider, participation)
    return Explanation(
        epoch=epoch,
        epochs=rules.epochs,
        provider=provider,
        count=rules.count,
        rewards=_reward_lines(rules, result, provider, participation),
        weight=participation.weight if participation else Fraction(0),
        total_weight=result.total_weight,
        standing=_standing(rules, epoch, sum(held.values()), qualifying_before, participation),
        pools=_pool_lines(rules, held),
        days=_day_lines(rules, epoch, own, details or {}),
        exclusions=tuple(e for e in exclusions_in_force(rules, epoch) if e.address == provider),
    )


def _participation(
    rules: Rules, epoch: Epoch, provider: Address, held: dict[PoolKey, int], before: int
) -> Participation | None:
    found = participations_of(rules, epoch, {provider: held}, {provider: before})
    return found[0] if found else None


def _check_participation(result: EpochResult, provider: Address, expected: Participation | None) -> None:
    stored = next((p for p in result.participations if p.provider == provider), None)
    if stored != expected:
        raise Inconsistent(
            f"epoch {result.epoch.number} has the participation {stored} of {provider}, its days give {expected}: "
            "run `loyalty verify`"
        )


def _reward_lines(
    rules: Rules, result: EpochResult, provider: Address, participation: Participation | None
) -> tuple[RewardLine, ...]:
    share = participation.weight / result.total_weight if participation and participation.weight else Fraction(0)
    lines = []
    for ledger in result.ledgers:
        floor_units = int((ledger.own_units + ledger.carried_in_units) * share)
        remainder_units = result.rewards[ledger.token].get(provider, 0) - floor_units
        if remainder_units not in (0, 1):
            raise Inconsistent(
                f"epoch {result.epoch.number} gives {provider} {floor_units + remainder_units} units of "
                f"{ledger.token}, its weight gives {floor_units} or one more: run `loyalty verify`"
            )
        token = rules.tokens[ledger.token]
        lines.append(RewardLine(token, ledger.own_units, ledger.carried_in_units, floor_units, remainder_units))
    return tuple(lines)


def _standing(
    rules: Rules, epoch: Epoch, usd_micro_days: int, qualifying_before: int, participation: Participation | None
) -> Standing:
    reached = participation.participation_epoch if participation else None
    return Standing(
        usd_micro_days=usd_micro_days,
        average_usd_micro=Fraction(usd_micro_days, epoch.days.length),
        minimum_usd_micro=rules.minimum_usd_micro,
        qualifying_before=qualifying_before,
        participation_epoch=reached,
        tier=participation.tier if participation else None,
        multiplier=participation.multiplier if participation else NO_TIER_MULTIPLIER,
        steps=_tier_steps(rules, epoch, reached, usd_micro_days) if reached else (),
    )


def _tier_steps(rules: Rules, epoch: Epoch, participation_epoch: int, usd_micro_days: int) -> tuple[TierStep, ...]:
    return tuple(
        TierStep(
            name=tier.name,
            from_epoch=tier.from_epoch,
            minimum_usd_micro=tier.minimum_usd_micro,
            multiplier=tier.multiplier,
            begun=tier.from_epoch <= participation_epoch,
            reaches_minimum=average_is_at_least(usd_micro_days, epoch.days.length, tier.minimum_usd_micro),
        )
        for tier in rules.tiers
    )


def _pool_lines(rules: Rules, held: Mapping[PoolKey, int]) -> tuple[PoolLine, ...]:
    return tuple(PoolLine(rule.pool, held[rule.pool], rule.weight) for rule in rules.pools if rule.pool in held)


def _day_lines(rules: Rules, epoch: Epoch, own: Sequence[Cell], details: Details) -> tuple[DayLine, ...]:
    counts = set(counted(rules, epoch, own))
    lines = []
    for cell in sorted(own, key=lambda cell: (cell.day, cell.pool_key)):
        detail = details.get((cell.pool_key, cell.day))
        if detail is not None:
            _check_positions(cell, detail)
        reason = None if cell in counts else _why_not_counted(rules, epoch, cell)
        amounts = (cell.usd_micro_days, cell.usd_micro_days_in_range)
        lines.append(DayLine(cell.pool_key, cell.day, *amounts, reason, detail))
    return tuple(lines)


def _check_positions(cell: Cell, detail: PoolDayDetail) -> None:
    """A cell is the sum of its positions' exact parts, rounded down once."""
    total = int(sum((line.usd_micro_days for line in detail.positions), Fraction(0)))
    in_range = int(sum((line.usd_micro_days_in_range for line in detail.positions), Fraction(0)))
    if (total, in_range) != (cell.usd_micro_days, cell.usd_micro_days_in_range):
        raise Inconsistent(
            f"{cell.provider} on {day_text(cell.day)} in {cell.pool}: the stored cell has {cell.usd_micro_days} "
            f"micro-dollar-days, {cell.usd_micro_days_in_range} in range; its positions give {total}, {in_range} "
            "in range: run `loyalty verify`"
        )


def _why_not_counted(rules: Rules, epoch: Epoch, cell: Cell) -> str:
    days = pool_days(rules, epoch).get(cell.pool_key)
    if days is None or not days.contains(cell.day):
        return "the pool is not part of the program on this day"
    if (cell.chain, cell.provider) in contracts_looked_through(rules):
        return "looked through: nobody stands behind this part"
    reasons = [
        exclusion.reason
        for exclusion in exclusions_in_force(rules, epoch)
        if exclusion.address == cell.provider and exclusion_days(exclusion, epoch).contains(cell.day)
    ]
    return f"excluded: {'; '.join(reasons)}"
