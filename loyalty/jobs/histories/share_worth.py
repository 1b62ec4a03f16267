"""What a share is worth in its asset over time: by the rolls of its vault, or by its contract's answers on the grid."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from loyalty.accrual.day import PriceStep
from loyalty.accrual.series import Missing, steps_in_force
from loyalty.core.facts import PricePoint, RoundRolled
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS
from loyalty.state import round_rolls, share_answers

ANSWER_MAX_AGE = 2 * HOUR_SECONDS
"""An answer stands for two hours: one of the grid may be lost."""


class Told(NamedTuple):
    """What was told from `valid_time` on: by a log, or (`log_index` None) by the contract's answer at the end of
    `block`."""

    valid_time: int
    value: int
    block: int
    log_index: int | None


class ShareWorth(Protocol):
    """Asset units per whole share, or a virtual price, as steps. `max_age` None: a step never ages."""

    @property
    def name(self) -> str: ...

    @property
    def max_age(self) -> int | None: ...

    def steps(self, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing: ...

    def facts(self, span: Span, connection: Connection | None = None) -> Sequence[object]:
        """What the steps over `span` hang on, as `connection` sees it."""
        ...

    def told(self, span: Span) -> list[Told]:
        """What was in force at some second of `span`, and where it stands on the chain."""
        ...

    def has_from(self, time: int) -> bool:
        """Whether a step at `time` or later is known."""
        ...


class RollWorth:
    """The price per share of each roll, from its second on; before the first one no share exists."""

    name = "price per share"
    max_age = None

    def __init__(self, connection: Connection, vault_pool_id: int) -> None:
        self._connection = connection
        self._pool_id = vault_pool_id

    def steps(self, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...]:
        """Of several rolls in one second the last counts."""
        rolls = self.facts(Span(span.start, span.end + closed_end))
        return tuple(
            PriceStep(time, price) for time, price in {roll.time: roll.price_per_share for roll in rolls}.items()
        )

    def facts(self, span: Span, connection: Connection | None = None) -> list[RoundRolled]:
        return round_rolls.within(connection or self._connection, self._pool_id, span)

    def told(self, span: Span) -> list[Told]:
        rolls = self.facts(span)
        return _in_force([Told(each.time, each.price_per_share, each.block, each.log_index) for each in rolls], span)

    def has_from(self, time: int) -> bool:
        """Rolls come when they come: nothing is waited for."""
        return True


class AnswerWorth:
    """What the contract itself answered on the hourly grid.

    It is needed from `first_share`, the second of the first share, on; a share that is minted between two hours is
    worth until the next one what the contract says then.
    """

    max_age = ANSWER_MAX_AGE

    def __init__(self, connection: Connection, pool_id: int, name: str, first_share: int | None) -> None:
        self._connection = connection
        self._pool_id = pool_id
        self._first_share = first_share
        self.name = name

    def steps(self, span: Span, *, closed_end: bool) -> tuple[PriceStep, ...] | Missing:
        if self._first_share is None or span.end + closed_end <= self._first_share:
            return ()
        needed = Span(max(span.start, self._first_share), span.end)
        return steps_in_force(self._points(needed, self._first_share), needed, self.max_age, closed_end)

    def _points(self, needed: Span, first_share: int) -> list[PricePoint]:
        known = self.facts(Span(needed.start, max(needed.end, needed.start + HOUR_SECONDS)))
        first = known[0] if known else None
        if first is None or not first_share < first.valid_time <= first_share + HOUR_SECONDS:
            return known
        return [first._replace(valid_time=first_share), *known]

    def facts(self, span: Span, connection: Connection | None = None) -> list[PricePoint]:
        reader = connection or self._connection
        return share_answers.points(reader, self._pool_id, Span(span.start, span.end + 1))

    def told(self, span: Span) -> list[Told]:
        answers = share_answers.answers(self._connection, self._pool_id, span)
        return _in_force([Told(each.valid_time, each.value, each.block, None) for each in answers], span)

    def has_from(self, time: int) -> bool:
        return share_answers.has_from(self._connection, self._pool_id, time)


def _in_force(told: list[Told], span: Span) -> list[Told]:
    """Without those that another one replaced by the first second of `span`, or in the same second."""
    replaced = [after.valid_time <= max(span.start, each.valid_time) for each, after in pairwise(told)]
    return [each for each, gone in zip(told, [*replaced, False], strict=True) if not gone] if told else []
