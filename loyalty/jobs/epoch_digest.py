"""The digest of an epoch, from its result and what is stored: the one number that says two machines agree."""

from sqlalchemy import Connection

from loyalty.accrual.series import points_in_force
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.program.cells import Cell
from loyalty.program.digest import epoch_digest, priced_tokens
from loyalty.program.rules import Epoch, Rules
from loyalty.program.settlement import EpochResult
from loyalty.state import days, prices, tokens


def digest_of(connection: Connection, rules: Rules, result: EpochResult) -> str:
    """Hex SHA-256 as docs/digest.md describes it."""
    cells = [Cell(*row) for row in days.cells(connection, result.epoch.days)]
    return epoch_digest(rules, result, cells, prices_in_force(connection, rules, result.epoch))


def prices_in_force(connection: Connection, rules: Rules, epoch: Epoch) -> dict[str, list[PricePoint]]:
    """By symbol every point in force at any second of the epoch, its end included, of the tokens that a digest names."""
    ids = tokens.ids(connection)
    found = {}
    for symbol in priced_tokens(rules):
        stored = prices.points(connection, ids[symbol], Span(epoch.start, epoch.end + 1))
        found[symbol] = points_in_force(stored, epoch.span, rules.tokens[symbol].max_age)
    return found
