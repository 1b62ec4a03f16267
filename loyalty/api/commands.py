"""Commands at the edge: what each kind needs, checked before it is left for the worker."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from loyalty.core.amounts import parse_decimal
from loyalty.core.errors import Invalid
from loyalty.core.times import parse_time, time_text, writable_time
from loyalty.jobs.commands import KINDS
from loyalty.reports.shapes import Shape, time_or_none
from loyalty.state.commands import Command


class Arguments(NamedTuple):
    """The names that a kind needs, and those it may have."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


ARGUMENTS: dict[str, Arguments] = {
    "price set": Arguments(("token", "from", "to", "usd", "reason")),
    "settle": Arguments((), ("until",)),
    "hold": Arguments(("reason",)),
    "release": Arguments(),
    "back up": Arguments(),
    "mark paid": Arguments(("epoch", "token", "transaction"), ("dust_below",)),
    "backfill": Arguments(("chain", "action"), ("from_block",)),
}
_TIMES = ("from", "to")
_NUMBERS = ("until", "epoch")
_BLOCKS = ("from_block",)
_DECIMALS = ("usd", "dust_below")
_LETTERS_MOST = 500
_EPOCH_MOST = 100_000
_BLOCK_DIGITS_MOST = 15


def arguments_of(kind: str, given: Mapping[str, str | int | None]) -> dict[str, Any]:
    """The arguments as the worker takes them; raises Invalid for an unknown kind or a wrong argument."""
    if kind not in KINDS:
        raise Invalid(f"there is no command {kind!r}: there are {', '.join(sorted(KINDS))}")
    needed, optional = ARGUMENTS[kind]
    present = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(present.keys() - {*needed, *optional}):
        raise Invalid(f"{kind!r} has no argument {unknown[0]!r}: it has {', '.join((*needed, *optional)) or 'none'}")
    if missing := [name for name in needed if name not in present]:
        raise Invalid(f"{kind!r} needs the argument {missing[0]!r}: it has {', '.join((*needed, *optional))}")
    return {name: _read(name, value) for name, value in present.items()}


def _read(name: str, value: str | int) -> str | int:
    text = _text(name, str(value))
    if name in _TIMES:
        return writable_time(parse_time(text))
    if name in _NUMBERS:
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _EPOCH_MOST):
            raise Invalid(f"{name} is {text!r}: expected an epoch's number, from 1")
        return int(text)
    if name in _BLOCKS:
        if not (text.isascii() and text.isdecimal() and len(text) <= _BLOCK_DIGITS_MOST):
            raise Invalid(f"{name} is {text!r}: expected a block's number")
        return int(text)
    if name in _DECIMALS:
        parse_decimal(text)
    return text


def _text(name: str, text: str) -> str:
    """A text as it may stand in the audit log and on a terminal; what is refused is not repeated."""
    if len(text) > _LETTERS_MOST:
        raise Invalid(f"{name} has {len(text)} characters: at most {_LETTERS_MOST} are allowed")
    if not text.isprintable():
        raise Invalid(f"{name} has characters that cannot be printed: write it on one line")
    if not text.strip():
        raise Invalid(f"{name} is empty")
    return text


def command_shape(command: Command) -> Shape:
    """A command as it is shown."""
    return {
        "id": command.id,
        "kind": command.kind,
        "arguments": command.arguments,
        "requested_by": command.requested_by,
        "requested": time_text(command.requested_time),
        "finished": time_or_none(command.finished_time),
        "succeeded": command.succeeded,
        "result": command.result,
    }
