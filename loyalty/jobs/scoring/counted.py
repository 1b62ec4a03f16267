"""Counted: a round's or a day's points before they are written, and whether they still hold then."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.state.points import PeriodRow, PointLine


class Counted(NamedTuple):
    """A period, not written yet. `lines` None: they are those that are stored. `changed` says, within the step that
    writes it, whether what it hangs on is another by now."""

    row: PeriodRow
    lines: list[PointLine] | None
    changed: Callable[[Connection], bool]
