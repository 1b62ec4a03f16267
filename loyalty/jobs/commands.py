"""Commands: what API and CLI ask of the worker, executed in order, each with its result kept.

Asking is a short durable transaction with an audit line; the CLI calls `execute` itself when no worker holds the database.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from loyalty.core.amounts import parse_units
from loyalty.core.errors import Invalid, LoyaltyError, NotFound
from loyalty.core.spans import Span
from loyalty.jobs.hold import hold, release
from loyalty.jobs.pay import mark_paid
from loyalty.jobs.price import set_price
from loyalty.program.rules import Rules
from loyalty.state import StateTransaction, audit, commands
from loyalty.state.engine import State

_log = logging.getLogger(__name__)

Arguments = Mapping[str, Any]


class Desk(NamedTuple):
    """What a command may need: the database, the rules, and jobs that are wired elsewhere."""

    state: State
    rules: Rules
    settle: Callable[[int | None], list[dict[str, Any]]]
    back_up: Callable[[], dict[str, Any]]


def ask(state: State, kind: str, arguments: Arguments, requested_by: str, now: int) -> int:
    """Leave a command for the worker; returns its number. Raises Invalid for an unknown kind."""
    if kind not in KINDS:
        raise Invalid(f"there is no command {kind!r}: there are {', '.join(sorted(KINDS))}")
    with StateTransaction(state, durable=True) as connection:
        audit.write(connection, now, requested_by, f"ask {kind}", dict(arguments))
        return commands.append(connection, kind, arguments, requested_by, now)


def execute(desk: Desk, kind: str, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    """Carry a command out; raises what it raises."""
    run = KINDS.get(kind)
    if run is None:
        raise Invalid(f"there is no command {kind!r}: there are {', '.join(sorted(KINDS))}")
    try:
        return run(desk, arguments, actor, now)
    except KeyError as missing:
        raise Invalid(f"the command {kind!r} needs the argument {missing}") from None


def execute_pending(desk: Desk, now: int) -> int:
    """Carry out what is waiting, in order; a command that fails keeps its error and holds up nothing."""
    with desk.state.read() as connection:
        waiting = commands.pending(connection)
    for command in waiting:
        try:
            result = execute(desk, command.kind, command.arguments, command.requested_by, now)
            succeeded = True
        except LoyaltyError as error:
            result, succeeded = {"error": error.code, "detail": str(error)}, False
            _log.error("command failed id=%s kind=%s error=%s", command.id, command.kind, error)
        with StateTransaction(desk.state, durable=True) as connection:
            commands.finish(connection, command.id, succeeded=succeeded, result=result, now=now)
    return len(waiting)


def _price_set(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    symbol = str(arguments["token"])
    token = desk.rules.tokens.get(symbol)
    if token is None:
        raise NotFound(f"the program has no token {symbol!r}: it has {', '.join(sorted(desk.rules.tokens))}")
    span = Span(int(arguments["from"]), int(arguments["to"]))
    units = parse_units(str(arguments["usd"]), token.price_decimals)
    stored = set_price(desk.state, desk.rules, symbol, span, units, str(arguments["reason"]), actor, now)
    return {"points": stored}


def _settle(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    until = arguments.get("until")
    return {"epochs": desk.settle(None if until is None else int(until))}


def _hold(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    return {"hold": hold(desk.state, str(arguments["reason"]), actor, now)}


def _release(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    return {"released": release(desk.state, actor, now)}


def _back_up(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    return desk.back_up()


def _mark_paid(desk: Desk, arguments: Arguments, actor: str, now: int) -> dict[str, Any]:
    return mark_paid(
        desk.state,
        desk.rules,
        epoch=int(arguments["epoch"]),
        symbol=str(arguments["token"]),
        transaction_hash=str(arguments["transaction"]),
        dust_below=str(arguments.get("dust_below", "0")),
        actor=actor,
        now=now,
    )


KINDS: dict[str, Callable[[Desk, Arguments, str, int], dict[str, Any]]] = {
    "price set": _price_set,
    "settle": _settle,
    "hold": _hold,
    "release": _release,
    "back up": _back_up,
    "mark paid": _mark_paid,
}
"""Every command that API and CLI may leave for the worker."""
