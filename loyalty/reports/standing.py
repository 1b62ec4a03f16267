"""Standing: which tier a provider is in now, and what it weighs in the epoch that runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from loyalty.core.address import Address
from loyalty.core.times import DAY_SECONDS
from loyalty.jobs.settle import PROVISIONAL
from loyalty.program.rules import Tier
from loyalty.reports.shapes import Shape, share, usd_or_none
from loyalty.reports.snapshot import Snapshot, counted_time
from loyalty.state import epochs
from loyalty.state.epochs import ParticipationRow


@dataclass(frozen=True, slots=True)
class Standings:
    """Everybody's standing. `epoch` is the newest evaluated one, 0 before; `seconds` of it are counted.

    `current` are its participations. `earlier` are those of the epoch before while this one runs: a provider whose
    average is still on its way to the minimum keeps the tier of last week until this week says otherwise.
    """

    epoch: int
    seconds: int
    current: Mapping[Address, ParticipationRow]
    earlier: Mapping[Address, ParticipationRow]
    total_weight: Fraction

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Standings":
        newest = snapshot.newest
        if newest is None:
            return cls(0, 0, {}, {}, Fraction(0))
        current = {each.provider: each for each in epochs.participations(snapshot.connection, newest.number)}
        runs = newest.status == PROVISIONAL and newest.number > 1
        earlier = epochs.participations(snapshot.connection, newest.number - 1) if runs else []
        counted = min(newest.as_of_time, counted_time(snapshot) or newest.as_of_time)
        seconds = max(0, counted - snapshot.rules.epoch(newest.number).start)
        weight = sum((Fraction(each.weight) for each in current.values()), Fraction(0))
        return cls(newest.number, seconds, current, {each.provider: each for each in earlier}, weight)

    def tier_of(self, provider: Address) -> tuple[int, ParticipationRow] | None:
        """The epoch that the tier is of, and the participation; None for who is in none."""
        if (now := self.current.get(provider)) is not None:
            return self.epoch, now
        before = self.earlier.get(provider)
        return None if before is None else (self.epoch - 1, before)

    def shape(self, provider: Address) -> Shape:
        """Tier, multiplier, and the part in the running epoch; nulls where there is none."""
        found, current = self.tier_of(provider), self.current.get(provider)
        weight = Fraction(current.weight) if current else Fraction(0)
        return {
            "tier": found[1].tier if found else None,
            "multiplier": found[1].multiplier if found else None,
            "participation_epoch": found[1].participation_epoch if found else None,
            "tier_epoch": found[0] if found else None,
            "average_usd": usd_or_none(self.average_usd_micro(provider)),
            "weight": current.weight if current else "0",
            "weight_share": share(weight, self.total_weight),
        }

    def average_usd_micro(self, provider: Address) -> int | None:
        """Micro-dollars on average over the counted part of the epoch, rounded down; None where it does not qualify."""
        current = self.current.get(provider)
        if current is None or not self.seconds:
            return None
        return current.usd_micro_days * DAY_SECONDS // self.seconds


def next_tier(snapshot: Snapshot, participation_epoch: int) -> Tier | None:
    """The first tier that begins after this participation epoch."""
    return next((tier for tier in snapshot.epoch_rules.tiers if tier.from_epoch > participation_epoch), None)
