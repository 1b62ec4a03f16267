"""Contracts behind which nobody is known, with the dollar-days at stake."""

from loyalty.core.address import checksum
from loyalty.jobs.settle import SETTLED
from loyalty.jobs.unresolved import Unresolved, unresolved_in
from loyalty.reports.shapes import Shape, usd
from loyalty.reports.snapshot import Snapshot


def unresolved(snapshot: Snapshot) -> list[Shape]:
    """Of the epochs that are not settled yet."""
    waiting = sorted(row.number for row in snapshot.epochs.values() if row.status != SETTLED)
    return [line for number in waiting for line in unresolved_of(snapshot, number)]


def unresolved_of(snapshot: Snapshot, number: int) -> list[Shape]:
    """Of one epoch, the largest first."""
    return [_line(each) for each in unresolved_in(snapshot.connection, number)]


def _line(each: Unresolved) -> Shape:
    return {
        "epoch": each.epoch,
        "chain": each.chain,
        "address": checksum(each.address),
        "usd_days": usd(each.usd_micro_days),
        "pools": [checksum(pool) for pool in each.pools],
        "why": each.why,
    }
