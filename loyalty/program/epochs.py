"""Epochs: the program's reward periods, numbered from 1. Every time is an argument, in UTC unix seconds."""

from loyalty.core.times import DAY_SECONDS, time_text
from loyalty.program.rules import Epoch, Rules

WEEK_SECONDS = 7 * DAY_SECONDS


def epoch_at(rules: Rules, time: int) -> Epoch | None:
    """The epoch that `time` lies in: an epoch's end belongs to the next. None before the start and from the end on."""
    if not rules.start <= time < rules.end:
        return None
    return rules.epoch(1 + (time - rules.start) // rules.epoch_seconds)


def begun(rules: Rules, time: int) -> list[Epoch]:
    """The epochs that have started by `time`, in order; the last one may still run."""
    elapsed = time - rules.start
    count = min(rules.epochs, 1 + elapsed // rules.epoch_seconds) if elapsed >= 0 else 0
    return [rules.epoch(number) for number in range(1, count + 1)]


def due_time(rules: Rules, epoch: Epoch) -> int:
    """The chain's time from which `epoch` may settle."""
    return epoch.end + rules.settle_after


def due(rules: Rules, epoch: Epoch, final_time: int) -> bool:
    """Whether `epoch` may settle as far as time goes.

    `final_time` is the time of the newest final block, of the chain that is furthest behind. Wall clock enters nothing.
    """
    return final_time >= due_time(rules, epoch)


def position_text(rules: Rules, time: int) -> str:
    """Where the program stands at `time`, for people: "week 3 of 30, day 2 of 7"."""
    if time < rules.start:
        return f"before the start at {time_text(rules.start)}"
    epoch = epoch_at(rules, time)
    if epoch is None:
        return f"ended at {time_text(rules.end)}"
    word = "week" if rules.epoch_seconds == WEEK_SECONDS else "epoch"
    day = 1 + (time - epoch.start) // DAY_SECONDS
    return f"{word} {epoch.number} of {rules.epochs}, day {day} of {epoch.days.length}"
