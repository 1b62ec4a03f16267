"""Prices as an epoch needs them: at its end for budgets, and all in force for its digest."""

from sqlalchemy import Connection

from loyalty.accrual.series import points_in_force
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.program.budget import tokens_priced_at_end
from loyalty.program.digest import priced_tokens
from loyalty.program.rules import Epoch, Rules, Token
from loyalty.state import prices, tokens


def point_at(connection: Connection, token: Token, time: int) -> PricePoint | None:
    """The token's point in force at `time`; None where there is none or it is too old."""
    stored = prices.points(connection, tokens.ids(connection)[token.symbol], Span(time, time + 1))
    found = points_in_force(stored, Span(time, time), token.max_age)
    return found[-1] if found else None


def prices_at(connection: Connection, rules: Rules, time: int) -> dict[str, int]:
    """By symbol the price in force at `time` of the tokens that budgets need a price of; missing ones are left out."""
    points = {symbol: point_at(connection, rules.tokens[symbol], time) for symbol in tokens_priced_at_end(rules)}
    return {symbol: point.price for symbol, point in points.items() if point is not None}


def prices_in_force(connection: Connection, rules: Rules, epoch: Epoch) -> dict[str, list[PricePoint]]:
    """By symbol every point in force at any second of the epoch or at its end, of the tokens that a digest names."""
    ids = tokens.ids(connection)
    found = {}
    for symbol in priced_tokens(rules):
        stored = prices.points(connection, ids[symbol], Span(epoch.start, epoch.end + 1))
        found[symbol] = points_in_force(stored, epoch.span, rules.tokens[symbol].max_age)
    return found
