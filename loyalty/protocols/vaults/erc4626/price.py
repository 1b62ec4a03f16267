"""Price per share of an ERC-4626 vault: its own convertToAssets, asked on a fixed grid of blocks and stored.

Deposits minus withdrawals are not the assets (yield arrives as plain Transfers), and a deposit of one wei can set the
ratio of its event at will: events are no price. Above a minimum of shares their ratio is a check of the stored one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from loyalty.core.errors import Invalid
from loyalty.core.facts import AssetExchange

PPM = 1_000_000


class GridAnswer(NamedTuple):
    """`convertToAssets(10**share decimals)` at the end of `block`: asset units per whole share, from `time` on."""

    block: int
    time: int
    price_per_share: int


class Deviation(NamedTuple):
    """An exchange whose ratio differs from the price in force by `ppm`, more than was allowed.

    `exchange_price` is asset units per whole share, rounded down.
    """

    exchange: AssetExchange
    exchange_price: int
    answer: GridAnswer
    ppm: int


def price_at(answers: Sequence[GridAnswer], time: int, max_age: int) -> GridAnswer | None:
    """The last answer valid at `time` and at most `max_age` seconds old; None where there is none: then no price."""
    index = bisect_right(answers, time, key=itemgetter(1)) - 1
    if index < 0 or time - answers[index].time > max_age:
        return None
    return answers[index]


def deviations(
    exchanges: Sequence[AssetExchange],
    answers: Sequence[GridAnswer],
    *,
    share_decimals: int,
    minimum_shares: int,
    limit_ppm: int,
    max_age: int,
) -> list[Deviation]:
    """The exchanges of at least `minimum_shares` whose ratio is more than `limit_ppm` off the price in force.

    Fees of a vault and the yield since the last answer are part of the difference: `limit_ppm` must leave them room.
    An exchange without a price in force is not checked.
    """
    if minimum_shares <= 0:
        raise Invalid(f"minimum_shares is {minimum_shares}: a check needs some shares, such as one whole share")
    found: list[Deviation] = []
    for exchange in exchanges:
        answer = price_at(answers, exchange.time, max_age)
        if answer is None or exchange.shares < minimum_shares:
            continue
        deviation = _deviation(exchange, answer, 10**share_decimals)
        if deviation.ppm > limit_ppm:
            found.append(deviation)
    return found


def _deviation(exchange: AssetExchange, answer: GridAnswer, scale: int) -> Deviation:
    """The difference in ppm of the stored price, rounded up: a limit is never passed unseen."""
    difference = abs(exchange.assets * scale - answer.price_per_share * exchange.shares) * PPM
    ppm = -(-difference // (answer.price_per_share * exchange.shares))
    return Deviation(exchange, exchange.assets * scale // exchange.shares, answer, ppm)
