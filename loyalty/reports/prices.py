"""A token's prices as they are stored: every version with its source and reason, and what was refused."""

from loyalty.core.amounts import format_units
from loyalty.core.errors import NotFound
from loyalty.core.spans import Span
from loyalty.core.times import time_text
from loyalty.reports.shapes import Shape
from loyalty.reports.snapshot import Snapshot
from loyalty.state import price_refusals, prices, tokens
from loyalty.state.price_refusals import StoredRefusal
from loyalty.state.prices import PriceVersion
from loyalty.state.tokens import TokenRow


def token_prices(snapshot: Snapshot, symbol: str, span: Span) -> Shape:
    """Points and refusals for moments within `span`, by time. Raises NotFound for a token that the program has not."""
    known = {row.symbol: row for row in tokens.all_tokens(snapshot.connection)}
    row = known.get(symbol)
    if row is None:
        raise NotFound(f"the program has no token {symbol!r}: it has {', '.join(sorted(known))}")
    versions = prices.versions(snapshot.connection, row.id, span)
    newest = {each.valid_time: each.version for each in versions}
    refusals = price_refusals.of_token(snapshot.connection, row.id, span)
    return {
        "token": symbol,
        "points": [_point(each, row, newest[each.valid_time]) for each in versions],
        "refusals": [_refusal(each) for each in refusals],
    }


def _point(point: PriceVersion, token: TokenRow, newest: int) -> Shape:
    return {
        "time": time_text(point.valid_time),
        "version": point.version,
        "in_force": point.version == newest,
        "usd": format_units(point.price, token.price_decimals),
        "source": point.source,
        "asked": time_text(point.asked_time),
        "reason": point.reason,
    }


def _refusal(refusal: StoredRefusal) -> Shape:
    return {
        "time": time_text(refusal.valid_time),
        "source": refusal.source,
        "reason": refusal.reason,
        "detail": refusal.detail,
        "asked": time_text(refusal.asked_time),
    }
