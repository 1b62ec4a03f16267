"""Set a price: the operator's word where no source has one, with the reason. What has a price keeps it."""

from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.accrual.series import Missing, steps_in_force
from loyalty.core.amounts import format_units
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, time_text
from loyalty.jobs.price import store_in
from loyalty.program.rules import Rules, Token
from loyalty.state import audit, prices, tokens


class PriceSet(NamedTuple):
    """How many points were stored, and how many were refused because a closed day or a settled epoch has used them."""

    stored: int
    refused: int


def set_price(
    connection: Connection,
    rules: Rules,
    token: Token,
    span: Span,
    price_units: int,
    reason: str,
    actor: str,
    now: int,
) -> PriceSet:
    """The operator's price for every second from span.start to span.end, the end included, that has none; audited.

    A point stands at the first such second and as often after it as `max_age` asks; seconds that have a valid price
    keep it. Raises Invalid for a span that ends before it starts or misses the program, for a price that is not above
    zero and for a missing reason; Conflict where nothing could be stored.
    """
    check(span, price_units, reason)
    wanted = within_program(rules, token, span)
    times = _seconds_without_price(connection, token, wanted)
    points = [PricePoint(time, price_units, "operator", now) for time in times]
    stored, refused = store_in(connection, rules, token, points, reason.strip())
    if not stored:
        raise Conflict(
            f"no price of {token.symbol} was set: every moment from {time_text(wanted.start)} to "
            f"{time_text(wanted.end)} has a price already or was used by a closed day"
        )
    detail = {
        "token": token.symbol,
        "from": span.start,
        "to": span.end,
        "usd": format_units(price_units, token.price_decimals),
        "reason": reason.strip(),
        "points": stored,
        "refused": refused,
    }
    audit.write(connection, now, actor, "price set", detail)
    return PriceSet(stored, refused)


def check(span: Span, price_units: int, reason: str) -> None:
    """Raises Invalid for what can be no price of the operator's."""
    if span.end < span.start:
        raise Invalid(f"--from {time_text(span.start)} is after --to {time_text(span.end)}: exchange them")
    if price_units <= 0:
        raise Invalid("--usd is 0: a price is above zero")
    if not reason.strip():
        raise Invalid("a price needs a --reason: it is kept in the audit log and shown by explain")


def within_program(rules: Rules, token: Token, span: Span) -> Span:
    """What of the span the program can use: from `max_age` before its start to its end."""
    first = rules.start - token.max_age
    if span.end < first or span.start > rules.end:
        raise Invalid(
            f"nothing from {time_text(span.start)} to {time_text(span.end)} concerns the program, which runs from "
            f"{time_text(rules.start)} to {time_text(rules.end)}"
        )
    return Span(max(span.start, first), min(span.end, rules.end))


def _seconds_without_price(connection: Connection, token: Token, span: Span) -> list[int]:
    """Where points must stand so that every second of `span`, its end included, has a price."""
    known = prices.points(connection, tokens.ids(connection)[token.symbol], Span(span.start, span.end + 1))
    found = steps_in_force(known, span, token.max_age, closed_end=True)
    missing = found.spans if isinstance(found, Missing) else ()
    step = min(HOUR_SECONDS, max(1, token.max_age))
    return [time for each in missing for time in range(each.start, each.end, step)]
