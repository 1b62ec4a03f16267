import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.address import Address
from loyalty.core.errors import Invalid
from loyalty.core.facts import OracleAnswer
from loyalty.core.spans import Span
from loyalty.prices.chainlink import ChainlinkSource, FeedHistory
from loyalty.prices.refusal import Reason

HOUR = 3_600
FEED = Address("0x" + "fe" * 20)


def said(updated_at, answer, block=None, log_index=0, round_id=1):
    block = updated_at // 12 if block is None else block
    return OracleAnswer(FEED, block, log_index, updated_at, round_id, answer, updated_at, bytes(32))


class Feed:
    """A feed with these answers, indexed up to `known_until`, that remembers what was read and what was refused."""

    def __init__(self, *answers, known_until=10**9):
        self.answers = answers
        self.known_until = known_until
        self.read: list[Span] = []
        self.refusals = []

    def source(self, feed_decimals=8, price_decimals=8, heartbeat=HOUR):
        return ChainlinkSource(self._read, feed_decimals, price_decimals, "tBTC", heartbeat, self.refusals.append)

    def _read(self, span):
        self.read.append(span)
        return FeedHistory([each for each in self.answers if span.contains(each.updated_at)], self.known_until)

    def reasons(self):
        return [(each.valid_time, each.reason) for each in self.refusals]


def prices(points):
    return [(point.valid_time, point.price) for point in points]


def test_each_full_hour_has_the_last_answer_before_it():
    feed = Feed(said(100, 5), said(3_000, 6), said(HOUR, 7), said(HOUR + 1, 8))
    points = feed.source().points(Span(0, 3 * HOUR), now=77)
    assert prices(points) == [(HOUR, 7), (2 * HOUR, 8)]
    assert {(point.source, point.asked_time) for point in points} == {("chainlink", 77)}
    assert feed.read == [Span(-HOUR, 3 * HOUR)]


def test_an_answer_stands_for_its_heartbeat_and_no_second_longer():
    assert prices(Feed(said(2 * HOUR, 5)).source(heartbeat=HOUR).points(Span(HOUR, 9 * HOUR), 0)) == [
        (2 * HOUR, 5),
        (3 * HOUR, 5),
    ]
    feed = Feed(said(2 * HOUR - 1, 5))
    assert prices(feed.source(heartbeat=HOUR).points(Span(2 * HOUR, 4 * HOUR), 0)) == [(2 * HOUR, 5)]
    assert feed.reasons() == [(3 * HOUR, Reason.STALE)]
    assert feed.refusals[0].detail == "the last answer is of 1970-01-01T01:59:59Z, and one stands for 3600 s"


def test_a_slow_feed_is_read_from_its_heartbeat_before_the_span():
    feed = Feed(said(50, 5))
    assert prices(feed.source(heartbeat=86_400).points(Span(86_000, 90_001), 0)) == [(24 * HOUR, 5)]
    assert feed.read == [Span(24 * HOUR - 86_400, 26 * HOUR)]
    assert feed.reasons() == [(25 * HOUR, Reason.STALE)]


@pytest.mark.parametrize("answer", [0, -1, -(2**255)])
def test_an_answer_of_zero_or_below_takes_the_price_back(answer):
    feed = Feed(said(HOUR - 60, 5), said(HOUR - 30, answer))
    assert feed.source().points(Span(HOUR, HOUR + 1), 0) == []
    ((_, token, time, reason, detail),) = feed.refusals
    assert (token, time, reason) == ("tBTC", HOUR, Reason.NO_PRICE)
    assert detail == f"the feed answered {answer} in block 297"


def test_what_was_logged_last_counts_and_not_the_higher_round():
    answers = [said(60, 5, 9, 1, round_id=8), said(60, 6, 9, 4, round_id=7)]
    for order in (answers, answers[::-1]):
        assert prices(Feed(*order).source().points(Span(HOUR, HOUR + 1), 0)) == [(HOUR, 6)]


def test_an_hour_that_the_chain_has_not_passed_is_not_read():
    feed = Feed(said(HOUR - 60, 5), known_until=HOUR)
    assert feed.source().points(Span(0, 3 * HOUR), 10**6) == []
    feed.known_until = HOUR + 1
    assert prices(feed.source().points(Span(0, 3 * HOUR), 10**6)) == [(HOUR, 5)]


def test_a_span_without_a_full_hour_reads_nothing():
    feed = Feed()
    assert feed.source().points(Span(1, HOUR), 0) == []
    assert feed.read == []


def test_answers_are_brought_to_the_tokens_scale_exactly():
    feed = Feed(said(60, 6_321_050_000_000))
    assert feed.source(feed_decimals=8).points(Span(HOUR, HOUR + 1), 0)[0].price == 63_210_50000000
    assert feed.source(feed_decimals=8, price_decimals=2).points(Span(HOUR, HOUR + 1), 0)[0].price == 6_321_050
    long = Feed(said(60, 1_234_567_890_123_456_789_012_345_678_901_234_567))
    (point,) = long.source(feed_decimals=18, price_decimals=18).points(Span(HOUR, HOUR + 1), 0)
    assert point.price == 1_234_567_890_123_456_789_012_345_678_901_234_567


def test_an_answer_that_the_scale_cannot_hold_is_refused_with_the_remedy():
    feed = Feed(said(60, 123_456))
    with pytest.raises(Invalid, match=r"tBTC: the Chainlink answer at 1970-01-01T01:00:00Z: .* price_decimals = 9"):
        feed.source(feed_decimals=8, price_decimals=2).points(Span(HOUR, HOUR + 1), 0)


def test_a_feed_without_a_heartbeat_is_refused():
    with pytest.raises(Invalid, match="tBTC: a Chainlink feed needs a heartbeat above 0 s"):
        Feed().source(heartbeat=0)


ANSWERS = st.lists(
    st.builds(said, st.integers(1, 20 * HOUR), st.integers(-1, 9)), max_size=30, unique_by=lambda a: a[3]
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.integers(1, 4 * HOUR), st.lists(st.integers(0, 20 * HOUR), max_size=3), st.integers(0, 20 * HOUR))
def test_points_are_the_same_live_and_years_later(answers, heartbeat, cuts, known_until):
    later = Feed(*answers).source(heartbeat=heartbeat).points(Span(0, 20 * HOUR), 0)
    ends = sorted({0, 20 * HOUR, *cuts})
    live = Feed(*(each for each in answers if each.updated_at < known_until), known_until=known_until)
    cut = [p for a, b in itertools.pairwise(ends) for p in live.source(heartbeat=heartbeat).points(Span(a, b), 0)]
    assert cut == [point for point in later if point.valid_time < known_until]
