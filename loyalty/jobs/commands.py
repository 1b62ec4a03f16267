"""Commands: what API and CLI ask of the worker, executed in order, each with its result kept.

Asking is a short durable transaction with an audit line; the CLI calls `execute` itself when no worker holds the
database. What a command does and that it is done commit together, so it is done exactly once wherever a worker is
killed; a settlement or a backup, which have transactions of their own, may be begun again, which changes nothing.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from loyalty.core.amounts import parse_units
from loyalty.core.errors import Invalid, LoyaltyError, NotFound
from loyalty.core.spans import Span
from loyalty.jobs.backfill import start, stop
from loyalty.jobs.hold import hold, release
from loyalty.jobs.pay import mark_paid
from loyalty.jobs.set_price import set_price
from loyalty.program.rules import Rules
from loyalty.state import StateTransaction, audit, commands
from loyalty.state.commands import Command
from loyalty.state.engine import State

_log = logging.getLogger(__name__)

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Desk(NamedTuple):
    """What a command may need: the database, the rules, and jobs that are wired elsewhere."""

    state: State
    rules: Rules
    settle: Callable[[int | None], list[dict[str, Any]]]
    back_up: Callable[[], dict[str, Any]]


class Act(NamedTuple):
    """Who asks for what, inside the transaction in which it is done."""

    connection: Connection
    rules: Rules
    arguments: Arguments
    actor: str
    now: int


def ask(state: State, kind: str, arguments: Arguments, requested_by: str, now: int) -> int:
    """Leave a command for the worker; returns its number. Raises Invalid for an unknown kind."""
    _check_kind(kind)
    with StateTransaction(state, durable=True) as connection:
        audit.write(connection, now, requested_by, f"ask {kind}", dict(arguments))
        return commands.append(connection, kind, arguments, requested_by, now)


def execute(
    desk: Desk,
    kind: str,
    arguments: Arguments,
    actor: str,
    now: int,
    finish: Callable[[Connection, Result], None] = lambda connection, result: None,
) -> Result:
    """Carry a command out and `finish` it, where it can be as one transaction; raises what it raises."""
    _check_kind(kind)
    if (job := _JOBS.get(kind)) is not None:
        result = job(desk, arguments)
        with StateTransaction(desk.state, durable=True) as connection:
            finish(connection, result)
        return result
    with StateTransaction(desk.state, durable=True) as connection:
        result = _ACTS[kind](Act(connection, desk.rules, arguments, actor, now))
        finish(connection, result)
    return result


def execute_pending(desk: Desk, now: int) -> int:
    """Carry out what is waiting, in order; a command that fails keeps its error and holds up nothing."""
    with desk.state.read() as connection:
        waiting = commands.pending(connection)
    for command in waiting:
        _carry_out(desk, command, now)
    return len(waiting)


def _carry_out(desk: Desk, command: Command, now: int) -> None:
    def finish(connection: Connection, result: Result) -> None:
        commands.finish(connection, command.id, succeeded=True, result=result, now=now)

    try:
        execute(desk, command.kind, command.arguments, command.requested_by, now, finish)
        return
    except LoyaltyError as error:
        told = {"error": error.code, "detail": str(error)}
        _log.error("command failed id=%s kind=%s error=%s", command.id, command.kind, error)
    except Exception as error:
        told = {"error": "unexpected", "detail": f"{type(error).__name__}: {error}"}
        _log.exception("command failed id=%s kind=%s", command.id, command.kind)
    with StateTransaction(desk.state, durable=True) as connection:
        commands.finish(connection, command.id, succeeded=False, result=told, now=now)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid(f"there is no command {kind!r}: there are {', '.join(sorted(KINDS))}")


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise Invalid(f"the command needs the argument {name!r} as a text")
    return value


def _whole(arguments: Arguments, name: str) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(f"the command needs the argument {name!r} as a whole number")
    return value


def _price_set(act: Act) -> Result:
    symbol = _text(act.arguments, "token")
    token = act.rules.tokens.get(symbol)
    if token is None:
        raise NotFound(f"the program has no token {symbol!r}: it has {', '.join(sorted(act.rules.tokens))}")
    span = Span(_whole(act.arguments, "from"), _whole(act.arguments, "to"))
    units = parse_units(_text(act.arguments, "usd"), token.price_decimals)
    reason = _text(act.arguments, "reason")
    done = set_price(act.connection, act.rules, token, span, units, reason, act.actor, act.now)
    return {"points": done.stored, "refused": done.refused}


def _settle(desk: Desk, arguments: Arguments) -> Result:
    return {"epochs": desk.settle(None if arguments.get("until") is None else _whole(arguments, "until"))}


def _back_up(desk: Desk, arguments: Arguments) -> Result:
    return desk.back_up()


def _hold(act: Act) -> Result:
    return {"hold": hold(act.connection, _text(act.arguments, "reason"), act.actor, act.now)}


def _release(act: Act) -> Result:
    return {"released": release(act.connection, act.actor, act.now)}


def _backfill(act: Act) -> Result:
    """`action` start or stop; `from_block`, which may be left out, is held against what is indexed."""
    chain, action = _text(act.arguments, "chain"), _text(act.arguments, "action")
    detail: Result = {"chain": chain, "action": action}
    if action == "start":
        first = None if act.arguments.get("from_block") is None else _whole(act.arguments, "from_block")
        known = start(act.connection, chain, first, act.now)
    elif action == "stop":
        known = stop(act.connection, chain, act.now)
    else:
        raise Invalid(f"the command backfill has no action {action!r}: there are start and stop")
    detail["blocks_left"] = known.blocks_left if known else 0
    audit.write(act.connection, act.now, act.actor, "backfill", detail)
    return detail


def _mark_paid(act: Act) -> Result:
    return mark_paid(
        act.connection,
        act.rules,
        epoch=_whole(act.arguments, "epoch"),
        symbol=_text(act.arguments, "token"),
        transaction_hash=_text(act.arguments, "transaction"),
        dust_below=_text({"dust_below": "0", **act.arguments}, "dust_below"),
        actor=act.actor,
        now=act.now,
    )


_ACTS: dict[str, Callable[[Act], Result]] = {
    "price set": _price_set,
    "hold": _hold,
    "release": _release,
    "mark paid": _mark_paid,
    "backfill": _backfill,
}
"""What is done in one transaction, its being finished included."""

_JOBS: dict[str, Callable[[Desk, Arguments], Result]] = {
    "settle": _settle,
    "back up": _back_up,
}
"""What has transactions of its own; begun a second time, it finds done what was done."""

KINDS = frozenset({*_ACTS, *_JOBS})
"""Every command that API and CLI may leave for the worker."""
