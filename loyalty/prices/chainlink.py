"""A token's price by a Chainlink feed, from the answers that were indexed from the chain.

The point of the full hour h is the last answer with updated_at <= h, if that is no older than the feed's heartbeat and
is a price. Where the last answer is 0 or below, the hour has no point: the feed took its price back, and an earlier
answer does not return.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from loyalty.core.errors import Invalid
from loyalty.core.facts import OracleAnswer, PricePoint
from loyalty.core.spans import Span
from loyalty.core.times import HOUR_SECONDS, duration_text, time_text
from loyalty.prices.grid import grid_hours
from loyalty.prices.refusal import Reason, Refusal, Refuse, log_refusal
from loyalty.prices.scale import is_price, price_at_scale


class FeedHistory(NamedTuple):
    """A feed's answers that count (protocols.chainlink.phases), with `updated_at` in the seconds that were asked for.

    Every answer before `known_until` (unix seconds) is among them: the time of the last final block that was indexed.
    """

    answers: Sequence[OracleAnswer]
    known_until: int


class ChainlinkSource:
    """The feed whose stored answers `read` gives; it prices the token `symbol`.

    `feed_decimals` is the proxy's decimals(); `heartbeat` how many seconds an answer stands, from the feed's own page,
    with some time to spare for a late transaction.
    """

    name = "chainlink"

    def __init__(
        self,
        read: Callable[[Span], FeedHistory],
        feed_decimals: int,
        price_decimals: int,
        symbol: str,
        heartbeat: int,
        refuse: Refuse = log_refusal,
    ) -> None:
        if heartbeat <= 0 or feed_decimals < 0:
            raise Invalid(
                f"{symbol}: a Chainlink feed needs a heartbeat above 0 s and decimals of 0 or more, "
                f"not {heartbeat} s and {feed_decimals}"
            )
        self._read = read
        self._feed_decimals = feed_decimals
        self._price_decimals = price_decimals
        self._symbol = symbol
        self._heartbeat = heartbeat
        self._refuse = refuse

    def points(self, span: Span, now: int) -> list[PricePoint]:
        """The points of the full hours in `span` that the chain has passed; hours without a valid answer are left out.

        `now` is only written down: what is known follows from the chain's time. Raises Invalid for an answer that the
        token's price_decimals cannot hold to one part in a million.
        """
        hours = grid_hours(span)
        if not hours:
            return []
        history = self._read(Span(hours.start - self._heartbeat, hours.end))
        answers = sorted(history.answers, key=lambda answer: (answer.updated_at, answer.block, answer.log_index))
        times = [answer.updated_at for answer in answers]
        found: list[PricePoint] = []
        for hour in range(hours.start, min(hours.end, history.known_until), HOUR_SECONDS):
            place = bisect_right(times, hour)
            price = self._price(hour, answers[place - 1] if place else None)
            if price is not None:
                found.append(PricePoint(hour, price, self.name, now))
        return found

    def _price(self, hour: int, answer: OracleAnswer | None) -> int | None:
        """The price at `hour` by the last answer before it; None where that is none, with the refusal told."""
        if answer is None:
            self._tell(hour, Reason.STALE, f"no answer in the {duration_text(self._heartbeat)} before")
            return None
        if hour - answer.updated_at > self._heartbeat:
            told = f"the last answer is of {time_text(answer.updated_at)}, and one stands for {self._heartbeat} s"
            self._tell(hour, Reason.STALE, told)
            return None
        usd = dollars(answer.answer, self._feed_decimals)
        if not is_price(usd):
            self._tell(hour, Reason.NO_PRICE, f"the feed answered {answer.answer} in block {answer.block}")
            return None
        return price_at_scale(usd, self._price_decimals, f"{self._symbol}: the Chainlink answer at {time_text(hour)}")

    def _tell(self, hour: int, reason: Reason, detail: str) -> None:
        self._refuse(Refusal(self.name, self._symbol, hour, reason, detail))


def dollars(answer: int, feed_decimals: int) -> Decimal:
    """The exact value of an answer in units of 10**-feed_decimals dollars, however many digits it has."""
    return Decimal(f"{answer}e-{feed_decimals}")
