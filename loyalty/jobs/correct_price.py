"""Correct a price: a new version of stored points that no settled epoch rests on; the days that did are computed again.

The older versions stay as they were, and the audit log has both.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from loyalty.accrual.series import points_in_force
from loyalty.core.amounts import format_units
from loyalty.core.errors import Conflict
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import day_of, time_text
from loyalty.jobs.rules import rules_in_force
from loyalty.jobs.set_price import check, within_program
from loyalty.program.digest import priced_tokens
from loyalty.program.rules import Rules, Token
from loyalty.state import audit, days, epochs, points, pool_tokens, pools, prices, tokens


class PriceCorrected(NamedTuple):
    """How many points have a new version, and how many pool-days are computed again."""

    corrected: int
    days: int


def correct_price(
    connection: Connection,
    rules: Rules,
    token: Token,
    span: Span,
    price_units: int,
    reason: str,
    actor: str,
    now: int,
) -> PriceCorrected:
    """The operator's price in the place of every stored point from span.start to span.end, the end included; audited.

    Pool-days that have used them are forgotten with the same commit, and computed again by the next turn. Raises
    Conflict where the span has no point and, naming the epoch, where a settled one has used one of them; Invalid as
    `set_price`.
    """
    check(span, price_units, reason)
    wanted = within_program(rules, token, span)
    token_id = tokens.ids(connection)[token.symbol]
    known = [each for each in prices.points(connection, token_id, _closed(wanted)) if each.valid_time >= wanted.start]
    if not known:
        raise Conflict(
            f"{token.symbol} has no price point from {time_text(wanted.start)} to {time_text(wanted.end)} that could "
            "be corrected: set a price without --correct"
        )
    _check_unsettled(connection, rules, token.symbol, token_id, known)
    corrected = [PricePoint(each.valid_time, price_units, "operator", now) for each in known]
    last = _last_second(connection, token, token_id, known)
    prices.correct(connection, token_id, corrected, reason.strip())
    forgotten = _forget_days(connection, rules, token.symbol, known[0].valid_time, last)
    detail = {
        "token": token.symbol,
        "from": span.start,
        "to": span.end,
        "reason": reason.strip(),
        "after": format_units(price_units, token.price_decimals),
        "before": [_told(each, token) for each in known],
        "pool_days": forgotten,
    }
    audit.write(connection, now, actor, "price corrected", detail)
    return PriceCorrected(len(known), forgotten)


def _closed(span: Span) -> Span:
    return Span(span.start, span.end + 1)


def _told(point: PricePoint, token: Token) -> Mapping[str, str | int]:
    return {
        "time": point.valid_time,
        "usd": format_units(point.price, token.price_decimals),
        "source": point.source,
    }


def _check_unsettled(
    connection: Connection, rules: Rules, symbol: str, token_id: int, corrected: Sequence[PricePoint]
) -> None:
    """A settled epoch's digest names every point in force of its tokens, its end included: none of them is touched."""
    times = {point.valid_time for point in corrected}
    for number in range(1, epochs.settled_count(connection) + 1):
        settled_rules = rules_in_force(connection, number)[1]
        if symbol not in priced_tokens(settled_rules):
            continue
        whole = rules.epoch(number).span
        named = points_in_force(
            prices.points(connection, token_id, _closed(whole)), whole, settled_rules.tokens[symbol].max_age
        )
        if used := [point for point in named if point.valid_time in times]:
            raise Conflict(
                f"epoch {number} is settled and has used the price of {symbol} of {time_text(used[0].valid_time)}: "
                "nothing was corrected. Correct only what comes after it"
            )


def _last_second(connection: Connection, token: Token, token_id: int, corrected: Sequence[PricePoint]) -> int:
    """The last second that one of `corrected` can price, before the next point or until it has aged out."""
    last = corrected[-1].valid_time
    later = [
        point.valid_time
        for point in prices.points(connection, token_id, Span(last + 1, last + token.max_age + 1))
        if point.valid_time > last
    ]
    return min(later) if later else last + token.max_age


def _forget_days(connection: Connection, rules: Rules, symbol: str, first: int, last: int) -> int:
    """From the first day on that used a second of [first, last], as a day uses its end too; never a settled one.

    Points of rounds that began from then on are counted again with them.
    """
    settled = epochs.settled_count(connection)
    if settled == rules.epochs:
        return 0
    unsettled, forgotten = rules.epoch(settled + 1), 0
    for pool in pools.all_pools(connection):
        if symbol not in pool_tokens.symbols(connection, pool):
            continue
        first_day = max(unsettled.days.start, day_of(first - 1))
        touched = [day for day in days.states(connection, pool.id) if first_day <= day <= day_of(last)]
        if touched:
            forgotten += days.delete_from(connection, pool.id, min(touched))
    begins = max(unsettled.start, first)
    points.delete_begun_since(connection, begins, day_of(begins))
    return forgotten
