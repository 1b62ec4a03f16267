"""Phases: which aggregator's answers count when.

An aggregator counts from its first answer on until the first answer of a later phase; from that log on its answers
count no more, though it may go on for a while. Answers are ordered by (block, log index), not by round: an aggregator
may answer a round twice, or an older round once more, and what it logged last is what it says. An aggregator's round
ids start anew with each phase and are not the proxy's.

The bounds of a phase in blocks are facts that the caller keeps: they begin at the block from which the aggregator was
asked for (or, for one that serves a second time, at which its new phase was first seen) and are open until `bounded`
closes them. They decide which phase an answer belongs to.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from loyalty.core.address import Address
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span

OPEN_END = 1 << 62
"""Later than any block: the end of a phase that goes on."""

_BY_POSITION = itemgetter(1, 2)
"""(block, log index) of an answer."""


class Phase(NamedTuple):
    """An aggregator behind the proxy, and the blocks in which its answers can count."""

    aggregator: Address
    blocks: Span


def counting(phases: Sequence[Phase], answers: Iterable[OracleAnswer]) -> list[OracleAnswer]:
    """The answers that count, in (block, log index) order; `phases` in their order, the current one last.

    `answers` begin with the first answer of some phase, or their phases are bounded.
    """
    return [answer for answer, _ in _counted(phases, answers)]


def bounded(phases: Sequence[Phase], answers: Iterable[OracleAnswer]) -> list[Phase]:
    """The phases with the bounds that `answers` show: all before one that answered end with the block of that answer.

    Both may have answered in that block, so it belongs to both, and `counting` tells their logs apart. Bounds only get
    narrower, and the order of phases stays.
    """
    closed = list(phases)
    begun = 0
    for answer, place in _counted(phases, answers):
        if place > begun:
            _close(closed, place, answer.block + 1)
            begun = place
    return closed


def _close(phases: list[Phase], place: int, end: int) -> None:
    for earlier in range(place):
        phase = phases[earlier]
        phases[earlier] = phase._replace(blocks=phase.blocks.intersect(Span(phase.blocks.start, end)))


def _counted(phases: Sequence[Phase], answers: Iterable[OracleAnswer]) -> Iterator[tuple[OracleAnswer, int]]:
    """Each answer that counts, in order, with the place of its phase."""
    current = 0
    for answer in sorted(answers, key=_BY_POSITION):
        place = _place(phases, answer)
        if place is not None and place >= current:
            current = place
            yield answer, place


def _place(phases: Sequence[Phase], answer: OracleAnswer) -> int | None:
    for place in range(len(phases) - 1, -1, -1):
        phase = phases[place]
        if phase.aggregator == answer.aggregator and phase.blocks.contains(answer.block):
            return place
    return None
